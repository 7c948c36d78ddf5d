#pragma once

#include <optional>

#include "core/volume.h"

namespace penta::nn {

/// Third-order B-spline interpolation onto `size` voxels over exactly the extent of `image`, beyond whose edge the edge
/// voxel goes on; clipped to the range of the image's values. Equals scipy.ndimage.zoom(order=3, mode="nearest",
/// grid_mode=True), which skimage.transform.resize(order=3, mode="edge", anti_aliasing=False) calls, to 1e-5 of the range
/// (Unser, IEEE Signal Processing Magazine 16(6), 1999). With `slice_axis` each slice across that axis is interpolated
/// and clipped by itself, and output slices are the nearest ones (nnU-Net's separate z).
[[nodiscard]] Volume<float> resample_cubic(VolumeView<const float> image, const Size3& size, std::optional<int> slice_axis = {});

/// resample_cubic() along all axes without the clipping, for callers that see an image plane by plane.
[[nodiscard]] Volume<float> cubic_unclipped(VolumeView<const float> image, const Size3& size);

/// The grid of `size` voxels over exactly the extent of `grid`.
[[nodiscard]] Grid same_extent(const Grid& grid, const Size3& size);

/// The axis that nnU-Net resamples by itself: the coarsest one of `current` where it is over 3 times the finest, else that
/// of `wanted`; none where two share the coarsest spacing (determine_do_sep_z_and_axis of nnU-Net 2.8).
[[nodiscard]] std::optional<int> slice_axis_of(const Vector3& current, const Vector3& wanted) noexcept;

}  // namespace penta::nn
