#include "recon/operators/spect_projector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"

namespace penta::recon {
namespace {

CameraGeometry camera(bool blurred, int views = 12) {
  CameraGeometry g{.columns = 20, .rows = 11, .spacing_mm = {6.0, 5.0}, .angle_deg = {}, .radius_mm = {}};
  for (int v = 0; v < views; ++v) {
    g.angle_deg.push_back(225.23 - 15.0 * v);
    g.radius_mm.push_back(200.0 + v);
  }
  if (blurred) g.sigma_mm = 2.0, g.sigma_slope = 0.02;
  return g;
}

std::vector<float> random_values(std::int64_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(random.uniform());
  return values;
}

double inner(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

CameraGeometry clinical() {
  CameraGeometry g{.columns = 64, .rows = 64, .spacing_mm = {6.797, 6.797}, .angle_deg = {}, .radius_mm = {}};
  for (int v = 0; v < 12; ++v) {
    g.angle_deg.push_back(225.23 - 3.0 * v);
    g.radius_mm.push_back(250);
  }
  g.sigma_mm = 1.5, g.sigma_slope = 0.016;
  return g;
}

class Adjoint : public testing::TestWithParam<CameraGeometry> {};

TEST_P(Adjoint, IsTheTransposeByGradient) {
  const SpectProjector projector(GetParam(), {0, 1, 2, 5, 7, 8, 11});
  const auto x = random_values(projector.image_size(), 1), y = random_values(projector.measurement_size(), 2);
  std::vector<float> ax(y.size()), aty(x.size());
  projector.forward(x, ax);
  projector.adjoint(y, aty);
  const double left = inner(ax, y), right = inner(x, aty);
  EXPECT_GT(left, 100);
  EXPECT_LE(std::abs(left - right), 1e-5 * std::abs(left));
  RecordProperty("relative_difference", std::to_string(std::abs(left - right) / std::abs(left) * 1e6) + "e-6");
}

INSTANTIATE_TEST_SUITE_P(IdealBlurredClinical, Adjoint, testing::Values(camera(false), camera(true), clinical()));

TEST(SpectProjector, SeesAPointWhereTheStandardSaysPhantom) {
  CameraGeometry g = camera(false, 1);
  g.columns = 21;
  // A point left (+x), anterior (-y) of the axis, row 3.
  std::vector<float> image(21 * 21 * 11, 0.F);
  image[static_cast<std::size_t>((10 + 5) + 21 * ((10 - 3) + 21 * 3))] = 100;
  const auto brightest_column = [&](double angle_deg) {
    g.angle_deg = {angle_deg};
    const SpectProjector projector(g, {0});
    std::vector<float> view(static_cast<std::size_t>(projector.measurement_size()));
    projector.forward(image, view);
    const auto at = std::max_element(view.begin(), view.end()) - view.begin();
    EXPECT_EQ(at / 21, 3);
    EXPECT_NEAR(view[static_cast<std::size_t>(at)], 100, 1e-3);
    return at % 21;
  };
  EXPECT_EQ(brightest_column(180), 15);  // from the front the patient's left is on the right
  EXPECT_EQ(brightest_column(0), 5);     // from the back on the left
  EXPECT_EQ(brightest_column(90), 7);    // from the left side the front is on the left
  EXPECT_EQ(brightest_column(270), 13);  // from the right side on the right
}

TEST(SpectProjector, BlurGrowsWithDistanceAndKeepsCountsPhantom) {
  CameraGeometry g{.columns = 41, .rows = 41, .spacing_mm = {4, 4}, .angle_deg = {180, 0}, .radius_mm = {160, 160}};
  g.sigma_mm = 2, g.sigma_slope = 0.03;
  const SpectProjector projector(g, {0, 1});
  std::vector<float> image(41 * 41 * 41, 0.F);
  image[static_cast<std::size_t>(20 + 41 * (5 + 41 * 20))] = 1000;  // 60 mm in front of the axis
  std::vector<float> views(static_cast<std::size_t>(projector.measurement_size()));
  projector.forward(image, views);
  const auto sigma_mm = [&](std::size_t view) {
    double sum = 0, square = 0;
    for (std::size_t i = 0; i < 41 * 41; ++i) {
      const double value = views[view * 41 * 41 + i], c = static_cast<double>(i % 41) - 20;
      sum += value;
      square += value * c * c;
    }
    EXPECT_NEAR(sum, 1000, 1);
    return 4 * std::sqrt(square / sum);
  };
  EXPECT_NEAR(sigma_mm(0), 2 + 0.03 * 100, 0.15);
  EXPECT_NEAR(sigma_mm(1), 2 + 0.03 * 220, 0.15);
}

TEST(SpectProjector, IsTheSameForAnyNumberOfThreads) {
  const SpectProjector projector(camera(true), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const auto y = random_values(projector.measurement_size(), 3);
  std::vector<float> one(static_cast<std::size_t>(projector.image_size())), two(one.size());
  {
    const ThreadLimit limit(1);
    projector.adjoint(y, one);
  }
  projector.adjoint(y, two);
  EXPECT_EQ(one, two);
}

TEST(SpectProjector, RefusesAModelWithoutRadius) {
  CameraGeometry g = camera(true);
  g.radius_mm.clear();
  EXPECT_THROW(SpectProjector(g, {0}), Error);
}

}  // namespace
}  // namespace penta::recon
