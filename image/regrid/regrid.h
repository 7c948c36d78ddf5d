#pragma once

#include <vector>

#include "core/image.h"
#include "core/remark.h"
#include "core/volume.h"

namespace penta {

/// What to do with slices that are no volume: refuse, or resample them.
enum class RegridPolicy { strict, resample };

/// Slices as a volume. `strict` throws Error{bad_input} that says why they are none.
///
/// `resample` makes evenly spaced planes at the median distance of the slices, each voxel linear between the two
/// slices before and behind it and bilinear inside them (so a tilted gantry is undone as well); the grid spans all
/// slices. Where only one of the two slices has a pixel, it counts up to half a step away. Elsewhere, and where no slice
/// has a pixel, the stack's lowest value stands. Remarks say what was done, which gaps were bridged
/// and what stands outside. One slice becomes a volume one voxel deep, of an assumed thickness (the smaller pixel
/// spacing), with a warning. Throws Error{bad_input} where there is no slice, or slices lie too far apart for a grid.
[[nodiscard]] Volume<float> regrid(const SliceStack& stack, RegridPolicy policy, std::vector<Remark>& remarks);

}  // namespace penta
