#include "engine/models.h"

#include <filesystem>
#include <string_view>

#include "core/error.h"
#include "engine/models_parity.h"
#include "io/formats.h"
#include "nn/bundle.h"

namespace penta::engine {

namespace {

/// The bundle's networks in float32, in which parity samples are taken.
int run_samples(const nn::ModelStore& models, const nn::Bundle& bundle) {
  const std::filesystem::path file = bundle.folder / "parity.json";
  std::error_code fault;
  if (!std::filesystem::exists(file, fault) || bundle.network.backbone) {
    (void)models.networks(bundle);
    return 0;
  }
  const std::vector<std::byte> bytes = io::read_file(file, 4U << 20U);
  const Json parity = Json::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  nn::NetworkSpec plain = bundle.network;
  plain.precision = nn::Precision::f32;
  nn::Bundle exact{bundle.id, bundle.card, plain, bundle.folder, {}};
  const std::vector<const nn::Network*> networks = models.networks(exact);
  const Json* others = parity.find("folds");
  for (std::size_t i = 0; i < networks.size(); ++i) {
    if (i > 0 && (others == nullptr || others->items().size() < i)) return static_cast<int>(i);
    check_parity(*networks[i], i == 0 ? parity : others->items()[i - 1], "'" + bundle.id + "' (" + bundle.network.files[i] + ")");
  }
  return static_cast<int>(networks.size());
}

}  // namespace

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

int check_model(const std::string& id) {
  const nn::ModelStore models = nn::usual_models();
  const nn::Bundle& bundle = models.need(id);
  try {
    return run_samples(models, bundle);
  } catch (const Error& fault) {
    if (fault.code() == Code::model_missing) throw;
    throw Error(Code::model_missing, "checking '" + id + "': " + fault.what());
  }
}

}  // namespace penta::engine
