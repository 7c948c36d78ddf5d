#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

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

// Twin: the answer with NaN and infinities on the floor is that without them, for both thresholds.
TEST(SpectHotRegions, NonFiniteVoxelsChangeNothingAndAreSaidTwin) {
  for (const auto* threshold : {"maximum", "deviations"}) {
    const std::map<std::string, std::string> settings{{"threshold", threshold}};
    const Image plain = blocks();
    Image holed = blocks();
    auto& volume = std::get<Volume<float>>(std::get<VolumeSequence>(holed.pixels).at(0));
    volume.at(0, 0, 0) = std::numeric_limits<float>::quiet_NaN();
    volume.at(29, 0, 0) = std::numeric_limits<float>::infinity();
    volume.at(0, 29, 0) = -std::numeric_limits<float>::infinity();
    const Answer a = run(plain, settings), b = run(holed, settings);
    const auto &in_a = std::get<Measurements>(a.artifacts.at(1).value), &in_b = std::get<Measurements>(b.artifacts.at(1).value);
    ASSERT_FALSE(in_a.empty());
    ASSERT_EQ(in_a.size(), in_b.size()) << threshold;
    for (std::size_t i = 0; i < in_a.size(); ++i) EXPECT_DOUBLE_EQ(in_a[i].value, in_b[i].value) << threshold << i;
    EXPECT_TRUE(a.remarks.empty());
    ASSERT_EQ(b.remarks.size(), 1U);
    EXPECT_EQ(b.remarks[0].code, "non_finite_voxels");
    EXPECT_EQ(b.remarks[0].text.substr(0, 8), "3 voxels");
  }
}

TEST(SpectHotRegions, SaysThatOnlySmallRegionsLieAbove) {
  const Answer answer = run(blocks(), {{"fraction", "0.5"}, {"minimum_ml", "50"}});
  ASSERT_EQ(answer.remarks.size(), 1U);
  EXPECT_EQ(answer.remarks[0].code, "no_hot_region");
  EXPECT_EQ(answer.remarks[0].text, "only regions below minimum_ml (50 mL) lie above the threshold: 3");
}

TEST(SpectHotRegions, NothingFiniteIsRefused) {
  Image image = blocks();
  auto& volume = std::get<Volume<float>>(std::get<VolumeSequence>(image.pixels).at(0));
  for (float& v : volume.voxels()) v = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW((void)run(image, {}), Error);
}

}  // namespace
}  // namespace penta
