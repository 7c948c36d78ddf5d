#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"
#include "image/resample/reorient.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_segmentation_ct_lungs();

namespace {

const Grid& lps() {
  static const Grid value({100, 72, 48}, {3, 3, 4}, {-148.5, -106.5, -94});
  return value;
}

double ball(const PatientPoint& p, double x, double y, double z, double rx, double ry, double rz) {
  return std::hypot(std::hypot((p.x - x) / rx, (p.y - y) / ry), (p.z - z) / rz);
}

// A drawn chest: 1 right lung, 2 left lung, which touch in front; 3 windpipe, 4 spine, 5 the rest; vessels and a nodule
// on the wall are lung.
int truth_at(const PatientPoint& p, bool with_lungs) {
  if (std::hypot(p.x / 140, p.y / 100) > 1) return 0;
  if (std::hypot(p.x, p.y - 60) <= 16) return 4;
  if (!with_lungs) return 5;
  if (std::hypot(p.x, p.y - 18) <= 9 && p.z > 0) return 3;
  if (std::hypot(p.x, p.y - 18) <= 12 && p.z > 0) return 5;
  const double right = ball(p, -60, -2, 0, 58.5, 75, 85), left = ball(p, 60, -2, 0, 58.5, 75, 85);
  const bool bridge = std::abs(p.x) <= 6 && std::abs(p.y + 20) <= 5 && std::abs(p.z) <= 14;
  if (right <= 1 || (bridge && p.x <= 0)) return 1;
  if (left <= 1 || bridge) return 2;
  return 5;
}

double hu_at(const PatientPoint& p, int truth) {
  constexpr double hu_of[] = {-1000, -860, -860, -1000, 350, 40};
  const bool vessel = std::hypot(p.x + 60, p.y - 10) <= 3 || std::hypot(p.x - 60, p.z) <= 3;
  const bool nodule = std::hypot(std::hypot(p.x + 60, p.y - 72), p.z) <= 6;  // on the wall behind the right lung
  return (truth == 1 || truth == 2) && (vessel || nodule) ? 40 : hu_of[truth];
}

Image chest(bool with_lungs) {
  Volume<float> hu(lps());
  Random random(3);
  for (std::int64_t z = 0; z < 48; ++z)
    for (std::int64_t y = 0; y < 72; ++y)
      for (std::int64_t x = 0; x < 100; ++x) {
        const PatientPoint p = lps().to_patient({double(x), double(y), double(z)});
        hu.at(x, y, z) = static_cast<float>(hu_at(p, truth_at(p, with_lungs)) + 15 * random.normal());
      }
  VolumeSequence sequence;
  sequence.emplace_back(std::move(hu));
  Image image;
  image.pixels = std::move(sequence);
  image.unit = "[hnsf'U]";
  return image;
}

LabelMap everywhere(const Grid& grid) {
  LabelMap labels;
  labels.layers.emplace_back(grid);
  labels.segments.push_back({1, 0, "body", {}, {}, Side::none, {}});
  const Size3& size = grid.size();
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x)
        labels.layers[0].at(x, y, z) = truth_at(grid.to_patient({double(x), double(y), double(z)}), true) != 0;
  return labels;
}

Answer found(const Image& image) {
  const LabelMap body = everywhere(grid_of(image.volume()));
  const auto method = make_segmentation_ct_lungs();
  const Input inputs[] = {{"image", &image}, {"body", &body}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

TEST(CtLungs, PhantomSidesTouchingLungsWindpipeVesselsAndWallNodule) {
  const Answer answer = found(chest(true));
  const auto& labels = std::get<LabelMap>(answer.artifacts.at(0).value);
  std::array<double, 3> both{}, sum{};
  double windpipe = 0, windpipe_taken = 0;
  for (std::int64_t z = 0; z < 48; ++z)
    for (std::int64_t y = 0; y < 72; ++y)
      for (std::int64_t x = 0; x < 100; ++x) {
        const int t = truth_at(lps().to_patient({double(x), double(y), double(z)}), true),
                  l = labels.layers[0].at(x, y, z);
        for (int side : {1, 2}) {
          both[static_cast<std::size_t>(side)] += t == side && l == side ? 1 : 0;
          sum[static_cast<std::size_t>(side)] += (t == side ? 1 : 0) + (l == side ? 1 : 0);
        }
        windpipe += t == 3 ? 1 : 0;
        windpipe_taken += t == 3 && l != 0 ? 1 : 0;
      }
  EXPECT_GT(2 * both[1] / sum[1], 0.98);
  EXPECT_GT(2 * both[2] / sum[2], 0.98);
  EXPECT_LT(windpipe_taken, 0.02 * windpipe);
  EXPECT_TRUE(answer.remarks.empty());
  ASSERT_EQ(labels.segments.size(), 2U);
  EXPECT_EQ(labels.segments[0].side, Side::right);
  EXPECT_EQ(labels.segments[1].type.value, "39607008");
  EXPECT_NEAR(std::get<Measurements>(answer.artifacts.at(1).value).at(0).value,
              4.0 / 3 * 3.14159 * 58.5 * 75 * 85 / 1000, 50);
}

// inverse: the same chest stored with other axes gives the same voxels
TEST(CtLungs, DoesNotDependOnTheOrderOfAxes) {
  Image plain = chest(true);
  const Volume<float>& hu = std::get<Volume<float>>(plain.volume());
  Image turned;
  VolumeSequence sequence;
  sequence.emplace_back(reoriented(hu.view(), "SRA"));
  turned.pixels = std::move(sequence);
  const Answer a = found(plain), b = found(turned);
  const auto back = reoriented(std::get<LabelMap>(b.artifacts.at(0).value).layers[0].view(), "LPS");
  const auto& front = std::get<LabelMap>(a.artifacts.at(0).value).layers[0];
  EXPECT_TRUE(std::equal(front.voxels().begin(), front.voxels().end(), back.voxels().begin()));
}

TEST(CtLungs, WithoutLungsItIsEmptyAndSaid) {
  const Answer answer = found(chest(false));
  const auto& labels = std::get<LabelMap>(answer.artifacts.at(0).value);
  EXPECT_TRUE(
      std::all_of(labels.layers[0].voxels().begin(), labels.layers[0].voxels().end(), [](auto v) { return v == 0; }));
  EXPECT_TRUE(labels.segments.empty());
  ASSERT_EQ(answer.remarks.size(), 1U);
  EXPECT_EQ(answer.remarks[0].code, "no_lungs");
}

TEST(CtLungs, OtherUnitsAreRefused) {
  Image image = chest(false);
  image.unit = "Bq/mL";
  EXPECT_THROW((void)found(image), Error);
}

}  // namespace
}  // namespace penta
