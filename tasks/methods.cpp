#include "tasks/methods.h"

#include <map>
#include <string>
#include <utility>

#include "tasks/network_method.h"

namespace penta {

// Made by the build from tasks/*/*.card.json.
const std::map<std::string, std::string>& built_in_cards_files();

// One line a method: its factory is declared where it is called, and lives in the method's own file.
// clang-format off
static std::vector<MethodPtr> own_methods(const nn::ModelStore& models) {
  std::vector<MethodPtr> list;
  { extern MethodPtr make_recognition_any_header(); list.push_back(make_recognition_any_header()); }
  { extern MethodPtr make_recognition_any_modality(const nn::ModelStore&); list.push_back(make_recognition_any_modality(models)); }
  { extern MethodPtr make_recognition_ct_region(const nn::ModelStore&); list.push_back(make_recognition_ct_region(models)); }
  { extern MethodPtr make_recognition_mr_sequence(const nn::ModelStore&); list.push_back(make_recognition_mr_sequence(models)); }
  { extern MethodPtr make_recognition_us_view(const nn::ModelStore&); list.push_back(make_recognition_us_view(models)); }
  { extern MethodPtr make_recognition_pet_study(); list.push_back(make_recognition_pet_study()); }
  { extern MethodPtr make_recognition_spect_study(); list.push_back(make_recognition_spect_study()); }
  { extern MethodPtr make_classification_spect_perfusion(); list.push_back(make_classification_spect_perfusion()); }
  { extern MethodPtr make_detection_pet_hot_spots(); list.push_back(make_detection_pet_hot_spots()); }
  { extern MethodPtr make_processing_pet_suv(); list.push_back(make_processing_pet_suv()); }
  { extern MethodPtr make_segmentation_ct_body(); list.push_back(make_segmentation_ct_body()); }
  { extern MethodPtr make_segmentation_ct_tissue(); list.push_back(make_segmentation_ct_tissue()); }
  { extern MethodPtr make_segmentation_ct_lungs(); list.push_back(make_segmentation_ct_lungs()); }
  { extern MethodPtr make_classification_ct_adrenal_mass(const nn::ModelStore&); list.push_back(make_classification_ct_adrenal_mass(models)); }
  { extern MethodPtr make_detection_ct_nodule(const nn::ModelStore&); list.push_back(make_detection_ct_nodule(models)); }
  { extern MethodPtr make_segmentation_pet_lesion(const nn::ModelStore&); list.push_back(make_segmentation_pet_lesion(models)); }
  { extern MethodPtr make_analysis_pet_quantify(); list.push_back(make_analysis_pet_quantify()); }
  { extern MethodPtr make_processing_spect_reconstruct(); list.push_back(make_processing_spect_reconstruct()); }
  { extern MethodPtr make_detection_spect_hot_regions(); list.push_back(make_detection_spect_hot_regions()); }
  { extern MethodPtr make_segmentation_mr_brain_mask(const nn::ModelStore&); list.push_back(make_segmentation_mr_brain_mask(models)); }
  { extern MethodPtr make_segmentation_mr_brain_tissue(const nn::ModelStore&); list.push_back(make_segmentation_mr_brain_tissue(models)); }
  { extern MethodPtr make_segmentation_mr_brain_structures(const nn::ModelStore&); list.push_back(make_segmentation_mr_brain_structures(models)); }
  { extern MethodPtr make_segmentation_mr_white_matter_lesion(const nn::ModelStore&); list.push_back(make_segmentation_mr_white_matter_lesion(models)); }
  { extern MethodPtr make_detection_mr_white_matter_lesion(); list.push_back(make_detection_mr_white_matter_lesion()); }
  { extern MethodPtr make_segmentation_mr_hippocampus(const nn::ModelStore&); list.push_back(make_segmentation_mr_hippocampus(models)); }
  { extern MethodPtr make_classification_ct_head_bleed(const nn::ModelStore&); list.push_back(make_classification_ct_head_bleed(models)); }
  { extern MethodPtr make_analysis_mr_volumetry(); list.push_back(make_analysis_mr_volumetry()); }
  { extern MethodPtr make_analysis_us_fetal_biometry(const nn::ModelStore&); list.push_back(make_analysis_us_fetal_biometry(models)); }
  { extern MethodPtr make_detection_us_breast_lesion(const nn::ModelStore&); list.push_back(make_detection_us_breast_lesion(models)); }
  { extern MethodPtr make_detection_us_nerve_vessel(const nn::ModelStore&); list.push_back(make_detection_us_nerve_vessel(models)); }
  { extern MethodPtr make_generation_ct_simulate(); list.push_back(make_generation_ct_simulate()); }
  { extern MethodPtr make_generation_pet_simulate(); list.push_back(make_generation_pet_simulate()); }
  { extern MethodPtr make_generation_spect_simulate(); list.push_back(make_generation_spect_simulate()); }
  { extern MethodPtr make_generation_us_simulate(); list.push_back(make_generation_us_simulate()); }
  return list;
}
// clang-format on

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
