#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/image.h"

namespace penta::us {

/// A rectangle of pixels of a frame, x0..x1 and y0..y1, inclusive.
struct PixelBox {
  std::int64_t x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};

/// What a machine drew onto an ultrasound picture, by plain rules on its pixels.
struct Screen {
  std::vector<PixelBox> text_lines;  ///< rows of four letters or more: bright sharp marks of one height on one base line
  std::vector<PixelBox> callipers;   ///< upright or slanting crosses of 7 to 31 pixels
  bool colour_flow = false;          ///< many-toned coloured pixels over 0.3 % to half of what is bright
  bool tinted = false;               ///< more than half of what is bright is coloured: a tint, not flow
};
[[nodiscard]] Screen screen_of(const Frame2d& frame);

/// "B-mode", "colour Doppler", "spectral Doppler", "M-mode", "colour M-mode" by the regions (0018,6011) of the frames.
[[nodiscard]] std::vector<std::string> modes_of_regions(const FrameSequence& frames);

}  // namespace penta::us
