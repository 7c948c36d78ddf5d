#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/tiling.h"

namespace penta::nn {

/// Weighted sums of what windows gave, for the planes (across the stream axis) that are not yet final. Of each plane
/// [channel][b][a], where a and b are the other two axes, a the faster one.
class Slab {
 public:
  Slab(const Tiling& tiling, std::int64_t channels);

  /// Adds one window's values [channels][z][y][x] of tiling.tensor voxels, which were seen turned over along `mirror`,
  /// to channels first_channel .. first_channel + channels - 1. Weights count with the passes of `counts`.
  void add(std::span<const float> values, const Size3& first, int mirror, std::int64_t first_channel, std::int64_t channels);
  /// The window's weights, once for all that add() brings of it.
  void count(const Size3& first);
  /// The mean values of a final plane, divided by weights and `passes`; voxels that no window saw are 0 in `seen`.
  void take(std::int64_t plane, double passes, std::span<float> values, std::span<std::uint8_t> seen);

  [[nodiscard]] std::int64_t plane_voxels() const noexcept { return size_a_ * size_b_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return (sums_.voxels().size() + weights_.size()) * sizeof(float); }

 private:
  [[nodiscard]] float* sums(std::int64_t plane, std::int64_t channel) noexcept;
  [[nodiscard]] float* weights(std::int64_t plane) noexcept;
  /// The part of a window in the image, as positions inside the window.
  struct Part {
    Size3 from{}, until{};
  };
  [[nodiscard]] Part part_of(const Size3& first) const noexcept;

  const Tiling& tiling_;
  std::size_t a_, b_;
  std::int64_t size_a_, size_b_, channels_;
  Volume<float> sums_;  ///< zeroed pages that cost nothing before they are written
  std::vector<float> weights_;
  std::vector<float> window_;  ///< weight of each voxel of a window, as [z][y][x]
};

}  // namespace penta::nn
