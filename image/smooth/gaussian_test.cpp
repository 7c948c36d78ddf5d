#include "image/smooth/gaussian.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace penta {
namespace {

TEST(Gaussian, PointHasTheWidthAskedForPhantom) {
  Volume<float> point(Grid({41, 43, 31}, {2, 2, 3}));
  point.at(20, 21, 15) = 1000;
  const Volume<float> smooth = gaussian_smoothed(point.view(), {14, 10, 18});
  double sum = 0, square[3] = {0, 0, 0};
  for (std::int64_t z = 0; z < 31; ++z)
    for (std::int64_t y = 0; y < 43; ++y)
      for (std::int64_t x = 0; x < 41; ++x) {
        const double value = smooth.at(x, y, z), d[3] = {2.0 * static_cast<double>(x - 20), 2.0 * static_cast<double>(y - 21),
                                               3.0 * static_cast<double>(z - 15)};
        sum += value;
        for (int k = 0; k < 3; ++k) square[k] += value * d[k] * d[k];
      }
  EXPECT_NEAR(sum, 1000, 0.1);
  EXPECT_NEAR(std::sqrt(square[0] / sum), sigma_of_fwhm(14), 0.02);
  EXPECT_NEAR(std::sqrt(square[1] / sum), sigma_of_fwhm(10), 0.02);
  EXPECT_NEAR(std::sqrt(square[2] / sum), sigma_of_fwhm(18), 0.02);
}

TEST(Gaussian, AnEvenImageStaysEvenToTheBorder) {
  Volume<float> even(Grid({9, 5, 3}, {1, 1, 1}));
  for (float& value : even.voxels()) value = 7;
  const Volume<float> smooth = gaussian_smoothed(even.view(), 6.0);
  for (const float value : smooth.voxels()) EXPECT_NEAR(value, 7, 1e-5);
}

TEST(Gaussian, RefusesANegativeWidth) {
  const Volume<float> image(Grid({2, 2, 2}, {1, 1, 1}));
  EXPECT_THROW(static_cast<void>(gaussian_smoothed(image.view(), -1.0)), Error);
}

}  // namespace
}  // namespace penta
