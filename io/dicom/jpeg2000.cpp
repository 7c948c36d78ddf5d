#include <openjpeg.h>

#include <algorithm>
#include <cstring>

#include "io/dicom/internal.h"
#include "io/dicom/jpeg2000_lossless.h"

namespace penta::io::dicom {

namespace {

struct Reader {
  std::span<const std::byte> bytes;
  std::size_t at = 0;
};

OPJ_SIZE_T read_some(void* buffer, OPJ_SIZE_T count, void* user) {
  auto& reader = *static_cast<Reader*>(user);
  const std::size_t there = std::min<std::size_t>(count, reader.bytes.size() - reader.at);
  if (there == 0) return static_cast<OPJ_SIZE_T>(-1);
  std::memcpy(buffer, reader.bytes.data() + reader.at, there);
  reader.at += there;
  return there;
}

OPJ_OFF_T skip_some(OPJ_OFF_T count, void* user) {
  auto& reader = *static_cast<Reader*>(user);
  if (count < 0 || static_cast<std::size_t>(count) > reader.bytes.size() - reader.at) return -1;
  reader.at += static_cast<std::size_t>(count);
  return count;
}

OPJ_BOOL seek_to(OPJ_OFF_T place, void* user) {
  auto& reader = *static_cast<Reader*>(user);
  if (place < 0 || static_cast<std::size_t>(place) > reader.bytes.size()) return OPJ_FALSE;
  reader.at = static_cast<std::size_t>(place);
  return OPJ_TRUE;
}

void say_nothing(const char*, void*) {}

struct Release {
  void operator()(opj_codec_t* codec) const noexcept { opj_destroy_codec(codec); }
  void operator()(opj_image_t* image) const noexcept { opj_image_destroy(image); }
};
struct ReleaseStream {
  void operator()(opj_stream_t* stream) const noexcept { opj_stream_destroy(stream); }
};

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw Error(Code::bad_input, "decoding JPEG 2000 of " + name + ": " + what);
}

void check_image(const opj_image_t& image, const Layout& layout, const std::string& name) {
  if (static_cast<int>(image.numcomps) < layout.samples)
    fail(name, "it has fewer colour channels than the header says");
  if (image.x1 - image.x0 != layout.columns || image.y1 - image.y0 != layout.rows)
    fail(name, "its size differs from Rows and Columns of the header");
}

std::unique_ptr<opj_image_t, Release> decode(std::span<const std::byte> stream_bytes, const Layout& layout,
                                             const std::string& name) {
  const bool codestream = stream_bytes.size() > 2 && stream_bytes[0] == std::byte{0xFF};
  const std::unique_ptr<opj_codec_t, Release> codec(opj_create_decompress(codestream ? OPJ_CODEC_J2K : OPJ_CODEC_JP2));
  Reader reader{stream_bytes};
  const std::unique_ptr<opj_stream_t, ReleaseStream> stream(opj_stream_create(1 << 16, OPJ_TRUE));
  if (!codec || !stream) throw Error(Code::internal, "OpenJPEG cannot start");
  opj_set_info_handler(codec.get(), say_nothing, nullptr);
  opj_set_warning_handler(codec.get(), say_nothing, nullptr);
  opj_set_error_handler(codec.get(), say_nothing, nullptr);
  opj_stream_set_user_data(stream.get(), &reader, nullptr);
  opj_stream_set_user_data_length(stream.get(), stream_bytes.size());
  opj_stream_set_read_function(stream.get(), read_some);
  opj_stream_set_skip_function(stream.get(), skip_some);
  opj_stream_set_seek_function(stream.get(), seek_to);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  if (opj_setup_decoder(codec.get(), &parameters) == OPJ_FALSE) throw Error(Code::internal, "OpenJPEG cannot start");
  // DICOM frames that lost their end are decoded as far as they go in many viewers; here they are an error.
  opj_image_t* found = nullptr;
  const OPJ_BOOL header = opj_read_header(stream.get(), codec.get(), &found);
  std::unique_ptr<opj_image_t, Release> image(found);
  if (header == OPJ_FALSE || !image) fail(name, "its header cannot be read");
  check_image(*image, layout, name);
  if (opj_decode(codec.get(), stream.get(), image.get()) == OPJ_FALSE) fail(name, "the stream is broken or truncated");
  check_image(*image, layout, name);
  return image;
}

/// Where a channel's samples lie: one a pixel, or one for two columns (and rows) as colour differences may.
void check_channel(const opj_image_comp_t& channel, const Layout& layout, const std::string& name) {
  if (channel.data == nullptr) fail(name, "the stream is broken or truncated");
  const bool full = channel.w == layout.columns && channel.h == layout.rows;
  const bool halved = channel.dx == 2 && channel.dy >= 1 && channel.w == (layout.columns + 1) / 2 && channel.h > 0;
  if (!full && !halved) fail(name, "its channels differ in size");
}

template <class T>
void take_channel(const opj_image_comp_t& channel, const Layout& layout, std::size_t first, std::size_t step,
                  std::vector<std::uint8_t>& bytes) {
  const auto columns = static_cast<std::size_t>(layout.columns), rows = static_cast<std::size_t>(layout.rows);
  const bool full = channel.w == layout.columns && channel.h == layout.rows;
  // The stream and the header may differ in sign and in bits: the low bits are what was stored.
  const std::uint32_t sign = layout.is_signed && channel.prec < 32 ? 1U << (channel.prec - 1) : 0;
  const std::uint32_t mask = channel.prec < 32 ? (1U << channel.prec) - 1 : ~0U;
  std::uint8_t* out = bytes.data() + first * sizeof(T);
  for (std::size_t y = 0; y < rows; ++y) {
    const OPJ_INT32* from = channel.data + (full ? y : std::min<std::size_t>(y / channel.dy, channel.h - 1)) * channel.w;
    for (std::size_t x = 0; x < columns; ++x, out += step * sizeof(T)) {
      std::uint32_t word = static_cast<std::uint32_t>(from[full ? x : x / 2]);
      if (sign != 0) word = ((word & mask) ^ sign) - sign;
      const T value = static_cast<T>(word);
      std::memcpy(out, &value, sizeof(T));
    }
  }
}

}  // namespace

