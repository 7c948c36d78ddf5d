#include <openjpeg.h>

#include <algorithm>
#include <cstring>

#include "io/dicom/internal.h"

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

}  // namespace

RawFrame decode_jpeg2000(std::span<const std::byte> stream, const Layout& layout, const std::string& name) {
  const auto image = decode(stream, layout, name);
  // OpenJPEG undoes the component transform, so YBR_RCT and YBR_ICT come as RGB (PS3.3 C.7.6.3.1.2).
  RawFrame out;
  out.photometric = layout.photometric.starts_with("YBR_RCT") || layout.photometric.starts_with("YBR_ICT")
                        ? "RGB" : layout.photometric;
  out.bits = layout.bits_allocated;
  if (out.bits != 8 && out.bits != 16 && out.bits != 32) fail(name, "Bits Allocated must be 8, 16 or 32");
  const std::size_t width = static_cast<std::size_t>(out.bits) / 8, samples = static_cast<std::size_t>(layout.samples);
  const auto pixels = static_cast<std::size_t>(layout.pixels());
  out.bytes.resize(pixels * samples * width);
  for (std::size_t c = 0; c < samples; ++c) {
    const opj_image_comp_t& component = image->comps[c];
    if (component.data == nullptr) fail(name, "the stream is broken or truncated");
    const bool full = component.w == layout.columns && component.h == layout.rows;
    const bool halved = component.dx == 2 && component.w == (layout.columns + 1) / 2;
    if (!full && !halved) fail(name, "its channels differ in size");
    const int precision = static_cast<int>(component.prec);
    for (std::size_t i = 0; i < pixels; ++i) {
      const auto columns = static_cast<std::size_t>(layout.columns);
      const std::size_t x = i % columns, y = i / columns;
      const std::size_t source_y = std::min<std::size_t>(y / component.dy, component.h - 1);
      const std::int32_t value = full ? component.data[i] : component.data[x / 2 + source_y * component.w];
      // The stream and the header may differ in sign and in bits: the low bits are what was stored.
      std::uint32_t word = static_cast<std::uint32_t>(value);
      if (layout.is_signed && precision < 32 && (word >> (precision - 1) & 1U) != 0) word |= ~0U << precision;
      std::memcpy(out.bytes.data() + (i * samples + c) * width, &word, width);
    }
  }
  return out;
}

}  // namespace penta::io::dicom
