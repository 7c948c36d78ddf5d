#pragma once

#include "core/volume.h"

namespace penta {

/// Each output voxel is the mean of the input over its extent (voxels as boxes, exact overlaps, separable); the grids
/// share their outer face at the first voxel. An output voxel that reaches beyond the input is the mean of what it covers.
/// Finer output voxels repeat the input without interpolating.
[[nodiscard]] Volume<float> area_mean(VolumeView<const float> image, const Vector3& spacing_mm);
/// The same onto a given number of voxels over exactly the input's extent (aspect is not kept).
[[nodiscard]] Volume<float> area_mean_to(VolumeView<const float> image, const Size3& size);

}  // namespace penta
