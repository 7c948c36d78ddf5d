#include "core/grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/error.h"

namespace penta {

namespace {

void check_size(const Size3& size) {
  std::int64_t left = std::numeric_limits<std::int64_t>::max() / 64;
  for (const std::int64_t n : size) {
    if (n < 1) throw Error(Code::bad_input, "a grid needs at least one voxel on every axis");
    left /= n;
  }
  if (left < 1) throw Error(Code::bad_input, "a grid of more voxels than can be counted");
}

Vector3 column(const Matrix3& m, int c) {
  const auto k = static_cast<std::size_t>(c);
  return {m[0][k], m[1][k], m[2][k]};
}

// Gram-Schmidt: file headers carry directions with few digits, and the inverse below is the transpose.
Matrix3 orthonormal(const Matrix3& m) {
  constexpr double tolerance = 1e-3;
  std::array<Vector3, 3> columns{column(m, 0), column(m, 1), column(m, 2)};
  for (const Vector3& v : columns)
    if (!(std::abs(norm(v) - 1.0) < tolerance))
      throw Error(Code::bad_input, "the direction of a grid must have axes of length one");
  if (std::abs(dot(columns[0], columns[1])) > tolerance || std::abs(dot(columns[0], columns[2])) > tolerance ||
      std::abs(dot(columns[1], columns[2])) > tolerance)
    throw Error(Code::bad_input, "the axes of a grid must be at right angles (a tilted series is a SliceStack)");
  for (std::size_t k = 0; k < 3; ++k) {
    for (std::size_t j = 0; j < k; ++j) {
      const double along = dot(columns[k], columns[j]);
      for (std::size_t i = 0; i < 3; ++i) columns[k][i] -= along * columns[j][i];
    }
    const double length = norm(columns[k]);
    for (double& value : columns[k]) value /= length;
  }
  Matrix3 exact{};
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 3; ++c) exact[r][c] = columns[c][r];
  return exact;
}

}  // namespace

Grid::Grid(Size3 size, Vector3 spacing_mm, PatientPoint origin_mm, Matrix3 direction)
    : size_(size), spacing_mm_(spacing_mm), origin_mm_(origin_mm), direction_(direction) {
  check_size(size);
  // A zero or NaN spacing is the commonest silent fault in archives, so it stops here.
  for (const double s : spacing_mm)
    if (!(s > 0) || !std::isfinite(s)) throw Error(Code::bad_input, "spacing must be > 0 mm on every axis");
  if (!std::isfinite(origin_mm.x) || !std::isfinite(origin_mm.y) || !std::isfinite(origin_mm.z))
    throw Error(Code::bad_input, "the origin of a grid must be finite");
  direction_ = orthonormal(direction);
}

PatientPoint Grid::to_patient(const IndexPoint& index) const noexcept {
  const Vector3 step{index.x * spacing_mm_[0], index.y * spacing_mm_[1], index.z * spacing_mm_[2]};
  return {origin_mm_.x + dot(direction_[0], step), origin_mm_.y + dot(direction_[1], step),
          origin_mm_.z + dot(direction_[2], step)};
}

IndexPoint Grid::to_index(const PatientPoint& patient) const noexcept {
  const Vector3 from_origin{patient.x - origin_mm_.x, patient.y - origin_mm_.y, patient.z - origin_mm_.z};
  return {dot(axis(0), from_origin) / spacing_mm_[0], dot(axis(1), from_origin) / spacing_mm_[1],
          dot(axis(2), from_origin) / spacing_mm_[2]};
}

Vector3 Grid::axis(int index_axis) const noexcept { return column(direction_, index_axis); }

bool Grid::same_as(const Grid& other, double tolerance_mm) const noexcept {
  if (size_ != other.size_) return false;
  for (int corner = 0; corner < 8; ++corner) {
    const IndexPoint p{(corner & 1) != 0 ? static_cast<double>(size_[0] - 1) : 0.0,
                       (corner & 2) != 0 ? static_cast<double>(size_[1] - 1) : 0.0,
                       (corner & 4) != 0 ? static_cast<double>(size_[2] - 1) : 0.0};
    if (distance(to_patient(p), other.to_patient(p)) > tolerance_mm) return false;
  }
  return true;
}

Grid Grid::cropped(const Size3& first, const Size3& size) const {
  const IndexPoint corner{static_cast<double>(first[0]), static_cast<double>(first[1]), static_cast<double>(first[2])};
  return {size, spacing_mm_, to_patient(corner), direction_};
}

AxisOrder axis_order(const Grid& grid) noexcept {
  // The best of the six assignments, so that no index axis is taken twice on an oblique grid.
  constexpr std::array<std::array<int, 3>, 6> orders{
      {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  const Matrix3& d = grid.direction();
  const auto fit = [&d](const std::array<int, 3>& o) {
    double sum = 0;
    for (std::size_t r = 0; r < 3; ++r) sum += std::abs(d[r][static_cast<std::size_t>(o[r])]);
    return sum;
  };
  const auto best = std::max_element(orders.begin(), orders.end(),
                                     [&](const auto& a, const auto& b) { return fit(a) < fit(b); });
  AxisOrder answer{*best, {}};
  for (std::size_t r = 0; r < 3; ++r)
    answer.positive[r] = d[r][static_cast<std::size_t>(answer.index_axis[r])] > 0;
  return answer;
}

}  // namespace penta
