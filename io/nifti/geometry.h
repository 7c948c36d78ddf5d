#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/grid.h"
#include "core/remark.h"
#include "io/nifti/header.h"

namespace penta::io::nifti {

/// Where the voxels lie, in LPS mm. sform (code > 0) goes before qform (code > 0), and that before pixdim alone;
/// a sheared or singular sform gives way to a good qform. What was passed over or unclear is said in `remarks`.
/// Throws Error{bad_input} that names `name` and the field: spacing of zero or NaN (where no sform stands in), shear
/// beyond 1e-3 (the cosine between two axes).
[[nodiscard]] Grid place(const Header& header, const std::string& name, std::vector<Remark>& remarks);

/// Slices at right angles in themselves that do not stand above one another: what a tilted gantry leaves in an sform.
struct SlantedSlices {
  Vector3 row_axis{}, column_axis{};  ///< patient directions of increasing x and y
  std::array<double, 2> spacing_mm{};
  PatientPoint origin_mm;             ///< of voxel (0, 0, 0)
  Vector3 step_mm{};                  ///< from a slice to the next
  std::string why;
};
/// The slices where place() would throw for a shear that only the step between slices has; else nothing.
[[nodiscard]] std::optional<SlantedSlices> slanted(const Header& header, std::vector<Remark>& remarks);

/// Seconds from one volume to the next (pixdim[4] in the unit of xyzt_units); nothing, and a remark, where unknown.
[[nodiscard]] std::optional<double> time_step_s(const Header& header, std::vector<Remark>& remarks);

/// The grid nearest to an affine in LPS mm: columns 0 to 2 are the steps along the index axes, column 3 is the place of
/// voxel (0, 0, 0). Throws Error{bad_input} that names `name` and `field` as place() does.
[[nodiscard]] Grid place_affine(const std::array<std::array<double, 4>, 3>& lps_mm, const Size3& size,
                                const std::string& name, const std::string& field, std::vector<Remark>& remarks);

/// The header's fields for a grid: quaternion, qfac, qoffset and srow in RAS (nifti1.h, methods 2 and 3).
struct Placement {
  std::array<double, 3> quaternion{}, quaternion_offset{};
  double qfac = 1;
  std::array<std::array<double, 4>, 3> srow{};
};
[[nodiscard]] Placement placement_of(const Grid& grid) noexcept;

}  // namespace penta::io::nifti
