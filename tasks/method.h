#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "core/card.h"
#include "core/case_index.h"
#include "core/contours.h"
#include "core/control.h"
#include "core/error.h"
#include "core/image.h"
#include "core/label_map.h"
#include "core/picture.h"
#include "core/raw_data.h"
#include "core/results.h"

namespace penta {

struct Input {
  std::string_view role;
  std::variant<const Image*, const LabelMap*, const Contours*, const RawData*, const Table*, const Transform*, const CaseIndex*>
      value;
};

struct Request {
  std::span<const Input> inputs;
  std::span<const Mark> marks;
  const Params& params;
  Workspace& workspace;
  Control& control;

  /// The input of a role, or null. A contour region or label map asked for as the wrong kind is null too.
  template <class T>
  [[nodiscard]] const T* find(std::string_view role) const noexcept {
    for (const Input& input : inputs)
      if (input.role == role)
        if (const auto* value = std::get_if<const T*>(&input.value)) return *value;
    return nullptr;
  }
  /// The input of a role. Throws Error{bad_input} that names the role when it is not there.
  template <class T>
  [[nodiscard]] const T& need(std::string_view role) const {
    if (const T* value = find<T>(role)) return *value;
    throw Error(Code::bad_input, "the input '" + std::string(role) + "' is missing or of another kind");
  }
};

struct Artifact {
  std::string role;
  std::variant<Image, LabelMap, RawData, Transform, Contours, Mesh, Picture, Table, Findings, Scores, Measurements, Ranking, Embedding>
      value;
};

struct Answer {
  std::vector<Artifact> artifacts;
  std::vector<Remark> remarks;
};

/// One method: what its card says, and how it is run. Holds no state between runs; safe to call from several threads.
class Method {
 public:
  [[nodiscard]] virtual const Card& card() const noexcept = 0;
  /// Throws Error where it cannot answer: bad_input with what is wrong, cancelled, out_of_memory, model_missing.
  [[nodiscard]] virtual Answer run(const Request& request) const = 0;
  virtual ~Method() = default;
};
using MethodPtr = std::unique_ptr<Method>;

}  // namespace penta
