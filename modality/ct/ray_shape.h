#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "core/volume.h"

namespace penta::ct {

inline constexpr std::size_t shape_rays = 128;

/// 128 unit vectors spread evenly (a Fibonacci lattice on the sphere).
[[nodiscard]] std::array<Vector3, shape_rays> ray_directions();

/// How many separate bundles of long rays leave a spot, and how its outline runs beside its longest axis: a vessel
/// leaves twice and opposed, a branching three times, a nodule on a vessel by bundles thinner than itself.
struct RayShape {
  std::array<double, 2> exits{};    ///< bundles of rays longer than 1.5 and 2.25 radii
  std::array<double, 2> widest{};   ///< share of all rays that the widest of these bundles holds
  double opposed = 0;               ///< cosine between the two widest bundles past 1.5 radii, 0 without two
  std::array<double, 3> profile{};  ///< median length over the radius where the angle to the axis is over 72, 45 to 72,
                                    ///< and 25 to 45 degrees: 1, 1.2, 1.7 for a tube, 1, 1, 1 for a ball on a vessel
};
/// `directions` unit vectors, at least one; `lengths_mm` one a direction; `axis` a unit vector.
[[nodiscard]] RayShape ray_shape(std::span<const Vector3> directions, std::span<const double> lengths_mm,
                                 double radius_mm, const Vector3& axis);

}  // namespace penta::ct
