#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "tasks/method.h"

namespace penta {

MethodPtr make_processing_spect_reconstruct();

namespace {

/// A round blob on the axis, in row 1: every view of a gated acquisition is the same.
RawData gated() {
  Projections p;
  p.columns = 16, p.rows = 8, p.gates = 2;
  p.spacing_mm = {6, 6};
  for (int v = 0; v < 12; ++v) p.angle_deg.push_back(225 - 15.0 * v);
  for (int g = 0; g < 2; ++g) {
    std::vector<float> layer(16 * 8 * 12, 0.F);
    for (std::size_t v = 0; v < 12; ++v)
      for (std::size_t c = 0; c < 16; ++c)
        layer[c + 16 * (1 + 8 * v)] = static_cast<float>(50 * (g + 1) * std::exp(-0.5 * std::pow((static_cast<double>(c) - 7.5) / 1.8, 2)));
    p.layers.push_back(std::move(layer));
  }
  RawData raw{std::move(p), {}, {}, "hash"};
  raw.acquisition.modality = "SPECT";
  raw.acquisition.facts = SpectFacts{};
  return raw;
}

Answer run(const RawData& raw, const std::map<std::string, std::string>& settings) {
  const auto method = make_processing_spect_reconstruct();
  const Params params(method->card(), settings);
  Workspace workspace;
  Control control;
  const std::vector<Input> inputs{{"projections", &raw}};
  return method->run({inputs, {}, params, workspace, control});
}

TEST(SpectReconstruct, SumsTheGatesInCountsPhantom) {
  const RawData raw = gated();
  const Answer answer = run(raw, {{"fwhm_mm", "0"}});
  const Image& image = std::get<Image>(answer.artifacts.at(0).value);
  EXPECT_EQ(image.unit, "{counts}");
  const auto& volume = std::get<Volume<float>>(image.volume());
  double sum = 0;
  for (const float value : volume.voxels()) sum += static_cast<double>(value);
  const double measured = 12 * 150 * 1.8 * std::sqrt(2 * std::numbers::pi);
  EXPECT_NEAR(sum, measured, measured * 0.005);
  const auto at = std::max_element(volume.voxels().begin(), volume.voxels().end()) - volume.voxels().begin();
  EXPECT_EQ(at / 256, 8 - 1 - 1);  // row 1 from the head is slice 6 from the feet
  EXPECT_TRUE(std::any_of(answer.remarks.begin(), answer.remarks.end(),
                          [](const Remark& r) { return r.code == "axial_place_assumed"; }));
}

TEST(SpectReconstruct, GivesOneVolumeAGate) {
  const RawData raw = gated();
  const Answer answer = run(raw, {{"gates", "each"}});
  const Image& image = std::get<Image>(answer.artifacts.at(0).value);
  EXPECT_EQ(std::get<VolumeSequence>(image.pixels).size(), 2U);
  EXPECT_EQ(image.axis, SequenceAxis::gate);
}

TEST(SpectReconstruct, RefusesOtherRawDataAndAModelWithoutRadius) {
  RawData raw = gated();
  EXPECT_THROW(static_cast<void>(run(raw, {{"collimator_slope", "0.02"}})), Error);
  raw.value = KSpace{};
  EXPECT_THROW(static_cast<void>(run(raw, {})), Error);
}

}  // namespace
}  // namespace penta
