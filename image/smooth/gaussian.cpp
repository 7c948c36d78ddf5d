#include "image/smooth/gaussian.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"

namespace penta {

namespace {

std::vector<float> half_kernel(double sigma_voxels) {
  const auto reach = static_cast<std::size_t>(std::ceil(4 * sigma_voxels));
  std::vector<float> half(reach + 1);
  double sum = 0;
  for (std::size_t i = 0; i <= reach; ++i) {
    const double z = static_cast<double>(i) / sigma_voxels;
    half[i] = static_cast<float>(std::exp(-0.5 * z * z));
    sum += (i == 0 ? 1 : 2) * static_cast<double>(half[i]);
  }
  for (float& value : half) value = static_cast<float>(value / sum);
  return half;
}

// What lies outside the image counts as absent, not as zero.
float weight_inside(std::span<const float> half, std::int64_t at, std::int64_t count) noexcept {
  const auto reach = static_cast<std::int64_t>(half.size()) - 1;
  if (at >= reach && at + reach < count) return 1.F;
  float sum = 0;
  for (std::int64_t k = std::max<std::int64_t>(0, at - reach); k <= std::min(count - 1, at + reach); ++k)
    sum += half[static_cast<std::size_t>(std::abs(k - at))];
  return sum;
}

void add_scaled(const float* __restrict from, float weight, float* __restrict to, std::int64_t count) noexcept {
  constexpr std::int64_t block = 8;
  std::int64_t i = 0;
  for (; i + block <= count; i += block)
    for (std::int64_t k = 0; k < block; ++k) to[i + k] += weight * from[i + k];
  for (; i < count; ++i) to[i] += weight * from[i];
}

// Along y or z: whole rows of x are added up.
void along_rows(std::span<const float> in, std::span<float> out, const Size3& size, std::size_t axis,
                std::span<const float> half) {
  const std::int64_t row = size[0], step = axis == 1 ? size[0] : size[0] * size[1];
  const std::int64_t count = size[axis], reach = static_cast<std::int64_t>(half.size()) - 1;
  parallel_for(size[1] * size[2], 64, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const std::int64_t at = axis == 1 ? r % size[1] : r / size[1];
      float* to = out.data() + r * row;
      std::fill_n(to, row, 0.F);
      const float scale = 1.F / weight_inside(half, at, count);
      for (std::int64_t k = std::max<std::int64_t>(-at, -reach); k <= std::min(count - 1 - at, reach); ++k)
        add_scaled(in.data() + r * row + k * step, scale * half[static_cast<std::size_t>(std::abs(k))], to, row);
    }
  });
}

void along_x(std::span<const float> in, std::span<float> out, const Size3& size, std::span<const float> half) {
  const std::int64_t n = size[0], reach = static_cast<std::int64_t>(half.size()) - 1;
  std::vector<float> scale(static_cast<std::size_t>(n));
  for (std::int64_t x = 0; x < n; ++x) scale[static_cast<std::size_t>(x)] = 1.F / weight_inside(half, x, n);
  parallel_for(size[1] * size[2], 64, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> line(static_cast<std::size_t>(n + 2 * reach), 0.F);
    for (std::int64_t r = first; r < last; ++r) {
      std::copy_n(in.data() + r * n, n, line.data() + reach);
      float* to = out.data() + r * n;
      std::fill_n(to, n, 0.F);
      for (std::int64_t k = -reach; k <= reach; ++k)
        add_scaled(line.data() + reach + k, half[static_cast<std::size_t>(std::abs(k))], to, n);
      for (std::int64_t x = 0; x < n; ++x) to[x] *= scale[static_cast<std::size_t>(x)];
    }
  });
}

}  // namespace

double sigma_of_fwhm(double fwhm) noexcept { return fwhm / (2 * std::sqrt(2 * std::log(2.0))); }

Volume<float> gaussian_smoothed(VolumeView<const float> image, const Vector3& fwhm_mm) {
  Volume<float> result(image.grid), other(image.grid);
  std::copy(image.voxels.begin(), image.voxels.end(), result.voxels().begin());
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (!(fwhm_mm[axis] >= 0) || !std::isfinite(fwhm_mm[axis]))
      throw Error(Code::bad_input, "smoothing: the width must be >= 0 mm");
    const double sigma = sigma_of_fwhm(fwhm_mm[axis]) / image.grid.spacing_mm()[axis];
    if (sigma < 0.05) continue;  // less than 1e-80 of a neighbour
    const std::vector<float> half = half_kernel(sigma);
    if (axis == 0)
      along_x(result.voxels(), other.voxels(), image.grid.size(), half);
    else
      along_rows(result.voxels(), other.voxels(), image.grid.size(), axis, half);
    std::swap(result, other);
  }
  return result;
}

Volume<float> gaussian_smoothed(VolumeView<const float> image, double fwhm_mm) {
  return gaussian_smoothed(image, Vector3{fwhm_mm, fwhm_mm, fwhm_mm});
}

}  // namespace penta
