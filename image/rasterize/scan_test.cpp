#include "image/rasterize/scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

namespace penta {
namespace {

using Polygon = std::vector<IndexPoint>;
using Mask = std::vector<std::uint8_t>;

Mask filled(const std::vector<Polygon>& polygons, std::int64_t nx, std::int64_t ny) {
  Mask mask(static_cast<std::size_t>(nx * ny), 0);
  for (const PixelRun& run : runs_inside(polygons, nx, ny))
    for (std::int64_t x = run.first; x < run.end; ++x) mask[static_cast<std::size_t>(x + nx * run.row)] = 1;
  return mask;
}

std::int64_t count_of(const Mask& mask) { return std::count(mask.begin(), mask.end(), std::uint8_t{1}); }

// The plain twin: does a ray to the left from each centre cross the edges an odd number of times? Long double holds
// the products of lattice coordinates of small pictures exactly (2 x 27 bits).
bool is_inside(const std::vector<Polygon>& polygons, std::int64_t column, std::int64_t row) {
  bool inside = false;
  const auto lattice = [](double v) { return std::round(static_cast<long double>(v) * lattice_steps); };
  const long double px = static_cast<long double>(column * lattice_steps),
                    py = static_cast<long double>(row * lattice_steps);
  for (const Polygon& polygon : polygons)
    for (std::size_t i = 0; i < polygon.size(); ++i) {
      const IndexPoint &p = polygon[i], &q = polygon[(i + 1) % polygon.size()];
      const long double ax = lattice(p.x), ay = lattice(p.y), bx = lattice(q.x), by = lattice(q.y);
      if ((ay <= py) == (by <= py)) continue;
      const long double side = (bx - ax) * (py - ay) - (px - ax) * (by - ay);
      if (by > ay ? side <= 0 : side >= 0) inside = !inside;
    }
  return inside;
}

Mask brute(const std::vector<Polygon>& polygons, std::int64_t nx, std::int64_t ny) {
  Mask mask(static_cast<std::size_t>(nx * ny), 0);
  for (std::int64_t y = 0; y < ny; ++y)
    for (std::int64_t x = 0; x < nx; ++x)
      mask[static_cast<std::size_t>(x + nx * y)] = is_inside(polygons, x, y) ? 1 : 0;
  return mask;
}

Polygon star(double x, double y, double outer, double inner, int points, double turn) {
  Polygon out;
  for (int i = 0; i < 2 * points; ++i) {
    const double a = turn + i * std::numbers::pi / points, r = i % 2 == 0 ? outer : inner;
    out.push_back({x + r * std::cos(a), y + r * std::sin(a), 0});
  }
  return out;
}

TEST(Scan, PhantomEdgesAreHalfOpenSoNeighboursShareNoPixelAndLeaveNoGap) {
  const Polygon left{{0, 0, 0}, {4, 0, 0}, {4, 4, 0}, {0, 4, 0}}, right{{4, 0, 0}, {8, 0, 0}, {8, 4, 0}, {4, 4, 0}};
  const Mask a = filled({left}, 10, 10), b = filled({right}, 10, 10);
  EXPECT_EQ(count_of(a), 16);
  EXPECT_EQ(a[0], 1);
  EXPECT_EQ(a[4], 0);
  EXPECT_EQ(count_of(b), 16);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_LE(a[i] + b[i], 1);
}

// A fan of triangles through pixel centres around one centre: each pixel of the square belongs to exactly one.
TEST(Scan, PhantomFanOfTrianglesCoversEachPixelOnce) {
  const std::vector<IndexPoint> rim{{0, 0, 0},   {5, 0, 0},  {10, 0, 0}, {10, 3, 0},
                                    {10, 10, 0}, {7, 10, 0}, {0, 10, 0}, {0, 4, 0}};
  const IndexPoint centre{5, 5, 0};
  Mask sum(144, 0);
  for (std::size_t i = 0; i < rim.size(); ++i) {
    const Mask one = filled({{centre, rim[i], rim[(i + 1) % rim.size()]}}, 12, 12);
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] = static_cast<std::uint8_t>(sum[k] + one[k]);
  }
  EXPECT_EQ(sum, filled({rim}, 12, 12));
  EXPECT_EQ(count_of(sum), 100);
}

TEST(Scan, PhantomSquareCircleAndStarWithAHole) {
  EXPECT_EQ(count_of(filled({{{9.5, 9.5, 0}, {29.5, 9.5, 0}, {29.5, 39.5, 0}, {9.5, 39.5, 0}}}, 50, 50)), 600);
  Polygon circle = star(50, 50, 20.3, 20.3, 180, 0);
  // Lattice points in a circle of radius 20.3 (Gauss' circle problem), counted without polygons.
  std::int64_t expected = 0;
  for (int y = -21; y <= 21; ++y)
    for (int x = -21; x <= 21; ++x) expected += x * x + y * y <= 20.3 * 20.3 ? 1 : 0;
  EXPECT_NEAR(double(count_of(filled({circle}, 100, 100))), double(expected), 2);
  const Mask whole = filled({star(50, 50, 45, 20, 5, 0.3)}, 100, 100), hole = filled({circle}, 100, 100);
  const Mask both = filled({star(50, 50, 45, 20, 5, 0.3), circle}, 100, 100);
  for (std::size_t i = 0; i < both.size(); ++i) ASSERT_EQ(both[i], whole[i] ^ hole[i]);
}

// A keyhole (PS3.3 C.8.8.6.3): the channel has no width, so the hole is the same as with two contours.
TEST(Scan, PhantomKeyholeIsAHole) {
  const Polygon outer{{2, 2, 0}, {20, 2, 0}, {20, 20, 0}, {2, 20, 0}},
      inner{{8, 8, 0}, {8, 14, 0}, {14, 14, 0}, {14, 8, 0}};
  const Polygon keyhole{{2, 2, 0},  {20, 2, 0},  {20, 20, 0}, {2, 20, 0}, {2, 8, 0}, {8, 8, 0},
                        {8, 14, 0}, {14, 14, 0}, {14, 8, 0},  {8, 8, 0},  {2, 8, 0}};
  EXPECT_EQ(filled({keyhole}, 24, 24), filled({outer, inner}, 24, 24));
  EXPECT_EQ(count_of(filled({keyhole}, 24, 24)), 18 * 18 - 36);
}

TEST(Scan, TwinBruteForceOnRandomPolygons) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> anywhere(-6, 46);
  std::uniform_int_distribution<int> on_centre(-3, 43), corners(3, 12);
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<Polygon> polygons(1 + static_cast<std::size_t>(trial % 3));
    for (Polygon& polygon : polygons)
      for (int i = corners(random); i > 0; --i) {
        // Every other set has its corners on centres and half pixels, where the rule for edges decides.
        if (trial % 2 == 0) polygon.push_back({anywhere(random), anywhere(random), 0});
        else polygon.push_back({on_centre(random) / (trial % 4 == 1 ? 1.0 : 2.0), double(on_centre(random)), 0});
      }
    ASSERT_EQ(filled(polygons, 40, 37), brute(polygons, 40, 37)) << trial;
  }
}

TEST(Scan, DegenerateAndRepeatedPointsEncloseNothingMore) {
  EXPECT_EQ(count_of(filled({{}, {{3, 3, 0}}, {{3, 3, 0}, {9, 9, 0}}}, 10, 10)), 0);
  const Polygon once{{1, 1, 0}, {7, 1, 0}, {4, 7, 0}},
      twice{{1, 1, 0}, {1, 1, 0}, {7, 1, 0}, {7, 1, 0}, {4, 7, 0}, {1, 1, 0}};
  EXPECT_EQ(filled({once}, 10, 10), filled({twice}, 10, 10));
  EXPECT_EQ(count_of(filled({{{-1e9, -1e9, 0}, {1e9, -1e9, 0}, {1e9, 1e9, 0}, {-1e9, 1e9, 0}}}, 10, 10)), 100);
}

}  // namespace
}  // namespace penta
