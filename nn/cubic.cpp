#include "nn/cubic.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/parallel.h"

namespace penta::nn {

namespace {

// Spline coefficients of the edge's continuation are within 1e-7 of their limit after so many samples.
constexpr std::int64_t margin = 12;

/// Where one output sample lies: four coefficients from `first` on (of the extended line), and their weights.
struct Taps {
  std::int64_t first = 0;
  std::array<double, 4> weight{};
};

std::vector<Taps> taps_of(std::int64_t from, std::int64_t to) {
  std::vector<Taps> taps(static_cast<std::size_t>(to));
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  for (std::int64_t i = 0; i < to; ++i) {
    const double at = (static_cast<double>(i) + 0.5) * scale - 0.5 + static_cast<double>(margin);
    const double floor = std::floor(at), t = at - floor, u = 1 - t;
    Taps& tap = taps[static_cast<std::size_t>(i)];
    tap.first = static_cast<std::int64_t>(floor) - 1;
    tap.weight = {u * u * u / 6, (4 - 6 * t * t + 3 * t * t * t) / 6, (4 - 6 * u * u + 3 * u * u * u) / 6, t * t * t / 6};
  }
  return taps;
}

/// Samples to cubic B-spline coefficients in place (one pole, reflected about the half sample beyond each end).
void filter(std::vector<double>& line) {
  const double pole = std::sqrt(3.0) - 2;
  const std::size_t n = line.size();
  for (double& v : line) v *= (1 - pole) * (1 - 1 / pole);
  // Constant continuation: the causal sum of a constant is v / (1 - pole).
  line[0] /= 1 - pole;
  for (std::size_t i = 1; i < n; ++i) line[i] += pole * line[i - 1];
  line[n - 1] *= pole / (pole - 1);
  for (std::size_t i = n - 1; i-- > 0;) line[i] = pole * (line[i + 1] - line[i]);
}

Volume<float> along(VolumeView<const float> image, std::size_t axis, std::int64_t count) {
  const Size3& size = image.grid.size();
  Size3 wanted = size;
  wanted[axis] = count;
  Volume<float> out(same_extent(image.grid, wanted));
  const std::vector<Taps> taps = taps_of(size[axis], count);
  const std::array<std::int64_t, 3> stride{1, size[0], size[0] * size[1]}, to_stride{1, wanted[0], wanted[0] * wanted[1]};
  const std::size_t a = axis == 0 ? 1 : 0, b = axis == 2 ? 1 : 2;
  const auto voxels = out.voxels();
  parallel_for(size[a] * size[b], 64, [&](std::int64_t first, std::int64_t last) {
    std::vector<double> line(static_cast<std::size_t>(size[axis] + 2 * margin));
    for (std::int64_t at = first; at < last; ++at) {
      const std::int64_t i = at % size[a], j = at / size[a];
      const float* from = image.voxels.data() + i * stride[a] + j * stride[b];
      for (std::int64_t k = 0; k < static_cast<std::int64_t>(line.size()); ++k)
        line[static_cast<std::size_t>(k)] =
            static_cast<double>(from[std::clamp<std::int64_t>(k - margin, 0, size[axis] - 1) * stride[axis]]);
      filter(line);
      float* to = voxels.data() + i * to_stride[a] + j * to_stride[b];
      for (std::int64_t k = 0; k < count; ++k) {
        const Taps& tap = taps[static_cast<std::size_t>(k)];
        const double* c = line.data() + tap.first;
        to[k * to_stride[axis]] = static_cast<float>(tap.weight[0] * c[0] + tap.weight[1] * c[1] + tap.weight[2] * c[2] +
                                                     tap.weight[3] * c[3]);
      }
    }
  });
  return out;
}

Volume<float> nearest_along(VolumeView<const float> image, std::size_t axis, std::int64_t count) {
  const Size3& size = image.grid.size();
  Size3 wanted = size;
  wanted[axis] = count;
  Volume<float> out(same_extent(image.grid, wanted));
  const double scale = static_cast<double>(size[axis]) / static_cast<double>(count);
  std::array<std::int64_t, 3> at{};
  for (at[2] = 0; at[2] < wanted[2]; ++at[2])
    for (at[1] = 0; at[1] < wanted[1]; ++at[1])
      for (at[0] = 0; at[0] < wanted[0]; ++at[0]) {
        Size3 from = at;
        from[axis] = std::clamp<std::int64_t>(
            static_cast<std::int64_t>(std::floor((static_cast<double>(at[axis]) + 0.5) * scale)), 0, size[axis] - 1);
        out.at(at[0], at[1], at[2]) = image.at(from[0], from[1], from[2]);
      }
  return out;
}

/// Each slice across `axis` (of the whole: axis -1) clipped to the range that it had before.
void clip_to_range(VolumeView<const float> before, Volume<float>& after, int axis) {
  using Range = std::pair<float, float>;
  constexpr float top = std::numeric_limits<float>::max();
  std::vector<Range> ranges(axis < 0 ? 1 : static_cast<std::size_t>(before.grid.size()[static_cast<std::size_t>(axis)]), {top, -top});
  const auto each = [&](const Size3& size, const auto& body) {
    std::size_t offset = 0;
    std::array<std::int64_t, 3> at{};
    for (at[2] = 0; at[2] < size[2]; ++at[2])
      for (at[1] = 0; at[1] < size[1]; ++at[1])
        for (at[0] = 0; at[0] < size[0]; ++at[0])
          body(ranges[axis < 0 ? 0 : static_cast<std::size_t>(at[static_cast<std::size_t>(axis)])], offset++);
  };
  each(before.grid.size(), [&](Range& range, std::size_t i) {
    range = {std::min(range.first, before.voxels[i]), std::max(range.second, before.voxels[i])};
  });
  const auto voxels = after.voxels();
  each(after.grid().size(), [&](Range& range, std::size_t i) { voxels[i] = std::clamp(voxels[i], range.first, range.second); });
}

}  // namespace

Grid same_extent(const Grid& grid, const Size3& size) {
  Vector3 spacing{};
  std::array<double, 3> first{};
  for (std::size_t k = 0; k < 3; ++k) {
    const double scale = static_cast<double>(grid.size()[k]) / static_cast<double>(size[k]);
    spacing[k] = grid.spacing_mm()[k] * scale;
    first[k] = 0.5 * scale - 0.5;
  }
  return {size, spacing, grid.to_patient({first[0], first[1], first[2]}), grid.direction()};
}

Volume<float> resample_cubic(VolumeView<const float> image, const Size3& size, std::optional<int> slice_axis) {
  std::optional<Volume<float>> now;
  const auto look = [&]() -> VolumeView<const float> { return now ? std::as_const(*now).view() : image; };
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const bool by_slices = slice_axis && static_cast<std::size_t>(*slice_axis) == axis;
    if (!by_slices && look().grid.size()[axis] != size[axis]) now = along(look(), axis, size[axis]);
  }
  if (now) clip_to_range(image, *now, slice_axis.value_or(-1));
  if (slice_axis && image.grid.size()[static_cast<std::size_t>(*slice_axis)] != size[static_cast<std::size_t>(*slice_axis)])
    now = nearest_along(look(), static_cast<std::size_t>(*slice_axis), size[static_cast<std::size_t>(*slice_axis)]);
  if (now) return std::move(*now);
  Volume<float> copy(image.grid);
  std::copy(image.voxels.begin(), image.voxels.end(), copy.voxels().begin());
  return copy;
}

Volume<float> cubic_unclipped(VolumeView<const float> image, const Size3& size) {
  std::optional<Volume<float>> now;
  const auto look = [&]() -> VolumeView<const float> { return now ? std::as_const(*now).view() : image; };
  for (std::size_t axis = 0; axis < 3; ++axis)
    if (look().grid.size()[axis] != size[axis]) now = along(look(), axis, size[axis]);
  if (now) return std::move(*now);
  Volume<float> copy(image.grid);
  std::copy(image.voxels.begin(), image.voxels.end(), copy.voxels().begin());
  return copy;
}

std::optional<int> slice_axis_of(const Vector3& current, const Vector3& wanted) noexcept {
  constexpr double coarse = 3;
  for (const Vector3* spacing : {&current, &wanted}) {
    const double high = *std::max_element(spacing->begin(), spacing->end());
    if (!(high / *std::min_element(spacing->begin(), spacing->end()) > coarse)) continue;
    if (std::count(spacing->begin(), spacing->end(), high) > 1) return std::nullopt;
    return static_cast<int>(std::find(spacing->begin(), spacing->end(), high) - spacing->begin());
  }
  return std::nullopt;
}

}  // namespace penta::nn
