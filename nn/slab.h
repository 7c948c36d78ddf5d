#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/tiling.h"

namespace penta::nn {

/// The first line of final planes that is still needed when a band is done.
[[nodiscard]] std::int64_t kept_from(const Tiling& tiling, const Tiling::Band& band) noexcept;

/// Weighted sums of what windows gave, for the lines (along tiling.a()) that are not yet final. Lines come from a store
/// that is as large as the tiling ever needs, and go back to it: half a window's depth of whole planes, and of the rest
/// the lines of one band of windows.
class Slab {
 public:
  /// Throws std::bad_alloc where there is no memory for all of it.
  Slab(const Tiling& tiling, std::int64_t channels);

  /// The window's weights, once, before add() brings what was seen in it.
  void count(const Size3& first);
  /// Adds one window's values [channels][z][y][x] of tiling.tensor voxels, which were seen turned over along `mirror`,
  /// to channels first_channel .. first_channel + channels - 1. Weights count with the passes of `counts`.
  void add(std::span<const float> values, const Size3& first, int mirror, std::int64_t first_channel, std::int64_t channels);
  /// The mean values [channel][line][a] of the lines first .. last - 1 of a plane, divided by weights and `passes`; voxels
  /// that no window saw are 0 in `seen` [line][a].
  void read(std::int64_t plane, std::int64_t first, std::int64_t last, double passes, std::span<float> values,
            std::span<std::uint8_t> seen) const;
  /// Gives lines back, whose sums are then 0.
  void release(std::int64_t plane, std::int64_t first, std::int64_t last);

  /// Voxels of a line, and how many lines a plane has.
  [[nodiscard]] std::int64_t line_voxels() const noexcept { return size_a_; }
  [[nodiscard]] std::int64_t lines() const noexcept { return size_b_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return store_.voxels().size_bytes(); }

 private:
  static constexpr std::int32_t none = -1;
  [[nodiscard]] std::int32_t& block_of(std::int64_t plane, std::int64_t line) noexcept;
  /// Sums of a channel of a line that count() has met; channel -1: its weights.
  [[nodiscard]] float* sums(std::int32_t block, std::int64_t channel) noexcept;
  [[nodiscard]] const float* sums(std::int32_t block, std::int64_t channel) const noexcept;
  /// The part of a window in the image, as positions inside the window.
  struct Part {
    Size3 from{}, until{};
  };
  [[nodiscard]] Part part_of(const Size3& first) const noexcept;

  const Tiling& tiling_;
  std::size_t a_, b_;
  std::int64_t size_a_, size_b_, channels_;
  Volume<float> store_;              ///< blocks of a line's weights and channels; zeroed pages cost nothing before they are written
  std::vector<std::int32_t> free_;   ///< blocks that hold 0
  std::vector<std::int32_t> blocks_;  ///< of each line of tiling.depth planes; none: nothing was added to it
  std::vector<float> window_;        ///< weight of each voxel of a window, as [z][y][x]
};

}  // namespace penta::nn
