#include "image/blobs/blobs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace penta {
namespace {

// phantom: Gaussian blobs. A Gaussian of deviation s smoothed by sigma answers 3 sigma^2 / (s^2 + sigma^2)
// (s^2 / (s^2 + sigma^2))^1.5 at its centre, most at sigma = s sqrt(2 / 3): radius_mm = s sqrt 2.
TEST(Blobs, PhantomPlaceScaleAndAnswer) {
  const Grid grid({60, 50, 40}, {1, 1.2, 1.5});
  Volume<float> image(grid);
  const double s = 3;
  for (std::int64_t z = 0; z < 40; ++z)
    for (std::int64_t y = 0; y < 50; ++y)
      for (std::int64_t x = 0; x < 60; ++x) {
        const double dx = double(x) - 31, dy = 1.2 * (double(y) - 22), dz = 1.5 * (double(z) - 18);
        image.at(x, y, z) = static_cast<float>(std::exp(-(dx * dx + dy * dy + dz * dz) / (2 * s * s)));
      }
  Volume<std::uint8_t> inside(grid);
  for (auto& v : inside.voxels()) v = 1;
  const std::array<double, 5> radii{2.2, 3.1, 4.3, 6, 8.5};
  const ScaleSpace space = scale_space(image.view(), radii);
  const std::vector<Blob> blobs = find_blobs(space, inside.view(), 0.1);
  ASSERT_EQ(blobs.size(), 1U);
  EXPECT_EQ(blobs[0].x, 31);
  EXPECT_EQ(blobs[0].y, 22);
  EXPECT_EQ(blobs[0].z, 18);
  EXPECT_NEAR(blobs[0].radius_mm, s * std::numbers::sqrt2, 0.4);
  const double sigma2 = 4.3 * 4.3 / 3, shrink = s * s / (s * s + sigma2);
  EXPECT_NEAR(blobs[0].strength, 3 * sigma2 / (s * s + sigma2) * std::pow(shrink, 1.5), 0.03);
  const Vector3 e = hessian_eigenvalues(space, 2, 31, 22, 18);
  EXPECT_NEAR(e[0] + e[1] + e[2], -blobs[0].strength, 1e-3);
  EXPECT_NEAR(e[2] / e[0], 1, 0.1);
}

// phantom: along a tube the eigenvalue is 0
TEST(Blobs, PhantomTubeHasOneEigenvalueNearZero) {
  Volume<float> image(Grid({40, 40, 40}, {1, 1, 1}));
  for (std::int64_t z = 0; z < 40; ++z)
    for (std::int64_t y = 0; y < 40; ++y)
      for (std::int64_t x = 0; x < 40; ++x) image.at(x, y, z) = std::hypot(double(x) - 20, double(y) - 20) <= 4 ? 1 : 0;
  const std::array<double, 1> radii{4};
  const Vector3 e = hessian_eigenvalues(scale_space(image.view(), radii), 0, 20, 20, 20);
  EXPECT_NEAR(e[2], 0, 1e-6);
  EXPECT_NEAR(e[0], e[1], 1e-6);
  EXPECT_LT(e[0], -0.3);
}

// phantom: a ball on the side of a tube is round, the tube alone is not
TEST(Blobs, PhantomARoundPlaceOnATube) {
  const std::array<double, 2> radii{3.1, 4.4};
  for (const bool ball : {false, true}) {
    Volume<float> image(Grid({40, 40, 40}, {1, 1, 1}));
    Volume<std::uint8_t> inside(image.grid());
    for (std::int64_t z = 0; z < 40; ++z)
      for (std::int64_t y = 0; y < 40; ++y)
        for (std::int64_t x = 0; x < 40; ++x) {
          const double u = double(x) - 20, v = double(y) - 20, w = double(z) - 20;
          const bool in = std::hypot(u, v) <= 3 || (ball && std::hypot(std::hypot(u - 4, v), w) <= 4.4);
          image.at(x, y, z) = in ? 1 : 0;
          inside.at(x, y, z) = std::abs(w) < 12 ? 1 : 0;
        }
    const std::vector<Blob> found = find_round(scale_space(image.view(), radii), inside.view(), 0.12, 0.03);
    EXPECT_EQ(found.empty(), !ball);
    for (const Blob& b : found)
      EXPECT_LT(std::hypot(std::hypot(double(b.x) - 24, double(b.y) - 20), double(b.z) - 20), 4.4);
  }
}

TEST(Blobs, PublishedEigenvalues) {
  // [[2, -1, 0], [-1, 2, -1], [0, -1, 2]]: 2 - sqrt 2, 2, 2 + sqrt 2
  const Vector3 e = eigenvalues_of({{{2, -1, 0}, {-1, 2, -1}, {0, -1, 2}}});
  EXPECT_NEAR(e[0], 2 - std::numbers::sqrt2, 1e-12);
  EXPECT_NEAR(e[1], 2, 1e-12);
  EXPECT_NEAR(e[2], 2 + std::numbers::sqrt2, 1e-12);
}

}  // namespace
}  // namespace penta