RawFrame decode_jpeg2000(std::span<const std::byte> stream, const Layout& layout, const std::string& name) {
  if (layout.samples == 1 && layout.bits_allocated == 16)
    if (auto words = decode_jpeg2000_lossless(stream, layout.columns, layout.rows, layout.is_signed))
      return {std::move(*words), layout.photometric, 16, false};
  const auto image = decode(stream, layout, name);
  // OpenJPEG undoes the component transform, so YBR_RCT and YBR_ICT come as RGB (PS3.3 C.7.6.3.1.2).
  RawFrame out;
  out.photometric = layout.photometric.starts_with("YBR_RCT") || layout.photometric.starts_with("YBR_ICT")
                        ? "RGB" : layout.photometric;
  out.bits = std::max(layout.bits_allocated, 8);
  if (out.bits != 8 && out.bits != 16 && out.bits != 32) fail(name, "Bits Allocated must be 1, 8, 16 or 32");
  const auto samples = static_cast<std::size_t>(layout.samples);
  out.bytes.resize(static_cast<std::size_t>(layout.pixels()) * samples * (static_cast<std::size_t>(out.bits) / 8));
  for (std::size_t c = 0; c < samples; ++c) {
    const opj_image_comp_t& channel = image->comps[c];
    check_channel(channel, layout, name);
    if (out.bits == 8) take_channel<std::uint8_t>(channel, layout, c, samples, out.bytes);
    else if (out.bits == 16) take_channel<std::uint16_t>(channel, layout, c, samples, out.bytes);
    else take_channel<std::uint32_t>(channel, layout, c, samples, out.bytes);
  }
  return out;
}

}  // namespace penta::io::dicom
