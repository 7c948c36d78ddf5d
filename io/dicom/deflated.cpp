#include <zlib.h>

#include <algorithm>
#include <limits>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

constexpr std::int64_t inflated_limit = std::int64_t{8} << 30;
constexpr std::int64_t inflated_free = 64 << 20;  // up to here the ratio does not matter

struct EndInflate {
  void operator()(z_stream* stream) const noexcept { inflateEnd(stream); }
};

/// Inflates until the stream ends, or `out` holds `limit` bytes; false when it would go on.
bool inflate_up_to(std::span<const std::byte> packed, std::size_t limit, std::vector<std::uint8_t>& out) {
  z_stream stream{};
  if (inflateInit2(&stream, -15) != Z_OK) throw Error(Code::internal, "zlib cannot start");
  const std::unique_ptr<z_stream, EndInflate> guard(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(std::min<std::size_t>(packed.size(), std::numeric_limits<uInt>::max()));
  std::size_t used = 0;
  int state = Z_OK;
  while (state == Z_OK) {
    if (used == limit) return false;
    if (used == out.size()) out.resize(std::min(limit, std::max<std::size_t>(out.size() * 2, 4096)));
    stream.next_out = out.data() + used;
    stream.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size() - used, 1U << 30));
    const uInt before = stream.avail_out;
    state = inflate(&stream, Z_NO_FLUSH);
    used += before - stream.avail_out;
    if (state == Z_BUF_ERROR && stream.avail_in > 0 && used == out.size()) state = Z_OK;
  }
  out.resize(used);
  return true;
}

}  // namespace

std::vector<std::byte> inflate_data_set(std::span<const std::byte> packed, const std::string& name) {
  const auto limit = std::min(inflated_limit, std::max(inflated_free, static_cast<std::int64_t>(packed.size()) * 200));
  std::vector<std::uint8_t> out(std::min<std::size_t>(packed.size() * 4, static_cast<std::size_t>(limit)));
  if (!inflate_up_to(packed, static_cast<std::size_t>(limit), out))
    throw Error(Code::bad_input, "reading " + name + ": the deflated data set grows past the limit (200 times, 8 GiB)");
  const auto bytes = std::as_bytes(std::span(out));
  return {bytes.begin(), bytes.end()};  // a truncated stream gives a truncated data set, which is then named as such
}

RawFrame decode_deflated(std::span<const std::byte> stream, const Layout& layout, const std::string& name) {
  RawFrame out{{}, layout.photometric, std::max(layout.bits_allocated, 8), layout.planar == 1};
  // One byte may pad the frame to an even length; more says that it is another picture.
  const auto needed = static_cast<std::size_t>(layout.frame_bytes());
  out.bytes.resize(needed);
  if (!inflate_up_to(stream, needed + 2, out.bytes) || out.bytes.size() > needed + 1)
    throw Error(Code::bad_input, "inflating a frame of " + name + ": it is longer than the pixel description says");
  if (out.bytes.size() < needed) throw Error(Code::bad_input, "inflating a frame of " + name + ": truncated frame");
  out.bytes.resize(needed);
  return out;
}

}  // namespace penta::io::dicom
