#pragma once

#include <cstdint>
#include <vector>

#include "core/volume.h"

namespace penta::evaluate {

/// Distances (mm, voxel centres) from each border voxel of one mask to the nearest border voxel of the other, both
/// ways (Metrics Reloaded, Maier-Hein et al. 2024). A border voxel has a face neighbour that is not in the mask
/// (outside the grid counts as that; a single slice has no neighbours across it).
struct SurfaceDistances {
  bool empty_a = false, empty_b = false;  ///< then there are no distances
  std::vector<double> a_to_b_mm, b_to_a_mm;
};
[[nodiscard]] SurfaceDistances surface_distances(VolumeView<const std::uint8_t> a, VolumeView<const std::uint8_t> b);

// Two empty masks agree: distance 0, share 1. One empty mask: NaN, share 0.
/// The largest distance (Hausdorff).
[[nodiscard]] double hausdorff_mm(const SurfaceDistances& distances);
/// The larger of the two directed 95th percentiles, linearly interpolated between order statistics.
[[nodiscard]] double hd95_mm(const SurfaceDistances& distances);
/// Mean over the border voxels of both (average symmetric surface distance).
[[nodiscard]] double assd_mm(const SurfaceDistances& distances);
/// Share of the border voxels of both that lie within `tolerance_mm` of the other (normalised surface distance,
/// Nikolov et al. 2021, counted in voxels).
[[nodiscard]] double nsd(const SurfaceDistances& distances, double tolerance_mm);

}  // namespace penta::evaluate
