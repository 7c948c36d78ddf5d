#pragma once

#include <span>
#include <vector>

#include "core/contours.h"
#include "core/label_map.h"
#include "core/remark.h"

namespace penta {

/// Contours as labels on a grid: one segment a region, in the order given, with its name and colour.
///
/// A voxel belongs to a region when its centre lies inside by the even-odd rule, over all contours of the region in
/// its slice (so a contour inside another cuts a hole; PS3.3 C.8.8.6.3 leaves that to the reader). Contours must lie
/// parallel to slices z = constant; others are left out with a warning. Where the planes of a region are not those
/// of the grid, each slice takes the nearest plane within half the distance of planes, and a note says so.
/// Regions that overlap go to further layers. Segment values are 1, 2, 3 ... over all layers.
[[nodiscard]] LabelMap rasterize(const Contours& contours, const Grid& grid, std::vector<Remark>& remarks);

/// Flips `inside` (nx * ny, row by row) for each pixel centre within one polygon of index points (x, y), even-odd,
/// with edges half open: a centre exactly on a lower or left edge is inside.
void flip_polygon(std::span<const IndexPoint> polygon, std::int64_t nx, std::int64_t ny, std::span<std::uint8_t> inside);

}  // namespace penta
