#pragma once

#include <string_view>
#include <vector>

#include "tasks/method.h"

namespace penta::engine {

/// Every method there is, with look-ups.
class Methods {
 public:
  explicit Methods(std::vector<MethodPtr> list) : list_(std::move(list)) {}

  [[nodiscard]] const std::vector<MethodPtr>& all() const noexcept { return list_; }
  /// Throws Error{model_missing} with the ids of the task that come nearest.
  [[nodiscard]] const Method& at(Task task, std::string_view id) const;
  /// The methods that a `from` names: "task/id", a bare id that only one task has, or "SCHEME:value" of an output.
  [[nodiscard]] std::vector<const Method*> suppliers(std::string_view from) const;

 private:
  std::vector<MethodPtr> list_;
};

/// Ours, and one for each model bundle that was found.
[[nodiscard]] Methods load_methods();

}  // namespace penta::engine
