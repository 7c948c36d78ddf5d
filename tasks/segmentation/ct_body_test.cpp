#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_segmentation_ct_body();

namespace {

constexpr double semi_x = 100, semi_y = 70;

// An elliptic trunk with two lungs that are open at the top, one arm beside it, on a hollow table with a blanket.
Image trunk() {
  const Grid grid({100, 90, 30}, {3, 3, 4});
  Volume<float> hu(grid);
  for (std::int64_t z = 0; z < 30; ++z)
    for (std::int64_t y = 0; y < 90; ++y)
      for (std::int64_t x = 0; x < 100; ++x) {
        const double px = 3.0 * double(x) - 150, py = 3.0 * double(y) - 110;
        float value = -1000;
        if (py > 68 && py < 72 && std::abs(px) < 130) value = 0;                         // table top, touches the back
        if (py > 100 && py < 104 && std::abs(px) < 130) value = 0;                       // table bottom
        if (px * px / (104 * 104) + py * py / (74 * 74) <= 1 && py < -40) value = -700;  // blanket
        if (px * px / (semi_x * semi_x) + py * py / (semi_y * semi_y) <= 1) value = 40;
        if (std::hypot((std::abs(px) - 45) / 30, py / 40) <= 1) value = -850;
        if (std::hypot(px - 130, py + 10) <= 16) value = 30;
        hu.at(x, y, z) = value;
      }
  VolumeSequence sequence;
  sequence.emplace_back(std::move(hu));
  Image image;
  image.pixels = std::move(sequence);
  image.unit = "[hnsf'U]";
  return image;
}

Answer run(const Image& image) {
  const auto method = make_segmentation_ct_body();
  const Input inputs[] = {{"image", &image}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

TEST(CtBody, PhantomTrunkWithoutTableWithLungsAndArm) {
  const Answer answer = run(trunk());
  const auto& labels = std::get<LabelMap>(answer.artifacts.at(0).value);
  const auto& layer = labels.layers[0];
  EXPECT_EQ(layer.at(35, 37, 15), 1) << "lung";
  EXPECT_EQ(layer.at(35, 37, 29), 1) << "lung at the open end";
  EXPECT_EQ(layer.at(93, 33, 15), 1) << "arm";
  EXPECT_EQ(layer.at(10, 60, 15), 0) << "table beside the body";
  EXPECT_EQ(layer.at(50, 71, 15), 0) << "lower plate";
  EXPECT_EQ(layer.at(2, 2, 2), 0) << "air";
  const double expected = std::numbers::pi * (semi_x * semi_y + 16 * 16) * 30 * 4 / 1000;
  const auto& volume = std::get<Measurements>(answer.artifacts.at(1).value).at(0);
  EXPECT_NEAR(volume.value, expected, 0.03 * expected);
  EXPECT_EQ(volume.region, "body");
}

TEST(CtBody, RefusesWhatIsNotHu) {
  Image image = trunk();
  image.unit = "Bq/mL";
  EXPECT_THROW((void)run(image), Error);
  Image bytes = trunk();
  bytes.unit = "";
  for (float& v : std::get<Volume<float>>(std::get<VolumeSequence>(bytes.pixels)[0]).voxels()) v = std::clamp(v, 0.F, 255.F);
  EXPECT_THROW((void)run(bytes), Error);
}

TEST(CtBody, FieldOfViewInsideTheBodyIsAllBodyAndSaid) {
  Volume<float> hu(Grid({20, 20, 20}, {1, 1, 1}));
  VolumeSequence sequence;
  sequence.emplace_back(std::move(hu));
  Image image;
  image.pixels = std::move(sequence);
  image.unit = "[hnsf'U]";
  const Answer answer = run(image);
  EXPECT_NEAR(std::get<Measurements>(answer.artifacts.at(1).value)[0].value, 8, 1e-9);
  EXPECT_EQ(answer.remarks.at(0).code, "no_air");
}

// Twin: NaN and infinite voxels outside the trunk are air, and it is said.
TEST(CtBody, NonFiniteVoxelsAreAirAndSaidTwin) {
  Image image = trunk();
  const double whole = std::get<Measurements>(run(image).artifacts.at(1).value).at(0).value;
  auto& hu = std::get<Volume<float>>(std::get<VolumeSequence>(image.pixels).at(0));
  hu.at(0, 0, 0) = std::numeric_limits<float>::quiet_NaN();
  for (std::int64_t x = 0; x < 20; ++x) hu.at(x, 0, 5) = std::numeric_limits<float>::infinity();
  const Answer answer = run(image);
  EXPECT_DOUBLE_EQ(std::get<Measurements>(answer.artifacts.at(1).value).at(0).value, whole);
  ASSERT_EQ(answer.remarks.at(0).code, "non_finite_voxels");
  EXPECT_EQ(answer.remarks[0].text.substr(0, 9), "21 voxels");
}

}  // namespace
}  // namespace penta
