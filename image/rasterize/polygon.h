#pragma once

#include <vector>

#include "core/contours.h"
#include "core/label_map.h"
#include "core/remark.h"

namespace penta {

/// What becomes of slices that lie between the planes of a region.
enum class BetweenPlanes {
  empty,    ///< nothing is invented: a contour counts on the slice nearest to it, within half a slice
  nearest,  ///< where the planes are not those of the grid (an image other than the one drawn on), each slice takes
            ///< the nearest plane within half the distance of planes: a contour stands for a slab
};

/// Contours as labels on a grid: one segment a region, in the order given, with its name, colour and type.
///
/// A voxel belongs to a region when its centre lies inside by the even-odd rule over all closed contours of the region
/// on its slice (runs_inside), so a contour inside another cuts a hole, marked CLOSEDPLANAR_XOR or not, and a keyhole
/// does too (PS3.3 C.8.8.6.3). Where several planes are nearest to one slice, the nearest of them counts alone.
/// Contours must lie parallel to slices z = constant. Said and left out: contours that do not, points and open lines,
/// fewer than three points, contours off the grid; said: slices without a contour between others, planes between
/// slices. Regions that overlap go to further layers. Segment values are 1, 2, 3 ... over all layers.
[[nodiscard]] LabelMap rasterize(const Contours& contours, const Grid& grid, std::vector<Remark>& remarks,
                                 BetweenPlanes between = BetweenPlanes::empty);

}  // namespace penta
