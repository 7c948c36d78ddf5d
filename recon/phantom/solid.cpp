#include "recon/phantom/solid.h"

#include <algorithm>
#include <cmath>

namespace penta::recon {

namespace {

Matrix3 unit_map(const Solid& solid) noexcept {
  Matrix3 map = solid.axes;
  for (std::size_t r = 0; r < 3; ++r)
    for (double& value : map[r]) value /= solid.half_mm[r];
  return map;
}

Vector3 times(const Matrix3& matrix, const Vector3& v) noexcept {
  return {dot(matrix[0], v), dot(matrix[1], v), dot(matrix[2], v)};
}

Vector3 difference(const PatientPoint& a, const PatientPoint& b) noexcept { return {a.x - b.x, a.y - b.y, a.z - b.z}; }

}  // namespace

bool contains(const Solid& solid, const PatientPoint& point) noexcept {
  const Vector3 p = times(unit_map(solid), difference(point, solid.centre_mm));
  if (solid.kind == Solid::Kind::cylinder) return p[0] * p[0] + p[1] * p[1] <= 1 && std::abs(p[2]) <= 1;
  return dot(p, p) <= 1;
}

std::array<double, 2> extent_mm(const Solid& solid, std::size_t axis) noexcept {
  const Vector3 reach{solid.axes[0][axis] * solid.half_mm[0], solid.axes[1][axis] * solid.half_mm[1],
                      solid.axes[2][axis] * solid.half_mm[2]};
  const double half = solid.kind == Solid::Kind::cylinder ? std::hypot(reach[0], reach[1]) + std::abs(reach[2]) : norm(reach);
  const Vector3 centre{solid.centre_mm.x, solid.centre_mm.y, solid.centre_mm.z};
  return {centre[axis] - half, centre[axis] + half};
}

Matrix3 axes_along(const Vector3& direction) noexcept {
  const double length = norm(direction);
  const Vector3 third{direction[0] / length, direction[1] / length, direction[2] / length};
  const Vector3 helper = std::abs(third[0]) < 0.8 ? Vector3{1, 0, 0} : Vector3{0, 1, 0};
  Vector3 second = cross(third, helper);
  const double scale = norm(second);
  for (double& value : second) value /= scale;
  return {cross(second, third), second, third};
}

Piercer::Piercer(const Solid& solid, const Vector3& direction) noexcept
    : centre_(solid.centre_mm), to_unit_(unit_map(solid)), direction_(times(to_unit_, direction)),
      cylinder_(solid.kind == Solid::Kind::cylinder) {
  square_ = direction_[0] * direction_[0] + direction_[1] * direction_[1] + (cylinder_ ? 0 : direction_[2] * direction_[2]);
}

std::optional<Chord> Piercer::pierce(const PatientPoint& start) const noexcept {
  const Vector3 p = times(to_unit_, difference(start, centre_));
  double b = p[0] * direction_[0] + p[1] * direction_[1], c = p[0] * p[0] + p[1] * p[1] - 1;
  if (!cylinder_) {
    b += p[2] * direction_[2];
    c += p[2] * p[2];
  }
  Chord chord{-1e9, 1e9};
  if (square_ > 1e-18) {
    const double root = b * b - square_ * c;
    if (!(root > 0)) return std::nullopt;
    const double half = std::sqrt(root);
    chord = {(-b - half) / square_, (-b + half) / square_};
  } else if (c > 0) {
    return std::nullopt;
  }
  if (cylinder_) {
    if (std::abs(direction_[2]) < 1e-12) {
      if (std::abs(p[2]) > 1) return std::nullopt;
    } else {
      const double one = (-1 - p[2]) / direction_[2], two = (1 - p[2]) / direction_[2];
      chord = {std::max(chord.enter_mm, std::min(one, two)), std::min(chord.leave_mm, std::max(one, two))};
    }
  }
  return chord.leave_mm > chord.enter_mm ? std::optional(chord) : std::nullopt;
}

}  // namespace penta::recon
