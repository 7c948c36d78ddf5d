#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "io/tiff/memory.h"

namespace penta::io::tiff {

/// What the tags of one page say.
struct PageHead {
  std::uint32_t width = 0, height = 0;
  std::uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT, photometric = PHOTOMETRIC_MINISBLACK;
  std::uint16_t planar = PLANARCONFIG_CONTIG, compression = COMPRESSION_NONE, orientation = ORIENTATION_TOPLEFT;
  std::uint16_t resolution_unit = RESUNIT_INCH;
  float resolution = 0;  ///< pixels a unit along x; 0 where there is none
  bool reduced = false;  ///< a smaller copy of another page
  bool tiled = false;
  std::string description;
};

/// The pixels of a page as stored: samples of one pixel side by side, each of 1, 2, 4 or 8 bytes in the machine's
/// order.
struct PagePixels {
  int sample_bytes = 1;  ///< samples of fewer than 8 bits take one byte
  std::vector<std::byte> bytes;
  std::vector<std::array<std::uint16_t, 3>> palette;  ///< of a palette page
};

[[nodiscard]] PageHead head_of(const Memory& file);
/// Bytes that the pixels take unpacked. Throws Error{bad_input} on what is not read.
[[nodiscard]] std::uint64_t unpacked_bytes(const PageHead& head, const Memory& file);
/// Throws Error{bad_input} where the data are damaged.
[[nodiscard]] PagePixels pixels_of(const PageHead& head, const Memory& file);

}  // namespace penta::io::tiff
