#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/picture.h"

namespace penta::io::png {

/// Whether no pixel has a colour: then one channel says all, and is quicker to write and to send.
[[nodiscard]] inline bool is_grey(const Picture& picture) noexcept {
  return std::all_of(picture.pixels.begin(), picture.pixels.end(), [](const Rgb8& p) { return p.red == p.green && p.green == p.blue; });
}

[[nodiscard]] inline std::vector<std::uint8_t> levels_of(const Picture& picture) {
  std::vector<std::uint8_t> levels(picture.pixels.size());
  std::transform(picture.pixels.begin(), picture.pixels.end(), levels.begin(), [](const Rgb8& pixel) { return pixel.red; });
  return levels;
}

}  // namespace penta::io::png
