#pragma once

#include <cstdint>

#include "core/volume.h"

namespace penta {

/// Squared distance in mm^2 from each voxel's centre to the nearest centre of a voxel that is not 0; infinite when
/// the mask is empty. Separable lower envelopes of parabolas (Felzenszwalb and Huttenlocher 2012).
[[nodiscard]] Volume<float> squared_distance_mm2(VolumeView<const std::uint8_t> mask);

/// Binary operators with a ball of `radius_mm`: a voxel belongs to the ball when its centre is within the radius
/// (plus a millionth, so that whole multiples of the spacing belong). What lies outside the grid counts as
/// background for dilation and as foreground for erosion, so a body cut off by the field of view is not eaten there.
[[nodiscard]] Volume<std::uint8_t> dilate(VolumeView<const std::uint8_t> mask, double radius_mm);
[[nodiscard]] Volume<std::uint8_t> erode(VolumeView<const std::uint8_t> mask, double radius_mm);
[[nodiscard]] Volume<std::uint8_t> open(VolumeView<const std::uint8_t> mask, double radius_mm);
[[nodiscard]] Volume<std::uint8_t> close(VolumeView<const std::uint8_t> mask, double radius_mm);

/// The mask with its enclosed background set: what a face-connected path of background does not join to the border of
/// the volume.
[[nodiscard]] Volume<std::uint8_t> fill_holes(VolumeView<const std::uint8_t> mask);
/// Where background counts as outside: everywhere on the border of a slice, or at its four corners only (then air
/// that a cropped side of the image cuts open, such as a lung, still counts as enclosed).
enum class Outside { border, corners };
/// The same slice by slice across `index_axis` (0, 1 or 2), with paths inside the slice only.
[[nodiscard]] Volume<std::uint8_t> fill_holes_by_slice(VolumeView<const std::uint8_t> mask, int index_axis,
                                                       Outside outside = Outside::border);

}  // namespace penta
