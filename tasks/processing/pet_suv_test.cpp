#include <gtest/gtest.h>

#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_processing_pet_suv();

namespace {

Image scan() {
  Volume<float> volume(Grid({2, 1, 1}, {4, 4, 4}));
  volume.at(1, 0, 0) = 32564.4F;
  VolumeSequence sequence;
  sequence.emplace_back(std::move(volume));
  Image image;
  image.pixels = std::move(sequence);
  image.unit = "Bq/mL";
  image.acquisition.modality = "PET";
  image.acquisition.patient.weight_kg = {71.0, "(0010,1030)"};
  PetFacts pet;
  pet.units = {"BQML", "(0054,1001)"};
  pet.decay_correction = {"START", "(0054,1102)"};
  pet.injected_dose_bq = {3.88777472e8, "(0018,1074)"};
  pet.half_life_s = {6588.0, "(0018,1075)"};
  pet.injection_time_s = {0.0, "(0018,1072)"};
  pet.series_time_s = pet.acquisition_time_s = {2711.0, "(0008,0031)"};
  image.acquisition.facts = pet;
  return image;
}

Answer run(const Image& image, const std::map<std::string, std::string>& settings) {
  const auto method = make_processing_pet_suv();
  const Input inputs[] = {{"image", &image}};
  const Params params(method->card(), settings);
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

// Published: SOURCE.md of data/pet/sts-raw-dicom.
TEST(PetSuv, PublishedFactor) {
  const Answer answer = run(scan(), {});
  ASSERT_EQ(answer.artifacts.size(), 1U);
  const auto& suv = std::get<Image>(answer.artifacts[0].value);
  EXPECT_EQ(suv.unit, "g/mL");
  EXPECT_NEAR(std::get<Volume<float>>(suv.volume()).at(1, 0, 0), 7.91, 1e-4);
}

TEST(PetSuv, SettingsReplaceFactsAndAreSaid) {
  const Answer answer = run(scan(), {{"weight_kg", "142"}});
  EXPECT_NEAR(std::get<Volume<float>>(std::get<Image>(answer.artifacts[0].value).volume()).at(1, 0, 0), 15.82, 1e-3);
  EXPECT_EQ(answer.remarks.at(0).code, "fact_replaced");
}

TEST(PetSuv, MissingWeightIsRefusedByName) {
  Image image = scan();
  image.acquisition.patient.weight_kg = {};
  try {
    (void)run(image, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("patient weight (0010,1030) is missing"), std::string::npos);
  }
}

}  // namespace
}  // namespace penta
