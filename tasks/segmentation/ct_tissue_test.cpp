#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_segmentation_ct_tissue();

namespace {

const Grid& grid() {
  static const Grid value({80, 60, 40}, {3, 3, 3});
  return value;
}

int truth_at(std::int64_t x, std::int64_t y, std::int64_t z) {
  const double px = 3.0 * double(x) - 118.5, py = 3.0 * double(y) - 88.5, pz = 3.0 * double(z) - 58.5;
  if (std::hypot(px / 110, py / 80) > 1) return 0;
  if (std::hypot(px / 95, py / 68) > 1) return 3;
  if (std::hypot(std::hypot(px - 45, py), pz) <= 32 || std::hypot(std::hypot(px + 45, py), pz) <= 32) return 2;
  if (std::hypot(px, py - 40) <= 14) return 5;
  if (std::hypot(std::hypot(px, py + 40), pz) <= 14) return 1;
  return 4;
}

Image trunk(double noise_hu) {
  constexpr double hu_of[] = {-1000, -1000, -850, -100, 40, 500};
  Volume<float> hu(grid());
  Random random(1);
  for (std::int64_t z = 0; z < 40; ++z)
    for (std::int64_t y = 0; y < 60; ++y)
      for (std::int64_t x = 0; x < 80; ++x) hu.at(x, y, z) = static_cast<float>(hu_of[truth_at(x, y, z)] + noise_hu * random.normal());
  VolumeSequence sequence;
  sequence.emplace_back(std::move(hu));
  Image image;
  image.pixels = std::move(sequence);
  image.unit = "[hnsf'U]";
  return image;
}

LabelMap body() {
  LabelMap labels;
  labels.layers.emplace_back(grid());
  labels.segments.push_back({1, 0, "body", {}, {}, Side::none, {}});
  for (std::int64_t z = 0; z < 40; ++z)
    for (std::int64_t y = 0; y < 60; ++y)
      for (std::int64_t x = 0; x < 80; ++x) labels.layers[0].at(x, y, z) = truth_at(x, y, z) != 0;
  return labels;
}

TEST(CtTissue, PhantomOverlapOfEveryTissueAtTwoNoises) {
  for (const double noise : {0.0, 20.0}) {
    const Image image = trunk(noise);
    const LabelMap inside = body();
    const auto method = make_segmentation_ct_tissue();
    const Input inputs[] = {{"image", &image}, {"body", &inside}};
    const Params params(method->card(), {});
    Workspace workspace;
    Control control;
    const Answer answer = method->run({inputs, {}, params, workspace, control});
    const auto& labels = std::get<LabelMap>(answer.artifacts.at(0).value);
    std::array<double, 6> both{}, sum{};
    for (std::int64_t z = 0; z < 40; ++z)
      for (std::int64_t y = 0; y < 60; ++y)
        for (std::int64_t x = 0; x < 80; ++x) {
          const auto t = static_cast<std::size_t>(truth_at(x, y, z)), l = static_cast<std::size_t>(labels.layers[0].at(x, y, z));
          ++sum[t];
          ++sum[l];
          both[t] += t == l ? 1 : 0;
        }
    for (std::size_t k = 1; k < 6; ++k) EXPECT_GT(2 * both[k] / sum[k], 0.97) << k << " noise " << noise;
    const auto& volumes = std::get<Measurements>(answer.artifacts.at(1).value);
    ASSERT_EQ(volumes.size(), 5U);
    EXPECT_EQ(volumes[1].region, "lung");
    EXPECT_NEAR(volumes[1].value, 2 * 137.3, 8);
  }
}

TEST(CtTissue, NeedsTheBody) {
  const Image image = trunk(0);
  const auto method = make_segmentation_ct_tissue();
  const Input inputs[] = {{"image", &image}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  EXPECT_THROW((void)method->run({inputs, {}, params, workspace, control}), Error);
}

TEST(CtTissue, NonFiniteVoxelsAreNoSoftTissueAndAreSaid) {
  Image image = trunk(0);
  auto& hu = std::get<Volume<float>>(std::get<VolumeSequence>(image.pixels).at(0));
  ASSERT_EQ(truth_at(40, 15, 5), 4);
  hu.at(40, 15, 5) = std::numeric_limits<float>::quiet_NaN();
  hu.at(40, 15, 6) = std::numeric_limits<float>::infinity();
  const LabelMap inside = body();
  const auto method = make_segmentation_ct_tissue();
  const Input inputs[] = {{"image", &image}, {"body", &inside}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  const Answer answer = method->run({inputs, {}, params, workspace, control});
  const auto& layer = std::get<LabelMap>(answer.artifacts.at(0).value).layers.at(0);
  EXPECT_EQ(layer.at(40, 15, 5), 1);  // as the air, the smallest value
  EXPECT_EQ(layer.at(40, 15, 6), 1);
  ASSERT_EQ(answer.remarks.at(0).code, "non_finite_voxels");
  for (const Measurement& m : std::get<Measurements>(answer.artifacts.at(1).value)) EXPECT_TRUE(std::isfinite(m.value)) << m.region;
}

}  // namespace
}  // namespace penta
