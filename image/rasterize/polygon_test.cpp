#include "image/rasterize/polygon.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace penta {
namespace {

ContourRegion ring(std::string name, double radius_mm, std::initializer_list<double> planes_mm,
                   PatientPoint centre = {50, 50, 0}) {
  ContourRegion region;
  region.name = std::move(name);
  for (const double z : planes_mm) {
    Contour contour;
    for (int i = 0; i < 360; ++i) {
      const double a = i * std::numbers::pi / 180;
      contour.points_mm.push_back({centre.x + radius_mm * std::cos(a), centre.y + radius_mm * std::sin(a), z});
    }
    region.contours.push_back(contour);
  }
  return region;
}

const Grid& grid_100() {
  static const Grid grid({100, 100, 5}, {1, 1, 3});
  return grid;
}

// Counts of a circle's lattice points are within 1 % of its area.
TEST(Rasterize, PhantomAreasOfSquareAndCircle) {
  Contours contours;
  ContourRegion square;
  square.name = "square";
  square.contours.push_back({{{9.5, 9.5, 3}, {29.5, 9.5, 3}, {29.5, 39.5, 3}, {9.5, 39.5, 3}}});
  contours.regions = {square, ring("circle", 20.3, {6})};
  std::vector<Remark> remarks;
  const LabelMap labels = rasterize(contours, grid_100(), remarks);
  EXPECT_TRUE(remarks.empty());
  ASSERT_EQ(labels.segments.size(), 2U);
  EXPECT_EQ(voxel_count(labels, labels.segments[0]), 600);
  EXPECT_NEAR(double(voxel_count(labels, labels.segments[1])), std::numbers::pi * 20.3 * 20.3, 13);
  EXPECT_EQ(labels.layers[0].at(10, 10, 1), 1);
  EXPECT_EQ(labels.layers[0].at(9, 10, 1), 0);
}

TEST(Rasterize, PhantomContoursAboveTheImageAreSaid) {
  Contours contours;
  contours.regions = {ring("tall", 10, {9, 12, 15, 18})};
  std::vector<Remark> remarks;
  (void)rasterize(contours, grid_100(), remarks);
  ASSERT_EQ(remarks.size(), 1U);
  EXPECT_EQ(remarks[0].code, "contours_outside");
  EXPECT_NE(remarks[0].text.find("'tall': 2 contours"), std::string::npos) << remarks[0].text;
}

TEST(Rasterize, ContourInsideAnotherIsAHole) {
  Contours contours;
  ContourRegion both = ring("shell", 20, {3});
  both.contours.push_back(ring("", 10, {3}).contours[0]);
  contours.regions = {both};
  std::vector<Remark> remarks;
  const LabelMap labels = rasterize(contours, grid_100(), remarks);
  EXPECT_NEAR(double(voxel_count(labels, labels.segments[0])), std::numbers::pi * 300, 12);
}

TEST(Rasterize, OverlappingRegionsGoToLayers) {
  Contours contours;
  contours.regions = {ring("a", 20, {3}), ring("b", 10, {3}), ring("c", 10, {9})};
  std::vector<Remark> remarks;
  const LabelMap labels = rasterize(contours, grid_100(), remarks);
  EXPECT_EQ(labels.layers.size(), 2U);
  EXPECT_EQ(labels.segments[1].layer, 1);
  EXPECT_EQ(labels.segments[2].layer, 0);
  EXPECT_EQ(voxel_count(labels, labels.segments[1]), voxel_count(labels, labels.segments[2]));
}

TEST(Rasterize, FinerImageTakesTheNearestPlaneCoarserImageLosesNothing) {
  Contours contours;
  contours.regions = {ring("drawn every 3 mm", 20.3, {0.4, 3.4, 6.4, 9.4})};
  std::vector<Remark> remarks;
  const Grid fine({100, 100, 15}, {1, 1, 1});
  const LabelMap labels = rasterize(contours, fine, remarks, BetweenPlanes::nearest);
  // From -1.1 to 10.9 mm: slices 0..10.
  EXPECT_NEAR(double(voxel_count(labels, labels.segments[0])), 11 * std::numbers::pi * 20.3 * 20.3, 143);
  ASSERT_EQ(remarks.size(), 1U);
  EXPECT_EQ(remarks[0].code, "contours_between_slices");
  const Grid coarse({100, 100, 2}, {1, 1, 6});
  const LabelMap few = rasterize(contours, coarse, remarks, BetweenPlanes::nearest);
  EXPECT_NEAR(double(voxel_count(few, few.segments[0])), 2 * std::numbers::pi * 20.3 * 20.3, 26);
  // Nothing is invented where that was not asked for: slices 0, 3, 6 and 9.
  remarks.clear();
  const LabelMap four = rasterize(contours, fine, remarks);
  EXPECT_NEAR(double(voxel_count(four, four.segments[0])), 4 * std::numbers::pi * 20.3 * 20.3, 52);
  ASSERT_EQ(remarks.size(), 2U);
  EXPECT_EQ(remarks[1].code, "contours_missing_between");
}

TEST(Rasterize, ObliqueAndOutsideAreSaid) {
  Contours contours;
  ContourRegion oblique;
  oblique.name = "sagittal";
  oblique.contours.push_back({{{5, 5, 0}, {5, 20, 0}, {5, 20, 9}}});
  contours.regions = {oblique, ring("far", 5, {300})};
  std::vector<Remark> remarks;
  const LabelMap labels = rasterize(contours, grid_100(), remarks);
  ASSERT_EQ(remarks.size(), 3U);
  EXPECT_EQ(remarks[0].code, "contours_oblique");
  EXPECT_EQ(remarks[1].code, "region_empty");
  EXPECT_EQ(remarks[2].code, "region_empty");
}

}  // namespace
}  // namespace penta
