#include "image/morphology/morphology.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/random.h"

namespace penta {
namespace {

using Mask = Volume<std::uint8_t>;

Mask sphere(const Grid& grid, PatientPoint centre, double radius_mm) {
  Mask mask(grid);
  for (std::int64_t z = 0; z < grid.size()[2]; ++z)
    for (std::int64_t y = 0; y < grid.size()[1]; ++y)
      for (std::int64_t x = 0; x < grid.size()[0]; ++x)
        mask.at(x, y, z) = distance(grid.to_patient({double(x), double(y), double(z)}), centre) <= radius_mm;
  return mask;
}

std::int64_t count(const Mask& mask) { return std::count(mask.voxels().begin(), mask.voxels().end(), 1); }

TEST(Morphology, TwinOfPlainDistance) {
  const Grid grid({11, 9, 7}, {1, 1.5, 2.5});
  Mask mask(grid);
  Random random(3);
  for (auto& v : mask.voxels()) v = random.uniform() < 0.02;
  const auto fast = squared_distance_mm2(mask.view());
  for (std::int64_t i = 0; i < grid.count(); ++i) {
    double nearest = std::numeric_limits<double>::infinity();
    const auto point = [&](std::int64_t k) {
      return grid.to_patient({double(k % 11), double(k / 11 % 9), double(k / 99)});
    };
    for (std::int64_t j = 0; j < grid.count(); ++j)
      if (mask.voxels()[j] != 0) nearest = std::min(nearest, std::pow(distance(point(i), point(j)), 2));
    EXPECT_NEAR(fast.voxels()[i], nearest, 1e-4 * (1 + nearest));
  }
}

TEST(Morphology, EmptyMaskIsInfinitelyFar) {
  const Mask empty(Grid({3, 3, 3}, {1, 1, 1}));
  EXPECT_TRUE(std::isinf(squared_distance_mm2(empty.view()).at(1, 1, 1)));
  EXPECT_EQ(count(dilate(empty.view(), 5)), 0);
}

TEST(Morphology, PhantomBallGrowsAndShrinksByTheRadius) {
  const Grid grid({64, 64, 32}, {1, 1, 2});
  const PatientPoint centre{32, 32, 32};
  const Mask ball = sphere(grid, centre, 15);
  const auto volume = [](double r) { return 4.0 / 3 * std::numbers::pi * r * r * r; };
  EXPECT_NEAR(2.0 * double(count(dilate(ball.view(), 5))), volume(20), 0.04 * volume(20));
  EXPECT_NEAR(2.0 * double(count(erode(ball.view(), 5))), volume(10), 0.12 * volume(10));
}

TEST(Morphology, DualityOfErosionAndDilation) {
  const Grid grid({20, 20, 20}, {1, 1, 1});
  const Mask ball = sphere(grid, {10, 10, 10}, 5);
  Mask inverse(grid);
  std::transform(ball.voxels().begin(), ball.voxels().end(), inverse.voxels().begin(), [](auto v) { return v == 0; });
  const Mask a = erode(ball.view(), 2), b = dilate(inverse.view(), 2);
  for (std::int64_t i = 0; i < grid.count(); ++i) EXPECT_NE(a.voxels()[i], b.voxels()[i]);
}

TEST(Morphology, OpeningRemovesAThinPlateAndClosingAGap) {
  const Grid grid({40, 40, 40}, {1, 1, 1});
  Mask mask = sphere(grid, {20, 20, 20}, 12);
  const std::int64_t before = count(open(mask.view(), 3));
  for (int x = 0; x < 40; ++x)
    for (int z = 0; z < 40; ++z) mask.at(x, 37, z) = 1;
  const Mask opened = open(mask.view(), 3);
  EXPECT_EQ(opened.at(20, 37, 20), 0);
  EXPECT_NEAR(double(count(opened)), double(before), 0.02 * double(before));
  mask.at(20, 20, 20) = 0;
  EXPECT_EQ(close(mask.view(), 2).at(20, 20, 20), 1);
}

TEST(Morphology, HolesAreFilledInVolumeAndInSlices) {
  const Grid grid({30, 30, 30}, {1, 1, 1});
  Mask shell = sphere(grid, {15, 15, 15}, 10);
  const std::int64_t whole = count(shell);
  const Mask core = sphere(grid, {15, 15, 15}, 6);
  for (std::int64_t i = 0; i < grid.count(); ++i)
    if (core.voxels()[i] != 0) shell.voxels()[i] = 0;
  EXPECT_EQ(count(fill_holes(shell.view())), whole);
  for (int z = 0; z < 30; ++z) shell.at(15, 15, z) = 0;  // a canal to the outside along z
  EXPECT_LT(count(fill_holes(shell.view())), whole);
  EXPECT_GT(count(fill_holes_by_slice(shell.view(), 2)), whole - 21);
  EXPECT_EQ(fill_holes_by_slice(shell.view(), 2).at(15, 15, 15), 1);
  EXPECT_EQ(fill_holes_by_slice(shell.view(), 0).at(15, 15, 15), 0);
}

TEST(Morphology, AHoleThatTheImageCutsOpenIsFilledFromTheCorners) {
  Mask mask(Grid({20, 20, 1}, {1, 1, 1}));
  for (int y = 3; y < 17; ++y)
    for (int x = 8; x < 20; ++x) mask.at(x, y, 0) = x >= 12 && y >= 7 && y < 13 ? 0 : 1;
  EXPECT_EQ(fill_holes_by_slice(mask.view(), 2).at(15, 10, 0), 0);
  const Mask filled = fill_holes_by_slice(mask.view(), 2, Outside::corners);
  EXPECT_EQ(filled.at(15, 10, 0), 1);
  EXPECT_EQ(count(filled), 12 * 14);
}

}  // namespace
}  // namespace penta
