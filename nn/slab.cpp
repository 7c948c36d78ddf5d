#include "nn/slab.h"

#include <algorithm>

#include "core/parallel.h"
#include "nn/sliding_window.h"

namespace penta::nn {

namespace {

/// Memory of so many floats as a volume: zeroed_memory's pages without a header of its own.
Grid plain_grid(std::int64_t x, std::int64_t y, std::int64_t z) { return Grid({x, y, z}, {1, 1, 1}); }

std::vector<float> weights_of(const Tiling& tiling) {
  const Size3& n = tiling.window;
  std::array<std::vector<double>, 3> axis;
  for (std::size_t k = 0; k < 3; ++k) axis[k] = gaussian_weights(n[k]);
  std::vector<float> weights(static_cast<std::size_t>(n[0] * n[1] * n[2]), 1.F);
  if (tiling.single) return weights;
  auto to = weights.begin();
  for (const double z : axis[2])
    for (const double y : axis[1])
      for (const double x : axis[0]) *to++ = window_weight(x * y * z);
  return weights;
}

}  // namespace

Slab::Slab(const Tiling& tiling, std::int64_t channels)
    : tiling_(tiling),
      a_(tiling.stream == 0 ? 1 : 0),
      b_(tiling.stream == 2 ? 1 : 2),
      size_a_(tiling.image[a_]),
      size_b_(tiling.image[b_]),
      channels_(channels),
      sums_(plain_grid(size_a_ * size_b_, channels, tiling.depth)),
      weights_(static_cast<std::size_t>(size_a_ * size_b_ * tiling.depth)),
      window_(weights_of(tiling)) {}

float* Slab::sums(std::int64_t plane, std::int64_t channel) noexcept {
  return sums_.voxels().data() + plane_voxels() * (channel + channels_ * (plane % tiling_.depth));
}

float* Slab::weights(std::int64_t plane) noexcept { return weights_.data() + plane_voxels() * (plane % tiling_.depth); }

Slab::Part Slab::part_of(const Size3& first) const noexcept {
  Part part;
  for (std::size_t k = 0; k < 3; ++k) {
    part.from[k] = std::max<std::int64_t>(0, -first[k]);
    part.until[k] = std::min(tiling_.window[k], tiling_.image[k] - first[k]);
  }
  return part;
}

void Slab::add(std::span<const float> values, const Size3& first, int mirror, std::int64_t first_channel, std::int64_t channels) {
  const Part part = part_of(first);
  const Size3 &n = tiling_.tensor, &w = tiling_.window;
  const std::array<std::int64_t, 3> stride{1, n[0], n[0] * n[1]}, weight_stride{1, w[0], w[0] * w[1]};
  const std::size_t s = tiling_.stream;
  const std::int64_t planes = part.until[s] - part.from[s];
  const std::int64_t voxels = n[0] * n[1] * n[2];
  const std::int64_t step = (mirror >> a_ & 1) != 0 ? -stride[a_] : stride[a_];
  // Where voxel p of an axis lies in what the network gave.
  const auto place = [&](std::size_t axis, std::int64_t p) {
    return ((mirror >> axis & 1) != 0 ? n[axis] - 1 - p : p) * stride[axis];
  };
  parallel_for(channels * planes, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at) {
      const std::int64_t channel = at / planes, p = part.from[s] + at % planes;
      float* plane = sums(first[s] + p, first_channel + channel);
      for (std::int64_t q = part.from[b_]; q < part.until[b_]; ++q) {
        float* to = plane + size_a_ * (first[b_] + q) + first[a_];
        const float* from = values.data() + channel * voxels + place(s, p) + place(b_, q) + place(a_, 0);
        const float* weight = window_.data() + p * weight_stride[s] + q * weight_stride[b_];
        for (std::int64_t i = part.from[a_]; i < part.until[a_]; ++i) to[i] += weight[i * weight_stride[a_]] * from[i * step];
      }
    }
  });
}

void Slab::count(const Size3& first) {
  const Part part = part_of(first);
  const Size3& w = tiling_.window;
  const std::array<std::int64_t, 3> stride{1, w[0], w[0] * w[1]};
  const std::size_t s = tiling_.stream;
  for (std::int64_t p = part.from[s]; p < part.until[s]; ++p)
    for (std::int64_t q = part.from[b_]; q < part.until[b_]; ++q) {
      float* to = weights(first[s] + p) + size_a_ * (first[b_] + q) + first[a_];
      const float* weight = window_.data() + p * stride[s] + q * stride[b_];
      for (std::int64_t i = part.from[a_]; i < part.until[a_]; ++i) to[i] += weight[i * stride[a_]];
    }
}

void Slab::take(std::int64_t plane, double passes, std::span<float> values, std::span<std::uint8_t> seen) {
  const std::int64_t voxels = plane_voxels();
  float* weight = weights(plane);
  const auto share = static_cast<float>(passes);
  for (std::int64_t i = 0; i < voxels; ++i) seen[static_cast<std::size_t>(i)] = weight[i] > 0 ? 1 : 0;
  parallel_for(channels_, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      float* from = sums(plane, c);
      float* to = values.data() + c * voxels;
      for (std::int64_t i = 0; i < voxels; ++i) to[i] = weight[i] > 0 ? from[i] / (weight[i] * share) : 0.F;
      std::fill_n(from, voxels, 0.F);
    }
  });
  std::fill_n(weight, voxels, 0.F);
}

}  // namespace penta::nn
