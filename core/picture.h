#pragma once

#include <cstdint>
#include <vector>

#include "core/volume.h"

namespace penta {

/// A rendered picture for people: 8-bit RGB, row by row from the top left.
struct Picture {
  std::int64_t width = 0, height = 0;
  std::vector<Rgb8> pixels;

  Picture() = default;
  Picture(std::int64_t w, std::int64_t h, Rgb8 fill = {})
      : width(w), height(h), pixels(static_cast<std::size_t>(w * h), fill) {}
  [[nodiscard]] Rgb8& at(std::int64_t x, std::int64_t y) noexcept { return pixels[static_cast<std::size_t>(x + width * y)]; }
  [[nodiscard]] const Rgb8& at(std::int64_t x, std::int64_t y) const noexcept {
    return pixels[static_cast<std::size_t>(x + width * y)];
  }
};

}  // namespace penta
