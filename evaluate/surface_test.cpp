#include "evaluate/surface.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "evaluate/difference.h"
#include "evaluate/overlap.h"

namespace penta::evaluate {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Hand-worked: 3 voxels against 2, 2 in common.
TEST(Metrics, PublishedOverlap) {
  const Bytes a{1, 1, 1, 0}, b{0, 1, 1, 0}, none{0, 0, 0, 0};
  EXPECT_DOUBLE_EQ(dice(a, b), 0.8);
  EXPECT_DOUBLE_EQ(iou(a, b), 2.0 / 3);
  EXPECT_EQ(dice(none, none), 1);
  EXPECT_EQ(iou(none, none), 1);
  EXPECT_EQ(dice(a, none), 0);
  EXPECT_EQ(dice({}, {}), 1);
}

// Phantom: a block of 4 voxels and the same moved by 3 voxels of 2 mm along x: every border voxel is 0 to 6 mm away.
TEST(Metrics, PhantomHd95OfAMovedBlock) {
  Volume<std::uint8_t> a(Grid({12, 6, 6}, {2, 1, 1})), b(a.grid()), none(a.grid());
  for (std::int64_t z = 1; z < 5; ++z)
    for (std::int64_t y = 1; y < 5; ++y)
      for (std::int64_t x = 1; x < 5; ++x) {
        a.at(x, y, z) = 1;
        b.at(x + 3, y, z) = 1;
      }
  EXPECT_DOUBLE_EQ(hd95_mm(surface_distances(a.view(), b.view())), 6);
  EXPECT_EQ(hd95_mm(surface_distances(a.view(), a.view())), 0);
  EXPECT_EQ(hd95_mm(surface_distances(none.view(), none.view())), 0);
  EXPECT_TRUE(std::isnan(hd95_mm(surface_distances(a.view(), none.view()))));
}

// Twin: all pairs of border voxels, for two odd shapes on a grid that is not isotropic.
TEST(Metrics, TwinHd95ByAllPairs) {
  Volume<std::uint8_t> a(Grid({14, 11, 1}, {0.7, 1.3, 1})), b(a.grid());
  for (std::int64_t y = 0; y < 11; ++y)
    for (std::int64_t x = 0; x < 14; ++x) {
      a.at(x, y, 0) = (x - 5) * (x - 5) + 2 * (y - 5) * (y - 5) < 20 ? 1 : 0;
      b.at(x, y, 0) = (x - 8) * (x - 8) + (y - 4) * (y - 4) < 15 ? 1 : 0;
    }
  const auto border = [](const Volume<std::uint8_t>& m) {
    std::vector<std::array<double, 2>> points;
    const auto in = [&](std::int64_t x, std::int64_t y) {
      return x >= 0 && y >= 0 && x < 14 && y < 11 && m.at(x, y, 0) != 0;
    };
    for (std::int64_t y = 0; y < 11; ++y)
      for (std::int64_t x = 0; x < 14; ++x)
        if (in(x, y) && !(in(x - 1, y) && in(x + 1, y) && in(x, y - 1) && in(x, y + 1)))
          points.push_back({0.7 * double(x), 1.3 * double(y)});
    return points;
  };
  const auto directed = [](const auto& from, const auto& to) {
    std::vector<double> d;
    for (const auto& p : from) {
      double best = 1e9;
      for (const auto& q : to) best = std::min(best, std::hypot(p[0] - q[0], p[1] - q[1]));
      d.push_back(best);
    }
    std::sort(d.begin(), d.end());
    const double place = 0.95 * double(d.size() - 1);
    const auto low = static_cast<std::size_t>(place);
    return d[low] + (place - double(low)) * (d[std::min(low + 1, d.size() - 1)] - d[low]);
  };
  const auto pa = border(a), pb = border(b);
  EXPECT_NEAR(hd95_mm(surface_distances(a.view(), b.view())), std::max(directed(pa, pb), directed(pb, pa)), 1e-5);
}

// Published: two ellipsoids on a grid of 0.7 x 1.3 x 2 mm; MONAI 1.6.1 (compute_hausdorff_distance, its 95th percentile,
// compute_average_surface_distance(symmetric), compute_surface_dice at 1 mm), float32.
TEST(Metrics, PublishedSurfaceDistancesOfMonai) {
  Volume<std::uint8_t> a(Grid({14, 11, 9}, {0.7, 1.3, 2})), b(a.grid());
  for (std::int64_t z = 0; z < 9; ++z)
    for (std::int64_t y = 0; y < 11; ++y)
      for (std::int64_t x = 0; x < 14; ++x) {
        a.at(x, y, z) = (x - 5) * (x - 5) + 2 * (y - 5) * (y - 5) + (z - 4) * (z - 4) < 20 ? 1 : 0;
        b.at(x, y, z) = (x - 8) * (x - 8) + (y - 4) * (y - 4) + 2 * (z - 5) * (z - 5) < 15 ? 1 : 0;
      }
  const SurfaceDistances d = surface_distances(a.view(), b.view());
  EXPECT_NEAR(hausdorff_mm(d), 6.296824596572466, 1e-6);  // SimpleITK too
  EXPECT_NEAR(hd95_mm(d), 6.0061, 5e-5);
  EXPECT_NEAR(assd_mm(d), 1.8490, 5e-5);
  EXPECT_NEAR(nsd(d, 1), 0.2802, 5e-5);
}

TEST(Metrics, EmptyMasks) {
  const Volume<std::uint8_t> none(Grid({3, 3, 3}, {1, 1, 1}));
  Volume<std::uint8_t> one(none.grid());
  one.at(1, 1, 1) = 1;
  const SurfaceDistances both = surface_distances(none.view(), none.view()), single = surface_distances(one.view(), none.view());
  EXPECT_EQ(hausdorff_mm(both), 0);
  EXPECT_EQ(assd_mm(both), 0);
  EXPECT_EQ(nsd(both, 1), 1);
  EXPECT_TRUE(std::isnan(hausdorff_mm(single)));
  EXPECT_TRUE(std::isnan(assd_mm(single)));
  EXPECT_EQ(nsd(single, 1), 0);
}

// Hand-worked.
TEST(Metrics, PublishedDifferences) {
  const std::vector<float> a{1, 2, 3, 4}, b{1, 4, 3, 0};
  EXPECT_DOUBLE_EQ(max_abs(a, b), 4);
  EXPECT_DOUBLE_EQ(mean_abs(a, b), 1.5);
  EXPECT_DOUBLE_EQ(rmse(a, b), std::sqrt(5.0));
  EXPECT_NEAR(psnr(a, b), 20 * std::log10(4 / std::sqrt(5.0)), 1e-12);
  EXPECT_TRUE(std::isnan(max_abs({}, {})));
  const std::vector<float> hole{NAN, 1}, filled{0, 1};
  EXPECT_EQ(max_abs(hole, hole), 0);
  EXPECT_TRUE(std::isnan(max_abs(hole, filled)));
}

}  // namespace
}  // namespace penta::evaluate
