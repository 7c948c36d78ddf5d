#pragma once

#include <array>
#include <cmath>

namespace penta {

struct IndexSpace;    // voxel units; voxel centres sit on whole numbers
struct PatientSpace;  // millimetres, DICOM LPS: +x left, +y posterior, +z superior (PS3.3 C.7.6.2.1.1)

/// A place in one space; places of two spaces do not mix.
template <class Space>
struct Point {
  double x = 0, y = 0, z = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

using IndexPoint = Point<IndexSpace>;
using PatientPoint = Point<PatientSpace>;

/// A direction or difference, without a place.
using Vector3 = std::array<double, 3>;
/// Row-major 3 x 3.
using Matrix3 = std::array<Vector3, 3>;

[[nodiscard]] constexpr double dot(const Vector3& a, const Vector3& b) noexcept {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
[[nodiscard]] constexpr Vector3 cross(const Vector3& a, const Vector3& b) noexcept {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
[[nodiscard]] inline double norm(const Vector3& a) noexcept { return std::sqrt(dot(a, a)); }

template <class Space>
[[nodiscard]] double distance(const Point<Space>& a, const Point<Space>& b) noexcept {
  return norm({a.x - b.x, a.y - b.y, a.z - b.z});
}

}  // namespace penta
