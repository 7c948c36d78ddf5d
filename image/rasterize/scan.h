#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/points.h"

namespace penta {

/// Columns first .. end - 1 of one row of pixels.
struct PixelRun {
  std::int64_t row = 0, first = 0, end = 0;
  friend bool operator==(const PixelRun&, const PixelRun&) = default;
};

/// Vertices are taken on a lattice of this many steps a pixel, so that a grid's rounding errors (1e-13) decide nothing.
inline constexpr std::int64_t lattice_steps = std::int64_t{1} << 20U;
/// Farther from the image than this (pixels) a polygon is not drawn.
inline constexpr double scan_limit = 1 << 30U;

/// The pixels of nx columns and ny rows whose centre lies inside the polygons by the even-odd rule over all of them,
/// by row and column. Centres sit on whole numbers; x and y of the points count, z does not.
///
/// Decided exactly (128-bit integers) on the lattice. Edges are half open: a centre exactly on a left or lower-row
/// edge is inside, on a right or upper-row edge outside, so that polygons that share an edge share no pixel and leave
/// no gap (PS3.3 C.8.8.6.3 counts all points on the path in; then neighbours would overlap).
/// Points must be finite and within scan_limit.
[[nodiscard]] std::vector<PixelRun> runs_inside(std::span<const std::vector<IndexPoint>> polygons, std::int64_t nx,
                                                std::int64_t ny);

}  // namespace penta
