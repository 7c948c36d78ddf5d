#include "modality/ct/ray_shape.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace penta::ct {

namespace {

constexpr double neighbours_cosine = 0.9;  // 26 degrees: the nearest six or so of 128 directions
constexpr std::array<double, 2> long_rays{1.5, 2.25};
constexpr std::array<double, 4> profile_cosines{0, 0.309, 0.707, 0.906};
constexpr double longest_profile = 4;

double dot(const Vector3& a, const Vector3& b) noexcept { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

struct Bundle {
  std::size_t count = 0;
  Vector3 sum{};
};

// Takes from `waiting` all that hangs together with ray k.
Bundle bundle_from(std::size_t k, std::span<const Vector3> directions, std::vector<bool>& waiting) {
  Bundle bundle;
  std::vector<std::size_t> open{k};
  waiting[k] = false;
  while (!open.empty()) {
    const std::size_t i = open.back();
    open.pop_back();
    ++bundle.count;
    for (std::size_t a = 0; a < 3; ++a) bundle.sum[a] += directions[i][a];
    for (std::size_t j = 0; j < directions.size(); ++j)
      if (waiting[j] && dot(directions[i], directions[j]) > neighbours_cosine) {
        waiting[j] = false;
        open.push_back(j);
      }
  }
  return bundle;
}

// Widest first.
std::vector<Bundle> bundles_of(std::span<const Vector3> directions, std::span<const double> lengths_mm, double least) {
  std::vector<bool> waiting(directions.size());
  for (std::size_t k = 0; k < waiting.size(); ++k) waiting[k] = lengths_mm[k] > least;
  std::vector<Bundle> bundles;
  for (std::size_t k = 0; k < waiting.size(); ++k)
    if (waiting[k]) bundles.push_back(bundle_from(k, directions, waiting));
  std::stable_sort(bundles.begin(), bundles.end(), [](const Bundle& a, const Bundle& b) { return a.count > b.count; });
  return bundles;
}

double cosine(const Bundle& a, const Bundle& b) noexcept {
  const double length = std::sqrt(dot(a.sum, a.sum) * dot(b.sum, b.sum));
  return length > 0 ? dot(a.sum, b.sum) / length : 0;
}

double median_between(std::span<const Vector3> directions, std::span<const double> lengths_mm, const Vector3& axis,
                      double low, double high) {
  std::vector<double> of;
  for (std::size_t k = 0; k < directions.size(); ++k) {
    const double along = std::abs(dot(directions[k], axis));
    if (along >= low && along < high) of.push_back(lengths_mm[k]);
  }
  if (of.empty()) return 0;
  const auto middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
  std::nth_element(of.begin(), middle, of.end());
  return *middle;
}

}  // namespace

std::array<Vector3, shape_rays> ray_directions() {
  std::array<Vector3, shape_rays> out{};
  for (std::size_t k = 0; k < shape_rays; ++k) {
    const double z = 1 - (2 * static_cast<double>(k) + 1) / static_cast<double>(shape_rays), r = std::sqrt(1 - z * z);
    const double turn = std::numbers::pi * (3 - std::sqrt(5.0)) * static_cast<double>(k);
    out[k] = {r * std::cos(turn), r * std::sin(turn), z};
  }
  return out;
}

RayShape ray_shape(std::span<const Vector3> directions, std::span<const double> lengths_mm, double radius_mm,
                   const Vector3& axis) {
  RayShape shape;
  const auto all = static_cast<double>(directions.size());
  for (std::size_t k = 0; k < long_rays.size(); ++k) {
    const std::vector<Bundle> bundles = bundles_of(directions, lengths_mm, long_rays[k] * radius_mm);
    shape.exits[k] = static_cast<double>(bundles.size());
    if (!bundles.empty()) shape.widest[k] = static_cast<double>(bundles[0].count) / all;
    if (k == 0 && bundles.size() > 1) shape.opposed = cosine(bundles[0], bundles[1]);
  }
  for (std::size_t k = 0; k < shape.profile.size(); ++k)
    shape.profile[k] = std::min(
        longest_profile,
        median_between(directions, lengths_mm, axis, profile_cosines[k], profile_cosines[k + 1]) / radius_mm);
  return shape;
}

}  // namespace penta::ct
