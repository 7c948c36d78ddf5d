#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/method.h"

namespace penta::nn {
class ModelStore;
}

namespace penta::engine {

/// Every method there is, with look-ups. Owns the models that they use.
class Methods {
 public:
  Methods(std::shared_ptr<const nn::ModelStore> models, std::vector<MethodPtr> list)
      : models_(std::move(models)), list_(std::move(list)) {}

  [[nodiscard]] const std::vector<MethodPtr>& all() const noexcept { return list_; }
  /// Throws Error{model_missing} with the ids that the task has, or with what is wrong with the model of that id.
  [[nodiscard]] const Method& at(Task task, std::string_view id) const;
  /// Whether some method has an input of this role.
  [[nodiscard]] bool has_role(std::string_view role) const;
  /// The methods that a `from` names: "task/id", a bare id that only one task has, or "SCHEME:value" of an output;
  /// highest priority first.
  [[nodiscard]] std::vector<const Method*> suppliers(std::string_view from) const;
  /// "; SPECT would fit spect.hot_regions, ...": the task's methods with a role for a modality. Empty where there is none.
  [[nodiscard]] std::string would_fit(Task task, const std::string& modality) const;
  /// Name of the folder of a method's files: its id, with the task before it where several tasks have that id.
  [[nodiscard]] std::string folder_of(const Card& card) const;
  [[nodiscard]] const nn::ModelStore& models() const noexcept { return *models_; }

 private:
  std::shared_ptr<const nn::ModelStore> models_;
  std::vector<MethodPtr> list_;
};

/// Ours, and one for each model bundle that was found.
[[nodiscard]] Methods load_methods();

}  // namespace penta::engine
