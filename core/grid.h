#pragma once

#include <array>
#include <cstdint>

#include "core/points.h"

namespace penta {

/// Voxels along x, y, z.
using Size3 = std::array<std::int64_t, 3>;

/// Where the voxels of a volume lie in the patient. Right once made, and never changed.
///
/// `direction[r][c]` is the component along patient axis r (L, P, S) of a step along index axis c;
/// its columns are orthonormal (a left-handed grid is allowed: NIfTI files have them).
/// Throws Error{bad_input} on a size < 1, a spacing that is not > 0 and finite, an origin that is not
/// finite, or a direction whose columns are not orthonormal within 1e-3 (they are then made exact).
class Grid {
 public:
  Grid(Size3 size, Vector3 spacing_mm, PatientPoint origin_mm = {},
       Matrix3 direction = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}});

  [[nodiscard]] const Size3& size() const noexcept { return size_; }
  [[nodiscard]] const Vector3& spacing_mm() const noexcept { return spacing_mm_; }
  [[nodiscard]] const PatientPoint& origin_mm() const noexcept { return origin_mm_; }
  [[nodiscard]] const Matrix3& direction() const noexcept { return direction_; }

  [[nodiscard]] std::int64_t count() const noexcept { return size_[0] * size_[1] * size_[2]; }
  [[nodiscard]] double voxel_volume_ml() const noexcept {
    return spacing_mm_[0] * spacing_mm_[1] * spacing_mm_[2] / 1000.0;
  }
  [[nodiscard]] std::int64_t offset(std::int64_t x, std::int64_t y, std::int64_t z) const noexcept {
    return x + size_[0] * (y + size_[1] * z);
  }
  [[nodiscard]] PatientPoint to_patient(const IndexPoint& index) const noexcept;
  [[nodiscard]] IndexPoint to_index(const PatientPoint& patient) const noexcept;
  /// The patient direction of index axis 0, 1 or 2, of length one.
  [[nodiscard]] Vector3 axis(int index_axis) const noexcept;

  /// Same size, and every voxel centre within `tolerance_mm`.
  [[nodiscard]] bool same_as(const Grid& other, double tolerance_mm = 1e-2) const noexcept;
  /// The part that starts at `first` (voxels, may lie outside) with `size` voxels.
  [[nodiscard]] Grid cropped(const Size3& first, const Size3& size) const;

 private:
  Size3 size_;
  Vector3 spacing_mm_;
  PatientPoint origin_mm_;
  Matrix3 direction_;
};

/// For each patient axis R/L, A/P, I/S the index axis that runs nearest to it, and whether it runs
/// towards +L, +P, +S.
struct AxisOrder {
  std::array<int, 3> index_axis;
  std::array<bool, 3> positive;
};
[[nodiscard]] AxisOrder axis_order(const Grid& grid) noexcept;

}  // namespace penta
