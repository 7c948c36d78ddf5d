#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/coded.h"
#include "core/json.h"

namespace penta {

enum class Task {
  processing, segmentation, recognition, detection, generation, classification, annotation, synthesis, analysis, retrieval
};
[[nodiscard]] std::string_view name_of(Task task) noexcept;
[[nodiscard]] std::optional<Task> task_named(std::string_view name) noexcept;

/// One input of a method. `kind` is image, labels, regions (labels or contours), contours, raw, table, transform or index.
struct InputRole {
  std::string role, kind = "image", unit, text;
  std::vector<std::string> modalities;  ///< empty: the card's
  bool required = true;
  std::vector<std::string> from;  ///< "segmentation/us.fetal_head", "us.fetal_head", or "SCT:1234" (a coded concept)
};

struct OutputRole {
  std::string role, kind, unit, text;
  CodedConcept concept_code;  ///< what it is, so that other cards can ask for it by code
};

struct Parameter {
  std::string name, type, unit, text;  ///< type: number, integer, text, choice, flag
  Json default_value;
  std::optional<double> minimum, maximum;
  std::vector<std::string> choices;
};

/// When `report` may run a method: all that is stated must hold.
struct Gate {
  bool in_report = true;  ///< false: only by an explicit call
  std::vector<std::string> kinds;                ///< volume, frames, raw
  std::vector<std::string> sequences;            ///< MR: T1 ... as header facts say
  std::optional<double> spacing_max_mm;          ///< coarsest voxel edge
  std::optional<double> extent_min_mm, extent_max_mm;  ///< of the smallest and largest side of the field of view
  std::vector<std::string> roles_present;        ///< optional roles that must be there
  struct Recognised { std::string method, label; double probability_min = 0.5; };
  std::vector<Recognised> recognised;
};

/// What a method is, does, needs and was measured to do (design.md, 'A card says').
struct Card {
  std::string id, version = "1", title;
  Task task = Task::processing;
  std::vector<std::string> modalities;  ///< CT MR US PET SPECT
  std::vector<InputRole> inputs;
  std::vector<OutputRole> outputs;
  std::vector<Parameter> parameters;
  Gate gate;
  int priority = 0;
  std::string algorithm, reference, determinism, evidence_note, intended_use;
  std::vector<std::string> not_for, known_failures;
  Json results;  ///< array, as written
  Json whole;    ///< the card's JSON

  [[nodiscard]] std::string key() const;  ///< "segmentation/ct.body"
  [[nodiscard]] const InputRole* input(std::string_view role) const noexcept;
  [[nodiscard]] const Parameter* parameter(std::string_view name) const noexcept;
};

/// Reads a card. Throws Error{bad_input} that names the card and the member that is missing or wrong.
[[nodiscard]] Card card_from_json(const Json& json);

/// The values of a method's parameters: the card's defaults, changed by what the caller set.
class Params {
 public:
  Params() = default;
  /// Throws Error{wrong_use} on an unknown name, a value out of range or of the wrong type.
  Params(const Card& card, const std::map<std::string, std::string>& settings);

  [[nodiscard]] double number(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] bool is_set(std::string_view name) const noexcept;  ///< has a value that is not null
  [[nodiscard]] const Json& json() const noexcept { return values_; }

 private:
  const Json& value(std::string_view name) const;
  Json values_ = Json::object();
};

}  // namespace penta
