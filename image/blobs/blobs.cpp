#include "image/blobs/blobs.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/parallel.h"
#include "image/smooth/gaussian.h"

namespace penta {

namespace {

double sigma_of_radius(double radius_mm) noexcept { return radius_mm / std::numbers::sqrt3; }

Volume<float> response_of(const Volume<float>& f, double sigma_mm) {
  Volume<float> out(f.grid());
  const Size3& n = f.grid().size();
  const Vector3& mm = f.grid().spacing_mm();
  const double s2 = sigma_mm * sigma_mm;
  parallel_for(n[2], 4, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t z = first; z < last; ++z)
      for (std::int64_t y = 0; y < n[1]; ++y)
        for (std::int64_t x = 0; x < n[0]; ++x) {
          const auto here = static_cast<double>(f.at(x, y, z));
          const auto second = [&](double low, double high, double h) { return (low - 2 * here + high) / (h * h); };
          const auto at = [&](std::int64_t i, std::int64_t j, std::int64_t k) {
            return static_cast<double>(f.at(std::clamp<std::int64_t>(i, 0, n[0] - 1),
                                            std::clamp<std::int64_t>(j, 0, n[1] - 1),
                                            std::clamp<std::int64_t>(k, 0, n[2] - 1)));
          };
          out.at(x, y, z) = static_cast<float>(-s2 * (second(at(x - 1, y, z), at(x + 1, y, z), mm[0]) +
                                                      second(at(x, y - 1, z), at(x, y + 1, z), mm[1]) +
                                                      second(at(x, y, z - 1), at(x, y, z + 1), mm[2])));
        }
  });
  return out;
}

// Is `value` above all 27 voxels about (x, y, z)? At the same scale the voxel itself does not count.
bool above_all(const Volume<float>& other, float value, std::int64_t x, std::int64_t y, std::int64_t z, bool same) {
  for (std::int64_t k = -1; k <= 1; ++k)
    for (std::int64_t j = -1; j <= 1; ++j)
      for (std::int64_t i = -1; i <= 1; ++i) {
        if (same && i == 0 && j == 0 && k == 0) continue;
        // Of equal neighbours the first in raster order counts.
        const float v = other.at(x + i, y + j, z + k);
        if (v > value || (v == value && (k < 0 || (k == 0 && (j < 0 || (j == 0 && i < 0)))))) return false;
      }
  return true;
}

double between_scales(const ScaleSpace& space, const Blob& b) {
  if (b.scale == 0 || b.scale + 1 == space.response.size()) return space.radius_mm[b.scale];
  const auto at = [&](std::size_t s) { return static_cast<double>(space.response[s].at(b.x, b.y, b.z)); };
  const double below = at(b.scale - 1), here = at(b.scale), above = at(b.scale + 1), bend = below - 2 * here + above;
  const double shift = bend < 0 ? std::clamp(0.5 * (below - above) / bend, -0.5, 0.5) : 0;
  const double next = shift < 0 ? space.radius_mm[b.scale] / space.radius_mm[b.scale - 1]
                                : space.radius_mm[b.scale + 1] / space.radius_mm[b.scale];
  return space.radius_mm[b.scale] * std::pow(next, shift);
}

}  // namespace

ScaleSpace scale_space(VolumeView<const float> image, std::span<const double> radius_mm) {
  ScaleSpace space{{radius_mm.begin(), radius_mm.end()}, {}, {}};
  for (const double radius : radius_mm) {
    const double sigma = sigma_of_radius(radius);
    space.smoothed.push_back(gaussian_smoothed(image, sigma / sigma_of_fwhm(1)));
    space.response.push_back(response_of(space.smoothed.back(), sigma));
  }
  return space;
}

std::vector<Blob> find_blobs(const ScaleSpace& space, VolumeView<const std::uint8_t> inside, double least) {
  std::vector<Blob> blobs;
  const Size3& n = inside.grid.size();
  for (std::size_t s = 0; s < space.response.size(); ++s)
    for (std::int64_t z = 1; z + 1 < n[2]; ++z)
      for (std::int64_t y = 1; y + 1 < n[1]; ++y)
        for (std::int64_t x = 1; x + 1 < n[0]; ++x) {
          const float value = space.response[s].at(x, y, z);
          if (static_cast<double>(value) < least || inside.at(x, y, z) == 0) continue;
          if (!above_all(space.response[s], value, x, y, z, true)) continue;
          if (s > 0 && !above_all(space.response[s - 1], value, x, y, z, false)) continue;
          if (s + 1 < space.response.size() && !above_all(space.response[s + 1], value, x, y, z, false)) continue;
          Blob blob{x, y, z, s, 0, static_cast<double>(value)};
          blob.radius_mm = between_scales(space, blob);
          blobs.push_back(blob);
        }
  std::stable_sort(blobs.begin(), blobs.end(), [](const Blob& a, const Blob& b) { return a.strength > b.strength; });
  return blobs;
}

