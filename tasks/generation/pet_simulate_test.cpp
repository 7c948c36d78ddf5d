#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "modality/pet/suv.h"
#include "recon/phantom/voxelise.h"
#include "recon/simulate/pet.h"
#include "tasks/method.h"

namespace penta {

MethodPtr make_generation_pet_simulate();

namespace {

Answer run(std::uint64_t seed, const std::map<std::string, std::string>& settings) {
  const auto method = make_generation_pet_simulate();
  const Params params(method->card(), settings);
  Workspace workspace;
  Control control;
  control.seed = seed;
  return method->run({{}, {}, params, workspace, control});
}

TEST(PetSimulate, ItsHeaderGivesTheSuvOfTheDrawingPhantom) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Answer answer = run(seed, {});
    const Image& image = std::get<Image>(answer.artifacts.at(0).value);
    const auto& labels = std::get<LabelMap>(answer.artifacts.at(1).value);
    std::vector<Remark> remarks;
    const Image suv = pet::suv_image(image, pet::SuvType::bw, false, remarks);
    const Volume<float> volume = to_float(suv.volume());
    const auto median = [&](std::string_view name) {
      std::vector<float> values;
      const int value = labels.find(name)->value;
      for (std::size_t i = 0; i < volume.voxels().size(); ++i)
        if (labels.layers[0].voxels()[i] == value) values.push_back(volume.voxels()[i]);
      std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
      return values[values.size() / 2];
    };
    EXPECT_NEAR(median("liver"), 2.3, 0.2);
    EXPECT_NEAR(median("muscle"), 0.75, 0.15);
    EXPECT_NEAR(median("heart chambers"), 1.7, 0.3);
    EXPECT_GT(median("lesion"), 3);
  }
}

TEST(PetSimulate, KeepsTheDrawnActivityPhantom) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 10U}) {
    const recon::PetProtocol protocol;
    const recon::Patient patient = recon::digital_patient(seed, 3);
    recon::TissueValues suv{};
    for (std::size_t k = 0; k < recon::tissue_count; ++k) suv[k] = recon::row_of(static_cast<recon::Tissue>(k)).suv;
    const Volume<float> drawn = recon::voxelise(patient, recon::pet_grid(protocol), suv, 0, 1);
    const Volume<float> image = recon::simulate_pet(patient, protocol);
    const double bq_per_ml = recon::pet_dose_bq(patient, protocol) * std::exp2(-3600 / recon::f18_half_life_s) / patient.weight_kg / 1000;
    double had = 0, has = 0;
    for (const float value : drawn.voxels()) had += static_cast<double>(value) * bq_per_ml;
    for (const float value : image.voxels()) has += static_cast<double>(value);
    EXPECT_NEAR(has / had, 1, 0.01) << "seed " << seed;
    RecordProperty("error_percent_seed_" + std::to_string(seed), std::to_string(100 * (has / had - 1)));
  }
}

TEST(PetSimulate, NoiseFallsWithTheRootOfTheTime) {
  const auto spread = [](const Answer& answer) {
    const auto& volume = std::get<Volume<float>>(std::get<Image>(answer.artifacts.at(0).value).volume());
    const auto& labels = std::get<LabelMap>(answer.artifacts.at(1).value);
    const int liver = labels.find("liver")->value;
    double sum = 0, square = 0, count = 0;
    for (std::size_t i = 8; i + 8 < volume.voxels().size(); ++i) {
      bool inside = true;
      for (std::size_t k = i - 8; k <= i + 8; ++k) inside = inside && labels.layers[0].voxels()[k] == liver;
      if (!inside) continue;
      const auto value = static_cast<double>(volume.voxels()[i]);
      sum += value, square += value * value, ++count;
    }
    return std::sqrt(square / count - sum * sum / count / count) / (sum / count);
  };
  const double usual = spread(run(1, {{"lesions", "0"}})), quarter = spread(run(1, {{"lesions", "0"}, {"bed_s", "37.5"}}));
  EXPECT_GT(usual, 0.07);
  EXPECT_LT(usual, 0.14);
  EXPECT_NEAR(quarter / usual, 2, 0.3);
}

TEST(PetSimulate, TheSameSeedGivesTheSameVoxelsForAnyNumberOfThreads) {
  const Answer many = run(4, {{"slices", "12"}});
  const ThreadLimit limit(1);
  const Answer one = run(4, {{"slices", "12"}});
  const Image& image = std::get<Image>(one.artifacts.at(0).value);
  EXPECT_EQ(std::get<Image>(many.artifacts.at(0).value).sha256, image.sha256);
  EXPECT_TRUE(image.acquisition.synthetic);
}

}  // namespace
}  // namespace penta
