#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/volume.h"

namespace penta::ct {

/// What describes a dense spot in a lung, for telling nodules from vessels.
inline constexpr std::size_t spot_numbers = 48;

struct Spot {
  PatientPoint centre;   ///< middle of the rays' ends
  double radius_mm = 0;  ///< median length of the rays to half the contrast
  std::array<float, spot_numbers> numbers{};
};

/// Dense spots inside lungs: blobs of 2 to 12 mm radius and round places beside stronger ones (image/blobs) at 1.5 mm,
/// no more than `most`, strongest first.
/// The lungs (label not 0) are closed by 12 mm, so that nodules on the wall are inside, and what lies outside counts
/// as lung tissue of -850 HU. Values are HU and finite; both on one grid.
///
/// The numbers, in this order (g = (HU + 850) / 900, at most 1.1; R = radius_mm): log R; blob radius over R; blob
/// answer; the three Hessian eigenvalues at the blob's scale, and the ratios of the least negative and the middle one
/// to the most negative there, at the scale below and above; mean g and its deviation inside R / 2, mean g inside R;
/// mean g on spheres of 1, 1.25, 1.5, 2 and 2.5 R; of 128 rays to half the contrast: the 0, 10, 25, 75, 90 and 100 %
/// lengths over R, the share longer than 1.5 R, 2 R and 3 R, and the eigenvalues of the mean of d d^T weighted by
/// min(length, 3 R), largest and smallest; depth in the lung in mm; share of the spheres of 1.25 and 2 R outside; mean
/// g at 12 mm; largest g inside R / 2; spacing of the image along its coarsest axis in mm over R; contrast of the
/// centre to the sphere of 2 R; of the rays (ray_shape.h): bundles past 1.5 and 2.25 R, shares of the widest of each,
/// how opposed the two widest are, the profile of three; mean cosine between the fall of g and the ray at its end, and
/// mean fall of g along the ray there, per mm, over the centre's.
[[nodiscard]] std::vector<Spot> dense_spots(const Volume<float>& hu, const Volume<std::uint8_t>& lungs,
                                            std::size_t most);

}  // namespace penta::ct