namespace {

// Weakest curvature where it is asked for, 0 elsewhere.
Volume<float> curvature_of(const ScaleSpace& space, std::size_t scale, VolumeView<const std::uint8_t> inside,
                           double least) {
  Volume<float> out(inside.grid);
  const Size3& n = inside.grid.size();
  parallel_for(n[2], 4, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t z = first; z < last; ++z)
      for (std::int64_t y = 0; y < n[1]; ++y)
        for (std::int64_t x = 0; x < n[0]; ++x)
          if (inside.at(x, y, z) != 0 && static_cast<double>(space.response[scale].at(x, y, z)) >= least)
            out.at(x, y, z) = static_cast<float>(-hessian_eigenvalues(space, scale, x, y, z)[2]);
  });
  return out;
}

}  // namespace

std::vector<Blob> find_round(const ScaleSpace& space, VolumeView<const std::uint8_t> inside, double least,
                             double least_curvature) {
  std::vector<Blob> blobs;
  const Size3& n = inside.grid.size();
  for (std::size_t s = 0; s < space.response.size(); ++s) {
    const Volume<float> curvature = curvature_of(space, s, inside, least);
    for (std::int64_t z = 1; z + 1 < n[2]; ++z)
      for (std::int64_t y = 1; y + 1 < n[1]; ++y)
        for (std::int64_t x = 1; x + 1 < n[0]; ++x) {
          const float value = curvature.at(x, y, z);
          if (static_cast<double>(value) < least_curvature || !above_all(curvature, value, x, y, z, true)) continue;
          blobs.push_back({x, y, z, s, space.radius_mm[s], static_cast<double>(space.response[s].at(x, y, z))});
        }
  }
  return blobs;
}

Vector3 hessian_eigenvalues(const ScaleSpace& space, std::size_t scale, std::int64_t x, std::int64_t y,
                            std::int64_t z) noexcept {
  const Volume<float>& f = space.smoothed[scale];
  const Size3& n = f.grid().size();
  const Vector3& mm = f.grid().spacing_mm();
  const std::array<std::int64_t, 3> c{std::clamp<std::int64_t>(x, 1, std::max<std::int64_t>(1, n[0] - 2)),
                                      std::clamp<std::int64_t>(y, 1, std::max<std::int64_t>(1, n[1] - 2)),
                                      std::clamp<std::int64_t>(z, 1, std::max<std::int64_t>(1, n[2] - 2))};
  const auto at = [&](std::size_t a, std::int64_t da, std::size_t b, std::int64_t db) {
    std::array<std::int64_t, 3> p = c;
    p[a] += da;
    p[b] += db;
    for (std::size_t k = 0; k < 3; ++k) p[k] = std::clamp<std::int64_t>(p[k], 0, n[k] - 1);
    return static_cast<double>(f.at(p[0], p[1], p[2]));
  };
  const double s2 = sigma_of_radius(space.radius_mm[scale]) * sigma_of_radius(space.radius_mm[scale]);
  Matrix3 h{};
  for (std::size_t a = 0; a < 3; ++a) {
    h[a][a] = s2 * (at(a, -1, a, 0) - 2 * at(a, 0, a, 0) + at(a, 1, a, 0)) / (mm[a] * mm[a]);
    for (std::size_t b = a + 1; b < 3; ++b)
      h[a][b] = h[b][a] =
          s2 * (at(a, 1, b, 1) - at(a, 1, b, -1) - at(a, -1, b, 1) + at(a, -1, b, -1)) / (4 * mm[a] * mm[b]);
  }
  return eigenvalues_of(h);
}

Vector3 eigenvalues_of(const Matrix3& m) noexcept {
  const double off = m[0][1] * m[0][1] + m[0][2] * m[0][2] + m[1][2] * m[1][2], q = (m[0][0] + m[1][1] + m[2][2]) / 3;
  const double a = m[0][0] - q, b = m[1][1] - q, c = m[2][2] - q, p2 = a * a + b * b + c * c + 2 * off;
  if (p2 <= 0) return {q, q, q};
  const double p = std::sqrt(p2 / 6);
  const double det = a * (b * c - m[1][2] * m[1][2]) - m[0][1] * (m[0][1] * c - m[1][2] * m[0][2]) +
                     m[0][2] * (m[0][1] * m[1][2] - b * m[0][2]);
  const double phi = std::acos(std::clamp(det / (2 * p * p * p), -1.0, 1.0)) / 3;
  const double high = q + 2 * p * std::cos(phi), low = q + 2 * p * std::cos(phi + 2 * std::numbers::pi / 3);
  return {low, 3 * q - high - low, high};
}

}  // namespace penta
