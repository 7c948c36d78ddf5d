#include "nn/slab.h"

#include <algorithm>

#include "core/parallel.h"
#include "nn/sliding_window.h"

namespace penta::nn {

namespace {

/// Memory of so many floats as a volume: zeroed_memory's pages without a header of its own.
Grid plain_grid(std::int64_t x, std::int64_t y, std::int64_t z) { return Grid({x, y, z}, {1, 1, 1}); }

/// Lines that hold sums at one time, at most. Of each plane those from `low` to `high` - 1 do.
std::int64_t lines_held(const Tiling& tiling) {
  std::vector<std::int64_t> low(static_cast<std::size_t>(tiling.depth)), high(low.size());
  const auto slot = [&](std::int64_t plane) { return static_cast<std::size_t>(plane % tiling.depth); };
  std::int64_t next = 0, most = 1;
  for (const Tiling::Row& row : tiling.rows) {
    for (const Tiling::Band& band : row.bands) {
      for (std::int64_t p = row.begin; p < row.end; ++p) high[slot(p)] = std::max(high[slot(p)], band.end);
      std::int64_t held = 0;
      for (std::size_t i = 0; i < low.size(); ++i) held += high[i] - low[i];
      most = std::max(most, held);
      for (std::int64_t p = next; p < row.final_until; ++p) low[slot(p)] = kept_from(tiling, band);
    }
    for (; next < row.final_until; ++next) low[slot(next)] = high[slot(next)] = 0;
  }
  return most;
}

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

std::int64_t kept_from(const Tiling& tiling, const Tiling::Band& band) noexcept {
  // The line between two bands is interpolated with the first one of the next band.
  return band.final_until - (band.final_until < tiling.image[tiling.b()] ? 1 : 0);
}

Slab::Slab(const Tiling& tiling, std::int64_t channels)
    : tiling_(tiling),
      a_(tiling.a()),
      b_(tiling.b()),
      size_a_(tiling.image[a_]),
      size_b_(tiling.image[b_]),
      channels_(channels),
      store_(plain_grid(size_a_, channels + 1, lines_held(tiling))),
      blocks_(static_cast<std::size_t>(size_b_ * tiling.depth), none),
      window_(weights_of(tiling)) {
  for (std::int64_t i = store_.grid().size()[2]; i-- > 0;) free_.push_back(static_cast<std::int32_t>(i));
}

std::int32_t& Slab::block_of(std::int64_t plane, std::int64_t line) noexcept {
  return blocks_[static_cast<std::size_t>(line + size_b_ * (plane % tiling_.depth))];
}

float* Slab::sums(std::int32_t block, std::int64_t channel) noexcept {
  return store_.voxels().data() + size_a_ * (channel + 1 + (channels_ + 1) * block);
}

const float* Slab::sums(std::int32_t block, std::int64_t channel) const noexcept {
  return store_.voxels().data() + size_a_ * (channel + 1 + (channels_ + 1) * block);
}

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
      for (std::int64_t q = part.from[b_]; q < part.until[b_]; ++q) {
        float* to = sums(block_of(first[s] + p, first[b_] + q), first_channel + channel) + first[a_];
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
      std::int32_t& block = block_of(first[s] + p, first[b_] + q);
      if (block == none) {
        block = free_.back();
        free_.pop_back();
      }
      float* to = sums(block, -1) + first[a_];
      const float* weight = window_.data() + p * stride[s] + q * stride[b_];
      for (std::int64_t i = part.from[a_]; i < part.until[a_]; ++i) to[i] += weight[i * stride[a_]];
    }
}

void Slab::read(std::int64_t plane, std::int64_t first, std::int64_t last, double passes, std::span<float> values,
                std::span<std::uint8_t> seen) const {
  const auto share = static_cast<float>(passes);
  parallel_for(last - first, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      const std::int32_t block = blocks_[static_cast<std::size_t>(first + j + size_b_ * (plane % tiling_.depth))];
      std::uint8_t* was_seen = seen.data() + size_a_ * j;
      const float* weight = block == none ? nullptr : sums(block, -1);
      for (std::int64_t i = 0; i < size_a_; ++i) was_seen[i] = weight != nullptr && weight[i] > 0 ? 1 : 0;
      for (std::int64_t c = 0; c < channels_; ++c) {
        float* to = values.data() + size_a_ * (j + (last - first) * c);
        if (block == none) {
          std::fill_n(to, size_a_, 0.F);
          continue;
        }
        const float* from = sums(block, c);
        for (std::int64_t i = 0; i < size_a_; ++i) to[i] = weight[i] > 0 ? from[i] / (weight[i] * share) : 0.F;
      }
    }
  });
}

void Slab::release(std::int64_t plane, std::int64_t first, std::int64_t last) {
  for (std::int64_t line = first; line < last; ++line) {
    std::int32_t& block = block_of(plane, line);
    if (block == none) continue;
    std::fill_n(sums(block, -1), size_a_ * (channels_ + 1), 0.F);
    free_.push_back(block);
    block = none;
  }
}

}  // namespace penta::nn
