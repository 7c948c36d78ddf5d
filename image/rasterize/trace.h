#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/contours.h"
#include "core/label_map.h"

namespace penta {

/// The borders of the pixels that are not 0 (nx columns, ny rows), as polygons along the pixels' edges: corners only,
/// at half numbers. Holes are polygons of their own. Pixels that meet at a corner only are apart. runs_inside gives
/// the same pixels back: an edge is never nearer than half a pixel to a centre.
[[nodiscard]] std::vector<std::vector<IndexPoint>> trace_edges(std::span<const std::uint8_t> pixels, std::int64_t nx,
                                                               std::int64_t ny);

/// The same with each hole joined to the border around it by a channel without width, the keyhole technique of PS3.3
/// C.8.8.6.3: one polygon an island, which every reader knows (CLOSEDPLANAR_XOR is newer than many).
[[nodiscard]] std::vector<std::vector<IndexPoint>> trace_keyholes(std::span<const std::uint8_t> pixels,
                                                                  std::int64_t nx, std::int64_t ny);

/// Each segment of the labels as closed contours on the slices of their grid, holes by keyholes, numbered 1, 2, 3 ...
/// in the table's order. rasterize() on the same grid gives the same voxels. Throws Error{bad_input} on labels without
/// millimetres, and on a segment that names no value or layer.
[[nodiscard]] Contours trace(const LabelMap& labels);

}  // namespace penta
