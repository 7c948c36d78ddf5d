#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/error.h"
#include "io/png/grey.h"
#include "io/png/png.h"

namespace penta::io::png {

namespace {

void put32(std::vector<std::byte>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift & 0xFFU));
}

// A chunk (PNG 5.3): length, name, data, and the CRC of name and data.
void put_chunk(std::vector<std::byte>& out, const char* name, std::span<const std::byte> data) {
  put32(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t begin = out.size();
  const auto letters = std::as_bytes(std::span(name, 4));
  out.insert(out.end(), letters.begin(), letters.end());
  out.insert(out.end(), data.begin(), data.end());
  put32(out, libdeflate_crc32(0, out.data() + begin, out.size() - begin));
}

// Rows by the filter Sub (PNG 9.2): each sample less the one of the pixel to its left.
std::vector<std::uint8_t> filtered(std::span<const std::uint8_t> samples, std::size_t row_bytes, std::size_t channels) {
  constexpr std::uint8_t sub = 1;
  std::vector<std::uint8_t> out;
  out.reserve(samples.size() + samples.size() / row_bytes);
  for (std::size_t row = 0; row < samples.size(); row += row_bytes) {
    out.push_back(sub);
    const std::uint8_t* first = samples.data() + row;
    out.insert(out.end(), first, first + channels);
    for (std::size_t i = channels; i < row_bytes; ++i) out.push_back(static_cast<std::uint8_t>(first[i] - first[i - channels]));
  }
  return out;
}

std::vector<std::byte> deflated(std::span<const std::uint8_t> bytes) {
  constexpr int quickest = 1;
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(libdeflate_alloc_compressor(quickest), libdeflate_free_compressor);
  if (!compressor) throw Error(Code::out_of_memory, "writing PNG: no memory for the compressor");
  std::vector<std::byte> out(libdeflate_zlib_compress_bound(compressor.get(), bytes.size()));
  out.resize(libdeflate_zlib_compress(compressor.get(), bytes.data(), bytes.size(), out.data(), out.size()));
  if (out.empty()) throw Error(Code::internal, "writing PNG: the pixels could not be compressed");
  return out;
}

}  // namespace

std::vector<std::byte> write_quick(const Picture& picture) {
  constexpr std::int64_t pixels_max = std::int64_t{1} << 28;
  if (picture.width < 1 || picture.height < 1 || picture.width * picture.height > pixels_max)
    throw Error(Code::bad_input, "a picture of this size cannot be a PNG");
  const bool grey = is_grey(picture);
  const std::size_t channels = grey ? 1 : 3;
  const std::vector<std::uint8_t> levels = grey ? levels_of(picture) : std::vector<std::uint8_t>{};
  const std::span<const std::uint8_t> samples =
      grey ? std::span<const std::uint8_t>(levels)
           : std::span<const std::uint8_t>(reinterpret_cast<const std::uint8_t*>(picture.pixels.data()), picture.pixels.size() * 3);
  const auto packed = deflated(filtered(samples, static_cast<std::size_t>(picture.width) * channels, channels));

  constexpr std::array<unsigned char, 8> signature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  std::vector<std::byte> header, out;
  put32(header, static_cast<std::uint32_t>(picture.width));
  put32(header, static_cast<std::uint32_t>(picture.height));
  // Eight bits, grey or RGB, the only compression and filter methods, not interlaced.
  for (const unsigned value : {8U, grey ? 0U : 2U, 0U, 0U, 0U}) header.push_back(static_cast<std::byte>(value));
  for (const unsigned char byte : signature) out.push_back(static_cast<std::byte>(byte));
  out.reserve(packed.size() + 64);
  put_chunk(out, "IHDR", header);
  put_chunk(out, "IDAT", packed);
  put_chunk(out, "IEND", {});
  return out;
}

}  // namespace penta::io::png
