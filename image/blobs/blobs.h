#pragma once

#include <span>
#include <vector>

#include "core/volume.h"

namespace penta {

/// An image smoothed by Gaussians of growing width, and what the negative Laplacian, normalised by the scale
/// (-sigma^2 times the Laplacian of the Gaussian; Lindeberg 1998, doi:10.1023/A:1008045108935), answers at each.
/// A bright ball of radius r answers most at its centre where sigma = r / sqrt(3).
struct ScaleSpace {
  std::vector<double> radius_mm;  ///< ascending
  std::vector<Volume<float>> smoothed;
  std::vector<Volume<float>> response;
};
/// `radius_mm` ascending, each > 0. Throws Error{bad_input} on a negative or infinite one.
[[nodiscard]] ScaleSpace scale_space(VolumeView<const float> image, std::span<const double> radius_mm);

/// A bright blob: a voxel that answers more than its 26 neighbours and all 27 at the next smaller and larger scale.
struct Blob {
  std::int64_t x = 0, y = 0, z = 0;
  std::size_t scale = 0;
  double radius_mm = 0;  ///< between the scales, by a parabola through the three answers
  double strength = 0;
};
/// The blobs that answer at least `least`, where `inside` is not 0; strongest first, equal ones in raster order.
[[nodiscard]] std::vector<Blob> find_blobs(const ScaleSpace& space, VolumeView<const std::uint8_t> inside,
                                           double least);

/// Round places beside stronger ones, as on a vessel, where the answer has no maximum of its own: voxels that answer at
/// least `least` and whose weakest curvature (minus the largest eigenvalue below) is at least `least_curvature` and
/// above that of their 26 neighbours at the same scale; strength is the answer. By scale, then raster order.
[[nodiscard]] std::vector<Blob> find_round(const ScaleSpace& space, VolumeView<const std::uint8_t> inside, double least,
                                           double least_curvature);

/// Eigenvalues of the Hessian at a voxel of one scale, times sigma^2, ascending: all below 0 in a bright blob, one near
/// 0 in a tube. Central differences; at the border those of the next voxel inside.
[[nodiscard]] Vector3 hessian_eigenvalues(const ScaleSpace& space, std::size_t scale, std::int64_t x, std::int64_t y,
                                          std::int64_t z) noexcept;

/// Eigenvalues of a symmetric matrix, ascending (Smith 1961, doi:10.1145/355578.366316).
[[nodiscard]] Vector3 eigenvalues_of(const Matrix3& symmetric) noexcept;

}  // namespace penta
