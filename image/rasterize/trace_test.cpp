#include "image/rasterize/trace.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <string>

#include "core/error.h"
#include "image/rasterize/polygon.h"
#include "image/rasterize/scan.h"

namespace penta {
namespace {

// Blobs, holes, pixels that meet at corners, single pixels: what random pixels smoothed a little (or not) give.
LabelMap random_labels(const Grid& grid, unsigned seed, int layers) {
  LabelMap labels;
  std::mt19937 random(seed);
  for (int layer = 0; layer < layers; ++layer) {
    labels.layers.emplace_back(grid);
    for (std::uint16_t& voxel : labels.layers.back().voxels()) voxel = static_cast<std::uint16_t>(random() % 4);
    for (int value = 1; value <= 3; ++value)
      labels.segments.push_back(
          {value, layer, "layer " + std::to_string(layer) + " label " + std::to_string(value), {}});
  }
  return labels;
}

bool same_voxels(const LabelMap& a, const Segment& in_a, const LabelMap& b, const Segment& in_b) {
  const auto x = a.layers[static_cast<std::size_t>(in_a.layer)].voxels(),
             y = b.layers[static_cast<std::size_t>(in_b.layer)].voxels();
  for (std::size_t i = 0; i < x.size(); ++i)
    if ((x[i] == in_a.value) != (y[i] == in_b.value)) return false;
  return true;
}

void expect_the_way_back(const LabelMap& labels) {
  std::vector<Remark> remarks;
  const LabelMap back = rasterize(trace(labels), labels.grid(), remarks);
  ASSERT_EQ(back.segments.size(), labels.segments.size());
  for (std::size_t s = 0; s < labels.segments.size(); ++s)
    EXPECT_TRUE(same_voxels(labels, labels.segments[s], back, back.segments[s])) << labels.segments[s].name;
}

TEST(Trace, PhantomBorders) {
  const std::vector<std::uint8_t> ring{1, 1, 1, 1, 0, 1, 1, 1, 1}, diagonal{1, 0, 0, 1};
  const auto borders = trace_edges(ring, 3, 3);
  ASSERT_EQ(borders.size(), 2U);
  EXPECT_EQ(borders[0], (std::vector<IndexPoint>{{-0.5, -0.5, 0}, {2.5, -0.5, 0}, {2.5, 2.5, 0}, {-0.5, 2.5, 0}}));
  EXPECT_EQ(borders[1].size(), 4U);
  EXPECT_EQ(trace_edges(diagonal, 2, 2).size(), 2U);
  EXPECT_TRUE(trace_edges(std::vector<std::uint8_t>(6, 0), 3, 2).empty());
}

std::vector<std::uint8_t> filled(const std::vector<std::vector<IndexPoint>>& polygons, std::int64_t nx,
                                 std::int64_t ny) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(nx * ny), 0);
  for (const PixelRun& run : runs_inside(polygons, nx, ny))
    for (std::int64_t x = run.first; x < run.end; ++x) mask[static_cast<std::size_t>(x + nx * run.row)] = 1;
  return mask;
}

// Holes in a row, a hole with an island that has a hole, holes that touch at a corner.
TEST(Trace, PhantomKeyholesAreOnePolygonAnIsland) {
  const std::vector<std::string> rows{"###########", "#.#.#.....#", "###.#.###.#", "#.###.#.#.#",
                                      "##.##.###.#", "#####.....#", "###########"};
  std::vector<std::uint8_t> pixels;
  for (const std::string& row : rows)
    for (const char c : row) pixels.push_back(c == '#' ? 1 : 0);
  const auto polygons = trace_keyholes(pixels, 11, 7);
  EXPECT_EQ(polygons.size(), 2U);
  EXPECT_EQ(filled(polygons, 11, 7), pixels);
}

TEST(Trace, InverseKeyholesOfRandomPixels) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<std::uint8_t> pixels(31 * 23);
    const auto percent = static_cast<unsigned>(10 + trial % 10 * 9);
    for (std::uint8_t& pixel : pixels) pixel = random() % 100 < percent ? 1 : 0;
    ASSERT_EQ(filled(trace_keyholes(pixels, 31, 23), 31, 23), pixels) << trial;
    ASSERT_EQ(filled(trace_edges(pixels, 31, 23), 31, 23), pixels) << trial;
  }
}

TEST(Trace, InverseInAllOrientationsAndSpacings) {
  std::mt19937 random(3);
  const std::array<std::array<int, 3>, 6> orders{{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  unsigned seed = 0;
  for (const auto& order : orders)
    for (int signs = 0; signs < 8; ++signs) {
      Matrix3 direction{};
      for (std::size_t c = 0; c < 3; ++c)
        direction[static_cast<std::size_t>(order[c])][c] = (signs >> c & 1) != 0 ? -1 : 1;
      const Grid grid({13, 11, 5}, {0.7, 1.9, 3.3}, {-120.25, 33.125, 810.5}, direction);
      expect_the_way_back(random_labels(grid, seed, 1 + static_cast<int>(seed % 2)));
      ++seed;
    }
}

TEST(Trace, InverseOnAnObliqueGrid) {
  const double a = 0.3, b = -0.5;
  const Vector3 x{std::cos(a), std::sin(a), 0}, y{-std::sin(a) * std::cos(b), std::cos(a) * std::cos(b), std::sin(b)};
  const Vector3 z = cross(x, y);
  Matrix3 direction{};
  for (std::size_t r = 0; r < 3; ++r) direction[r] = {x[r], y[r], z[r]};
  expect_the_way_back(random_labels(Grid({40, 31, 6}, {0.3125, 0.411, 5}, {-71.3, 22.9, -301.77}, direction), 99, 2));
}

TEST(Trace, LabelsOfFramesHaveNoContours) {
  LabelMap labels;
  labels.layers.emplace_back(Grid({4, 4, 1}, {1, 1, 1}));
  labels.planar = true;
  EXPECT_THROW(static_cast<void>(trace(labels)), Error);
}

}  // namespace
}  // namespace penta
