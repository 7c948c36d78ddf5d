#include "tasks/methods.h"

#include <map>
#include <string>
#include <utility>

#include "tasks/network_method.h"

namespace penta {

// Made by the build from tasks/*/*.card.json.
const std::map<std::string, std::string>& built_in_cards_files();

// One line a method. Those that run networks take the models.
MethodPtr make_generation_us_simulate();
MethodPtr make_generation_spect_simulate();
MethodPtr make_generation_pet_simulate();
MethodPtr make_generation_ct_simulate();
MethodPtr make_analysis_pet_quantify();
MethodPtr make_detection_spect_hot_regions();
MethodPtr make_processing_pet_suv();
MethodPtr make_processing_spect_reconstruct();
MethodPtr make_recognition_any_header();
MethodPtr make_segmentation_ct_body();
MethodPtr make_segmentation_ct_tissue();
MethodPtr make_segmentation_pet_lesion();
MethodPtr make_segmentation_mr_hippocampus(const nn::ModelStore& models);
MethodPtr make_analysis_mr_volumetry();
MethodPtr make_analysis_us_fetal_biometry(const nn::ModelStore& models);

namespace {

std::vector<MethodPtr> own_methods(const nn::ModelStore& models) {
  std::vector<MethodPtr> list;
  list.push_back(make_recognition_any_header());
  list.push_back(make_processing_pet_suv());
  list.push_back(make_segmentation_ct_body());
  list.push_back(make_segmentation_ct_tissue());
  list.push_back(make_segmentation_pet_lesion());
  list.push_back(make_analysis_pet_quantify());
  list.push_back(make_processing_spect_reconstruct());
  list.push_back(make_detection_spect_hot_regions());
  list.push_back(make_segmentation_mr_hippocampus(models));
  list.push_back(make_analysis_mr_volumetry());
  list.push_back(make_analysis_us_fetal_biometry(models));
  list.push_back(make_generation_ct_simulate());
  list.push_back(make_generation_pet_simulate());
  list.push_back(make_generation_spect_simulate());
  list.push_back(make_generation_us_simulate());
  return list;
}

}  // namespace

std::vector<MethodPtr> all_methods(const nn::ModelStore& models) {
  std::vector<MethodPtr> list = own_methods(models);
  for (MethodPtr& method : make_network_methods(models)) list.push_back(std::move(method));
  std::map<std::string, std::string> keys;
  for (const MethodPtr& method : list) {
    const Card& card = method->card();
    const auto [it, is_new] = keys.emplace(card.key(), card.title);
    if (!is_new)
      throw Error(Code::internal, "two methods have the key '" + card.key() + "': '" + it->second + "' and '" + card.title + "'");
  }
  return list;
}

Card built_in_card(std::string_view key) {
  const std::string folder = "tasks/" + std::string(key.substr(0, key.find('/'))) + "/";
  for (const auto& [path, text] : built_in_cards_files()) {
    if (!path.starts_with(folder)) continue;
    Card card = card_from_json(Json::parse(text));
    if (card.key() == key) return card;
  }
  throw Error(Code::internal, "no card is built in for '" + std::string(key) + "'");
}

}  // namespace penta
