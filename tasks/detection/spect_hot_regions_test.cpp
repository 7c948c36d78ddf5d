#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "tasks/method.h"

namespace penta {

MethodPtr make_detection_spect_hot_regions();

namespace {

/// Two blocks of 4 x 4 x 4 voxels of 5 mm with 100 and 60 counts a voxel on a floor of 10, and one lone hot voxel.
Image blocks() {
  Volume<float> volume(Grid({30, 30, 20}, {5, 5, 5}, {-72.5, -72.5, 0}));
  std::fill(volume.voxels().begin(), volume.voxels().end(), 10.F);
  for (std::int64_t z = 0; z < 4; ++z)
    for (std::int64_t y = 0; y < 4; ++y)
      for (std::int64_t x = 0; x < 4; ++x) {
        volume.at(20 + x, 5 + y, 12 + z) = 100;
        volume.at(4 + x, 15 + y, 3 + z) = 60;
      }
  volume.at(28, 28, 18) = 90;
  Image image;
  VolumeSequence sequence;
  sequence.emplace_back(std::move(volume));
  image.pixels = std::move(sequence);
  image.unit = "{counts}";
  image.acquisition.modality = "SPECT";
  return image;
}

Answer run(const Image& image, const std::map<std::string, std::string>& settings) {
  const auto method = make_detection_spect_hot_regions();
  const Params params(method->card(), settings);
  Workspace workspace;
  Control control;
  const std::vector<Input> inputs{{"image", &image}};
  return method->run({inputs, {}, params, workspace, control});
}

const Measurement& measured(const Measurements& all, const std::string& region, const std::string& name) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const auto& m) { return m.region == region && m.name == name; });
  if (it == all.end()) throw Error(Code::internal, "no " + name + " of " + region);
  return *it;
}

TEST(SpectHotRegions, FindsTwoBlocksWithTheirCountsPhantom) {
  const Image image = blocks();
  const Answer answer = run(image, {{"fraction", "0.5"}});
  const auto& findings = std::get<Findings>(answer.artifacts.at(0).value);
  const auto& all = std::get<Measurements>(answer.artifacts.at(1).value);
  ASSERT_EQ(findings.size(), 2U);  // the lone voxel has 0.125 mL
  EXPECT_EQ(findings[0].label, "hot region 1");
  EXPECT_NEAR(findings[0].centre.x, -72.5 + 5 * 21.5, 1e-6);
  EXPECT_NEAR(findings[0].centre.y, -72.5 + 5 * 6.5, 1e-6);
  EXPECT_NEAR(findings[0].centre.z, 5 * 13.5, 1e-6);
  EXPECT_NEAR(findings[0].box[0], -72.5 + 5 * 19.5, 1e-6);
  EXPECT_NEAR(findings[0].box[3], -72.5 + 5 * 23.5, 1e-6);
  EXPECT_NEAR(findings[0].size, 20, 1e-6);
  EXPECT_NEAR(findings[1].score, 0.6, 1e-6);
  EXPECT_NEAR(measured(all, "hot region 1", "counts").value, 6400, 1e-3);
  EXPECT_NEAR(measured(all, "hot region 2", "counts").value, 3840, 1e-3);
  EXPECT_NEAR(measured(all, "hot region 2", "maximum").value, 60, 1e-5);
  EXPECT_NEAR(measured(all, "hot region 1", "volume").value, 8, 1e-6);
}

TEST(SpectHotRegions, ListsNoMoreThanAskedAndSaysSo) {
  const Image image = blocks();
  const Answer answer = run(image, {{"fraction", "0.5"}, {"most", "1"}});
  EXPECT_EQ(std::get<Findings>(answer.artifacts.at(0).value).size(), 1U);
  EXPECT_EQ(answer.remarks.at(0).code, "more_hot_regions");
}

TEST(SpectHotRegions, AnEmptyVolumeHasNone) {
  Image image = blocks();
  std::get<VolumeSequence>(image.pixels).at(0) = Volume<float>(Grid({4, 4, 4}, {5, 5, 5}));
  const Answer answer = run(image, {{"threshold", "deviations"}});
  EXPECT_TRUE(std::get<Findings>(answer.artifacts.at(0).value).empty());
  EXPECT_EQ(answer.remarks.at(0).code, "no_hot_region");
}

}  // namespace
}  // namespace penta
