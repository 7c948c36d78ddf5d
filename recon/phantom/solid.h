#pragma once

#include <array>
#include <optional>

#include "core/points.h"

namespace penta::recon {

/// A convex body with a place in the patient: an ellipsoid, or an elliptic cylinder cut square at both ends.
struct Solid {
  enum class Kind { ellipsoid, cylinder } kind = Kind::ellipsoid;
  PatientPoint centre_mm;
  Vector3 half_mm{1, 1, 1};                             ///< half axes along its own axes; a cylinder runs along the third
  Matrix3 axes{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};      ///< rows: its own axes in the patient, orthonormal
};

/// The part of a straight line inside a solid, in mm along the line.
struct Chord {
  double enter_mm = 0, leave_mm = 0;
};

[[nodiscard]] bool contains(const Solid& solid, const PatientPoint& point) noexcept;
/// Lowest and highest patient coordinate along axis 0, 1 or 2 of a box that holds the solid.
[[nodiscard]] std::array<double, 2> extent_mm(const Solid& solid, std::size_t axis) noexcept;
/// Own axes of which the third points along `direction` (of any length > 0).
[[nodiscard]] Matrix3 axes_along(const Vector3& direction) noexcept;

/// A solid made ready for many lines of one direction (of length one).
class Piercer {
 public:
  Piercer(const Solid& solid, const Vector3& direction) noexcept;
  [[nodiscard]] std::optional<Chord> pierce(const PatientPoint& start) const noexcept;

 private:
  PatientPoint centre_;
  Matrix3 to_unit_;    ///< patient differences to the space in which the solid is a unit ball or cylinder
  Vector3 direction_;  ///< in that space
  double square_ = 0;
  bool cylinder_;
};

}  // namespace penta::recon
