#include <algorithm>
#include <array>
#include <cstring>

#include "io/dicom/internal.h"
#include "io/dicom/mosaic.h"

namespace penta::io::dicom {

namespace {

constexpr std::int64_t decoded_limit = std::int64_t{8} << 30;
constexpr std::int64_t decoded_free = 64 << 20;  // up to here the ratio to the file's size does not matter

constexpr std::string_view rle = "1.2.840.10008.1.2.5", deflated_frames = "1.2.840.10008.1.2.8.1";
constexpr std::array<std::string_view, 6> native_syntaxes{
    "1.2.840.10008.1.2",      "1.2.840.10008.1.2.1",    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1.98", "1.2.840.113619.5.2"};
constexpr std::array<std::string_view, 5> jpeg2000_syntaxes{
    "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203"};
constexpr std::array<std::string_view, 6> jpeg_syntaxes{
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53",
    "1.2.840.10008.1.2.4.55", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"};
constexpr std::array<std::string_view, 2> jpegls_syntaxes{"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"};
// Names of what is refused, since DCMTK does not know the younger ones (PS3.6 A).
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> unread_syntaxes{{
    {"1.2.840.10008.1.2.4.100", "MPEG2 video"},        {"1.2.840.10008.1.2.4.100.1", "MPEG2 video"},
    {"1.2.840.10008.1.2.4.101", "MPEG2 video"},        {"1.2.840.10008.1.2.4.101.1", "MPEG2 video"},
    {"1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 video"}, {"1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 video"},
    {"1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 video"}, {"1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 video"},
    {"1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 video"}, {"1.2.840.10008.1.2.4.107", "HEVC/H.265 video"},
    {"1.2.840.10008.1.2.4.108", "HEVC/H.265 video"},   {"1.2.840.10008.1.2.4.110", "JPEG XL"},
    {"1.2.840.10008.1.2.4.111", "JPEG XL"},            {"1.2.840.10008.1.2.4.112", "JPEG XL"},
}};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& list, std::string_view uid) noexcept {
  return std::find(list.begin(), list.end(), uid) != list.end();
}

[[noreturn]] void fail(const Object& object, const std::string& what) {
  throw Error(Code::bad_input, "reading the pixels of " + object.name + ": " + what);
}

template <class T>
T value_at(const std::vector<std::uint8_t>& bytes, std::size_t index) noexcept {
  T value{};
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

// A compressed frame of single bits: packed as native ones are, but each frame from its own first byte on.
RawFrame bits_apart(RawFrame packed, const Layout& layout) {
  if (layout.bits_allocated != 1) return packed;
  std::vector<std::uint8_t> out(static_cast<std::size_t>(layout.pixels()));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = (packed.bytes[i / 8] >> (i % 8)) & 1;
  packed.bytes = std::move(out);
  return packed;
}

}  // namespace

std::int64_t Layout::frame_bytes() const noexcept {
  if (bits_allocated == 1) return (pixels() + 7) / 8;
  // YBR_FULL_422 holds two luma and one pair of chroma samples for two pixels (PS3.3 C.7.6.3.1.2).
  const std::int64_t per_pixel = photometric == "YBR_FULL_422" && samples == 3 ? 2 : samples;
  return pixels() * per_pixel * (bits_allocated / 8);
}

Layout layout_of(const Object& object) {
  DcmItem& data = object.data();
  Layout layout;
  layout.rows = integer(data, tag::rows).value_or(0);
  layout.columns = integer(data, tag::columns).value_or(0);
  layout.frames = std::max(integer(data, tag::number_of_frames).value_or(1), 1);
  layout.samples = integer(data, tag::samples_per_pixel).value_or(1);
  layout.bits_allocated = integer(data, tag::bits_allocated).value_or(0);
  layout.bits_stored = integer(data, tag::bits_stored).value_or(layout.bits_allocated);
  layout.high_bit = integer(data, tag::high_bit).value_or(layout.bits_stored - 1);
  layout.planar = integer(data, tag::planar).value_or(0);
  layout.is_signed = integer(data, tag::pixel_representation).value_or(0) == 1;
  layout.photometric = text(data, tag::photometric);
  const bool real = object.pixel_tag.element == 8 || object.pixel_tag.element == 9;  // Float, Double Float Pixel Data
  if (object.pixel_tag.element == 8) layout.bits_allocated = 32, layout.bits_stored = 0;
  if (object.pixel_tag.element == 9) layout.bits_allocated = 64, layout.bits_stored = 0;
  if (layout.rows < 1 || layout.columns < 1)
    fail(object, "Rows (0028,0010) or Columns (0028,0011) is missing or zero");
  if (layout.samples != 1 && layout.samples != 3)
    fail(object, "Samples per Pixel (0028,0002) is " + std::to_string(layout.samples) + "; 1 and 3 are read");
  const bool bits_fit = layout.bits_allocated == 1 || layout.bits_allocated == 8 || layout.bits_allocated == 16 ||
                        layout.bits_allocated == 32 || (layout.bits_allocated == 64 && real);
  if (!bits_fit)
    fail(object, "Bits Allocated (0028,0100) of " + std::to_string(layout.bits_allocated) + " is not read");
  const bool whole = layout.bits_stored >= 1 && layout.bits_stored <= layout.bits_allocated &&
                     layout.high_bit >= layout.bits_stored - 1 && layout.high_bit < layout.bits_allocated;
  if (!real && !whole)
    fail(object, "Bits Stored (0028,0101) and High Bit (0028,0102) do not fit in Bits Allocated");
  if (layout.photometric.empty()) layout.photometric = layout.samples == 3 ? "RGB" : "MONOCHROME2";
  return layout;
}

bool transfer_syntax_known(const std::string& uid) noexcept {
  return uid == rle || uid == deflated_frames || among(native_syntaxes, uid) || among(jpeg2000_syntaxes, uid) ||
         among(jpeg_syntaxes, uid) || among(jpegls_syntaxes, uid);
}

std::string unread_syntax(const std::string& uid) {
  for (const auto& [known, name] : unread_syntaxes)
    if (uid == known) return std::string(name) + " (" + uid + ") is not read";
  if (uid.starts_with("1.2.840.10008.1.2.4.10")) return "video (" + uid + ") is not read";
  return "transfer syntax " + uid_name(uid) + " is not read";
}

void check_limits(const Layout& layout, const Object& object) {
  // Sizes are up to 65535 x 65535 x 2^31 x 24 bytes: as double they cannot overflow.
  const double bytes = static_cast<double>(layout.columns) * static_cast<double>(layout.rows) *
                       static_cast<double>(layout.frames) * layout.samples * std::max(layout.bits_allocated / 8, 1);
  if (bytes > static_cast<double>(decoded_limit)) fail(object, "more than 8 GiB of pixels");
  if (bytes > static_cast<double>(decoded_free) && bytes > 200.0 * static_cast<double>(object.file_bytes))
    fail(object, "the pixels would be more than 200 times as large as the file");
}

Frames::Frames(const Object& object, const Layout& layout) : object_(object), layout_(layout) {
  if (object.encapsulated()) fragments_ = fragments_by_frame(object, layout_.frames);
}

Frames::Frames(const Object& object) : object_(object), layout_(layout_of(object)) {
  if (!object.has_pixels()) fail(object, "there is no pixel data");
  check_limits(layout_, object);
  if (!transfer_syntax_known(object.transfer_syntax))
    fail(object, unread_syntax(object.transfer_syntax));
  if (layout_.photometric == "PALETTE COLOR")
    std::tie(palette_first_, palette_) = palette_of(object.data(), object.name);
  if (const auto mosaic = mosaic_of(object.data()); mosaic && !layout_.is_colour() && layout_.bits_stored > 0) {
    mosaic_ = *mosaic;
    tile_ = tile_layout(layout_, mosaic_);
  }
  if (object.encapsulated()) {
    fragments_ = fragments_by_frame(object, layout_.frames);
    return;
  }
  const std::int64_t there =
      std::min<std::int64_t>(object.pixel_length, static_cast<std::int64_t>(object.bytes.size()) - object.pixel_offset);
  if (there < layout_.native_bytes()) {
    // Some writers store YBR_FULL_422 at full resolution; then it is YBR_FULL.
    if (layout_.photometric == "YBR_FULL_422") return;
    fail(object, "truncated: " + std::to_string(there) + " bytes of pixel data, " +
                     std::to_string(layout_.native_bytes()) + " are needed");
  }
}

std::vector<std::uint8_t> Frames::native(std::int64_t frame) const {
  const std::int64_t size = layout_.frame_bytes();
  std::vector<std::uint8_t> out(static_cast<std::size_t>(size));
  if (layout_.bits_allocated == 1) {
    // One bit a pixel: frames follow each other without padding (PS3.5 8.1.1).
    out.resize(static_cast<std::size_t>(layout_.pixels()));
    const auto* first = reinterpret_cast<const std::uint8_t*>(object_.bytes.data()) + object_.pixel_offset;
    for (std::int64_t i = 0; i < layout_.pixels(); ++i) {
      const std::int64_t bit = frame * layout_.pixels() + i;
      if (object_.pixel_offset + bit / 8 >= static_cast<std::int64_t>(object_.bytes.size())) fail(object_, "truncated");
      out[static_cast<std::size_t>(i)] = (first[bit / 8] >> (bit % 8)) & 1;
    }
    return out;
  }
  const std::int64_t at = object_.pixel_offset + frame * size;
  if (at + size > static_cast<std::int64_t>(object_.bytes.size())) fail(object_, "truncated");
  std::memcpy(out.data(), object_.bytes.data() + at, out.size());
  if (!object_.big_endian) return out;
  if (layout_.bits_allocated == 8 && object_.words) {
    // Big endian data of VR OW are 16-bit words even where samples are bytes (PS3.5 A.3), counted over all frames.
    const std::int64_t there = static_cast<std::int64_t>(object_.bytes.size()) - object_.pixel_offset;
    const std::int64_t last = std::min<std::int64_t>(there, object_.pixel_length) - 1;
    for (std::int64_t i = 0; i < size; ++i) {
      const std::int64_t other = (frame * size + i) ^ 1;
      if (other > last) continue;
      const auto from = static_cast<std::size_t>(object_.pixel_offset + other);
      out[static_cast<std::size_t>(i)] = std::to_integer<std::uint8_t>(object_.bytes[from]);
    }
  }
  const auto width = static_cast<std::size_t>(layout_.bits_allocated / 8);
  for (std::size_t i = 0; width > 1 && i + width <= out.size(); i += width)
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(i), out.begin() + static_cast<std::ptrdiff_t>(i + width));
  return out;
}

RawFrame Frames::raw(std::int64_t frame) const {
  if (!object_.encapsulated())
    return {native(frame), layout_.photometric, std::max(layout_.bits_allocated, 8), layout_.planar == 1};
  const auto& pieces = fragments_[static_cast<std::size_t>(frame)];
  std::vector<std::byte> joined;
  std::span<const std::byte> stream = pieces.front();
  if (pieces.size() > 1) {
    for (const auto& piece : pieces) joined.insert(joined.end(), piece.begin(), piece.end());
    stream = joined;
  }
  if (stream.empty()) fail(object_, "truncated frame");
  const std::string& syntax = object_.transfer_syntax;
  if (syntax == rle) return bits_apart(decode_rle(stream, layout_, object_.name), layout_);
  if (among(jpeg2000_syntaxes, syntax)) return decode_jpeg2000(stream, layout_, object_.name);
  if (among(jpegls_syntaxes, syntax)) return decode_jpegls(stream, layout_, object_.name);
  if (syntax == deflated_frames) return bits_apart(decode_deflated(stream, layout_, object_.name), layout_);
  if (among(jpeg_syntaxes, syntax)) return decode_jpeg(stream, syntax, layout_, object_.name);
  RawFrame out{{}, layout_.photometric, layout_.bits_allocated, layout_.planar == 1};
  if (static_cast<std::int64_t>(stream.size()) < layout_.frame_bytes()) fail(object_, "truncated frame");
  out.bytes.resize(static_cast<std::size_t>(layout_.frame_bytes()));
  std::memcpy(out.bytes.data(), stream.data(), out.bytes.size());
  return out;
}

void Frames::stored(std::int64_t frame, std::span<std::int32_t> out) const {
  if (tile_) stored_tile(frame, out);
  else stored_picture(frame, out);
}

void Frames::stored_tile(std::int64_t frame, std::span<std::int32_t> out) const {
  const std::lock_guard lock(tiles_mutex_);
  if (const std::int64_t picture = frame / mosaic_.count; picture != tiles_frame_) {
    tiles_.resize(static_cast<std::size_t>(layout_.pixels()));
    stored_picture(picture, tiles_);
    tiles_frame_ = picture;
  }
  const std::int64_t tile = frame % mosaic_.count;
  auto from = tiles_.begin() + tile / mosaic_.across * tile_->rows * layout_.columns + tile % mosaic_.across * tile_->columns;
  for (std::int64_t y = 0; y < tile_->rows; ++y, from += layout_.columns)
    std::copy_n(from, tile_->columns, out.begin() + y * tile_->columns);
}

bool Frames::has_words() const noexcept {
  return !tile_ && layout_.samples == 1 && layout_.bits_allocated == 16 && layout_.bits_stored > 0;
}

void Frames::words(std::int64_t frame, std::span<std::int16_t> out) const {
  const RawFrame source = raw(frame);
  if (source.bytes.size() * 8 / static_cast<std::size_t>(source.bits) < out.size()) fail(object_, "truncated frame");
  if (source.bits == 16) std::memcpy(out.data(), source.bytes.data(), out.size_bytes());
  else if (source.bits == 8) std::copy_n(source.bytes.begin(), out.size(), out.begin());
  else fail(object_, "the frame has more bits than Bits Allocated (0028,0100)");
}

void Frames::stored_picture(std::int64_t frame, std::span<std::int32_t> out) const {
  if (layout_.samples != 1) fail(object_, "a grey image was expected");
  const RawFrame source = raw(frame);
  if (source.bytes.size() * 8 / static_cast<std::size_t>(source.bits) < out.size()) fail(object_, "truncated frame");
  // Bits above and below the stored ones may hold anything (PS3.5 8.1.1), so they are cut off.
  const int shift = layout_.high_bit + 1 - layout_.bits_stored, bits = layout_.bits_stored;
  const std::uint32_t mask = bits >= 32 ? 0xFFFFFFFFU : (1U << bits) - 1;
  const std::uint32_t sign = layout_.is_signed ? 1U << (bits - 1) : 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint32_t word = source.bits == 8    ? source.bytes[i]
                               : source.bits == 16 ? value_at<std::uint16_t>(source.bytes, i)
                                                   : value_at<std::uint32_t>(source.bytes, i);
    const std::uint32_t value = (word >> shift) & mask;
    out[i] = static_cast<std::int32_t>((value ^ sign) - sign);
  }
}

void Frames::real(std::int64_t frame, std::span<float> out) const {
  if (layout_.is_real() || layout_.is_double()) {
    const auto bytes = native(frame);
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = layout_.is_real() ? value_at<float>(bytes, i) : static_cast<float>(value_at<double>(bytes, i));
    return;
  }
  std::vector<std::int32_t> values(out.size());
  stored(frame, values);
  const bool wide = layout_.is_wide();
  std::transform(values.begin(), values.end(), out.begin(), [wide](std::int32_t v) {
    return wide ? static_cast<float>(static_cast<std::uint32_t>(v)) : static_cast<float>(v);
  });
}

std::vector<Rgb8> Frames::colour(std::int64_t frame) const {
  if (layout_.photometric != "PALETTE COLOR") return to_rgb(raw(frame), layout_, object_.name);
  std::vector<std::int32_t> values(static_cast<std::size_t>(layout_.pixels()));
  stored(frame, values);
  std::vector<Rgb8> out(values.size());
  const auto last = static_cast<std::int32_t>(palette_.size()) - 1;
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = palette_[static_cast<std::size_t>(std::clamp(values[i] - palette_first_, 0, last))];
  return out;
}

}  // namespace penta::io::dicom
