#include <charls/charls.h>

#include "io/dicom/internal.h"
#include "io/dicom/jpegls_lossless.h"

namespace penta::io::dicom {

namespace {

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw Error(Code::bad_input, "decoding JPEG-LS of " + name + ": " + what);
}

void check_frame(const charls::frame_info& info, const Layout& layout, const std::string& name) {
  if (info.component_count != layout.samples)
    fail(name, "its number of colour channels differs from Samples per Pixel of the header");
  if (info.width != layout.columns || info.height != layout.rows)
    fail(name, "its size differs from Rows and Columns of the header");
}

}  // namespace

RawFrame decode_jpegls(std::span<const std::byte> stream, const Layout& layout, const std::string& name) {
  if (layout.samples == 1)
    if (auto samples = decode_jpegls_lossless(stream, layout.columns, layout.rows))
      return {std::move(*samples), layout.photometric, 16, false};
  try {
    charls::jpegls_decoder decoder;
    decoder.source(stream.data(), stream.size());
    decoder.read_header();
    const charls::frame_info& info = decoder.frame_info();
    check_frame(info, layout, name);
    RawFrame out;
    out.photometric = layout.photometric;
    out.bits = info.bits_per_sample <= 8 ? 8 : 16;
    out.planar = layout.samples > 1 && decoder.interleave_mode() == charls::interleave_mode::none;
    out.bytes.resize(decoder.destination_size());
    decoder.decode(out.bytes.data(), out.bytes.size());
    return out;
  } catch (const charls::jpegls_error& error) {
    fail(name, error.what());
  }
}

}  // namespace penta::io::dicom
