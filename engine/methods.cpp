#include "engine/methods.h"

#include <algorithm>

#include "core/error.h"
#include "engine/gate.h"
#include "nn/bundle.h"
#include "tasks/methods.h"

namespace penta::engine {

const Method& Methods::at(Task task, std::string_view id) const {
  for (const MethodPtr& method : list_)
    if (method->card().task == task && method->card().id == id) return *method;
  if (const nn::Bundle* bundle = models_->find(id); bundle != nullptr && !bundle->fault.empty())
    throw Error(Code::model_missing, "the model '" + std::string(id) + "' cannot be used: " + bundle->fault);
  std::string there;
  for (const MethodPtr& method : list_)
    if (method->card().task == task) there += (there.empty() ? "" : ", ") + method->card().id;
  throw Error(Code::model_missing, "there is no " + std::string(name_of(task)) + " method '" + std::string(id) +
                                       "'; there are: " + (there.empty() ? "none" : there));
}

bool Methods::has_role(std::string_view role) const {
  return std::any_of(list_.begin(), list_.end(), [&](const MethodPtr& method) { return method->card().input(role) != nullptr; });
}

std::vector<const Method*> Methods::suppliers(std::string_view from) const {
  std::vector<const Method*> found;
  for (const MethodPtr& method : list_) {
    const Card& card = method->card();
    const bool by_code = std::any_of(card.outputs.begin(), card.outputs.end(), [&](const OutputRole& output) {
      const CodedConcept& code = output.concept_code;
      return !code.empty() && from == code.scheme + ":" + code.value;
    });
    if (by_code || from == card.key() || from == card.id) found.push_back(method.get());
  }
  // Highest priority first; check_cards refuses equal ones for one concept.
  std::stable_sort(found.begin(), found.end(),
                   [](const Method* a, const Method* b) { return a->card().priority > b->card().priority; });
  return found;
}

std::string Methods::would_fit(Task task, const std::string& modality) const {
  std::string list;
  for (const MethodPtr& method : list_) {
    const Card& card = method->card();
    const bool takes = card.task == task && std::any_of(card.inputs.begin(), card.inputs.end(), [&](const InputRole& role) {
      return takes_modality(card, role, modality);
    });
    if (takes) list += (list.empty() ? "; " + modality + " would fit " : ", ") + card.id;
  }
  return list;
}

std::string Methods::folder_of(const Card& card) const {
  const auto same = std::count_if(list_.begin(), list_.end(), [&](const MethodPtr& m) { return m->card().id == card.id; });
  return same > 1 ? std::string(name_of(card.task)) + "." + card.id : card.id;
}

Methods load_methods() {
  auto models = std::make_shared<const nn::ModelStore>(nn::usual_models());
  std::vector<MethodPtr> list = all_methods(*models);
  return {std::move(models), std::move(list)};
}

}  // namespace penta::engine
