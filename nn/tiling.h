#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/volume.h"
#include "nn/network_spec.h"

namespace penta::nn {

/// How an image is seen through windows: in rows across its longest axis (the stream axis), and in each row in bands
/// across the next axis, so that what lies behind a band is final once the band is done.
struct Tiling {
  /// Windows whose lines along that axis end before `end`; lines below `final_until` get nothing from later bands.
  struct Band {
    std::vector<Size3> firsts;  ///< first voxel of each window; below 0 where the image is padded there
    std::int64_t end = 0, final_until = 0;
  };
  /// Windows whose planes along the stream axis are begin..end - 1 (inside the image); planes below `final_until` get
  /// nothing from later rows.
  struct Row {
    std::vector<Band> bands;
    std::int64_t begin = 0, end = 0, final_until = 0;
  };
  Size3 image{}, window{};
  Size3 tensor{};          ///< what the network is given: the window, padded
  std::size_t stream = 2;  ///< axis
  bool single = true;      ///< one window sees all: nothing is weighted
  std::int64_t depth = 1;  ///< planes that are not yet final at any time, at most
  std::vector<Row> rows;

  [[nodiscard]] std::int64_t window_count() const noexcept;
  /// The faster and the slower one of the other two axes: along a lines run, along b they follow one another.
  [[nodiscard]] std::size_t a() const noexcept { return stream == 0 ? 1 : 0; }
  [[nodiscard]] std::size_t b() const noexcept { return stream == 2 ? 1 : 2; }
};
[[nodiscard]] Tiling tiling_of(const Size3& image, const InputSpec& spec);

/// Writes one window as the network is to see it, channel by channel [z][y][x], into `to`, turned over along the axes set
/// in `mirror` (bits 1 x, 2 y, 4 z). What lies outside the image is padded as the card says.
void read_window(std::span<const VolumeView<const float>> channels, const Tiling& tiling, const Size3& first, Padding padding,
                 int mirror, std::span<float> to);
/// Whether all values of the window that lie in the image are one and the same, in each channel.
[[nodiscard]] bool is_empty(std::span<const VolumeView<const float>> channels, const Tiling& tiling, const Size3& first);

}  // namespace penta::nn
