#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace penta::io::png {

constexpr std::int64_t pixels_max = 1LL << 28U;

/// Rows of a decoded picture as the library gives them: `channels` samples a pixel of `bytes_per_sample` bytes each,
/// in the machine's byte order.
struct Raster {
  std::uint32_t width = 0, height = 0;
  int channels = 1, bytes_per_sample = 1;
  bool palette = false;  ///< labels: samples are indices of a palette
  bool alpha_dropped = false;
  bool reduced_to_8 = false;  ///< 16-bit colour became 8-bit
  int exif_orientation = 1;   ///< JPEG: 1 as it lies (Exif 2.3, tag 274)
  std::vector<std::uint8_t> rows;
  std::string warning;  ///< what the library complained of and went on
};

/// Grey and palette stay as stored with `as_labels`; else palettes become RGB and 1, 2, 4 bit grey is spread to 0..255.
/// Throws Error{bad_input} that names `name`.
[[nodiscard]] Raster decode_png(std::span<const std::byte> bytes, bool as_labels, const std::string& name);
/// Grey or RGB. Throws Error{bad_input} that names `name`; CMYK is refused.
[[nodiscard]] Raster decode_jpeg(std::span<const std::byte> bytes, const std::string& name);

/// Rows of `channels` (1 or 3) 8-bit samples as PNG, without any chunk that tells a time or a program.
[[nodiscard]] std::vector<std::byte> encode_png(std::uint32_t width, std::uint32_t height, int channels,
                                                std::span<const std::uint8_t> rows);

}  // namespace penta::io::png
