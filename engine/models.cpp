#include "engine/models.h"

#include "nn/bundle.h"

namespace penta::engine {

std::vector<ModelRow> list_models() {
  std::vector<ModelRow> rows;
  const nn::ModelStore models = nn::usual_models();
  for (const nn::Bundle& bundle : models.bundles()) rows.push_back({bundle.id, bundle.card.title, bundle.fault});
  return rows;
}

std::string model_card(const std::string& id) {
  const nn::ModelStore models = nn::usual_models();
  return models.need(id).card.whole.dump();
}

void check_model(const std::string& id) {
  const nn::ModelStore models = nn::usual_models();
  (void)models.network(models.need(id));
}

}  // namespace penta::engine
