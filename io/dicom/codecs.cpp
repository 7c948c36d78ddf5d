#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>

#include <cstring>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

void register_codecs() {
  static const bool ready = [] {
    DJDecoderRegistration::registerCodecs(EDC_photometricInterpretation, EUC_never, EPC_colorByPixel);
    return true;
  }();
  static_cast<void>(ready);
}

// DCMTK's decoders take what they need from a data set that holds one frame.
std::unique_ptr<DcmDataset> one_frame(std::span<const std::byte> stream, E_TransferSyntax syntax, const Layout& layout,
                                      DcmPixelData*& pixels) {
  auto data = std::make_unique<DcmDataset>();
  const auto put = [&](const DcmTagKey& key, std::int64_t value) {
    data->putAndInsertUint16(key, static_cast<Uint16>(value));
  };
  put(DCM_SamplesPerPixel, layout.samples);
  data->putAndInsertString(DCM_PhotometricInterpretation, layout.photometric.c_str());
  if (layout.samples > 1) put(DCM_PlanarConfiguration, 0);
  data->putAndInsertString(DCM_NumberOfFrames, "1");
  put(DCM_Rows, layout.rows);
  put(DCM_Columns, layout.columns);
  put(DCM_BitsAllocated, layout.bits_allocated);
  put(DCM_BitsStored, layout.bits_stored);
  put(DCM_HighBit, layout.high_bit);
  put(DCM_PixelRepresentation, layout.is_signed ? 1 : 0);
  auto sequence = std::make_unique<DcmPixelSequence>(DCM_PixelSequenceTag);
  auto table = std::make_unique<DcmPixelItem>(DCM_PixelItemTag);
  auto fragment = std::make_unique<DcmPixelItem>(DCM_PixelItemTag);
  std::vector<Uint8> even(stream.size() + stream.size() % 2, 0);
  std::memcpy(even.data(), stream.data(), stream.size());
  fragment->putUint8Array(even.data(), static_cast<unsigned long>(even.size()));
  sequence->insert(table.release());
  sequence->insert(fragment.release());
  auto element = std::make_unique<DcmPixelData>(DCM_PixelData);
  element->putOriginalRepresentation(syntax, nullptr, sequence.release());
  pixels = element.get();
  data->insert(element.release(), OFTrue);
  return data;
}

// RLE of DICOM: PackBits of one byte plane (PS3.5 G.3).
void unpack(std::span<const std::byte> packed, std::uint8_t* out, std::size_t count, std::size_t stride,
            const std::string& name) {
  std::size_t at = 0, done = 0;
  while (done < count) {
    if (at >= packed.size()) throw Error(Code::bad_input, "decoding RLE of " + name + ": truncated segment");
    const int code = static_cast<std::int8_t>(packed[at++]);
    if (code == -128) continue;
    const std::size_t length = static_cast<std::size_t>(code >= 0 ? code + 1 : 1 - code);
    if (at + (code >= 0 ? length : 1) > packed.size())
      throw Error(Code::bad_input, "decoding RLE of " + name + ": truncated segment");
    for (std::size_t i = 0; i < length && done < count; ++i, ++done)
      out[done * stride] = std::to_integer<std::uint8_t>(packed[at + (code >= 0 ? i : 0)]);
    at += code >= 0 ? length : 1;
  }
}

}  // namespace

RawFrame decode_rle(std::span<const std::byte> stream, const Layout& layout, const std::string& name) {
  const auto word = [&](std::size_t i) {
    std::uint32_t value = 0;
    for (std::size_t k = 0; k < 4; ++k) value |= static_cast<std::uint32_t>(stream[4 * i + k]) << (8 * k);
    return static_cast<std::size_t>(value);
  };
  const auto width = static_cast<std::size_t>(std::max(layout.bits_allocated / 8, 1));
  const std::size_t segments = width * static_cast<std::size_t>(layout.samples);
  if (stream.size() < 64 || word(0) != segments)
    throw Error(Code::bad_input, "decoding RLE of " + name + ": its segments do not fit the pixel description");
  const std::string photometric = layout.photometric == "YBR_FULL_422" ? "YBR_FULL" : layout.photometric;
  RawFrame out{{}, photometric, std::max(layout.bits_allocated, 8), false};
  // Single bits are packed before they are compressed.
  const auto pixels = static_cast<std::size_t>(layout.bits_allocated == 1 ? layout.frame_bytes() : layout.pixels());
  out.bytes.resize(pixels * segments);
  for (std::size_t s = 0; s < segments; ++s) {
    const std::size_t first = word(s + 1), last = s + 1 < segments ? word(s + 2) : stream.size();
    if (first < 64 || first > last || last > stream.size())
      throw Error(Code::bad_input, "decoding RLE of " + name + ": a segment lies outside the frame");
    // The planes of a sample go from its most to its least significant byte (PS3.5 G.2).
    const std::size_t sample = s / width, byte = width - 1 - s % width;
    unpack(stream.subspan(first, last - first), out.bytes.data() + sample * width + byte, pixels, segments, name);
  }
  return out;
}

RawFrame decode_jpeg(std::span<const std::byte> stream, const std::string& transfer_syntax, const Layout& layout,
                     const std::string& name) {
  register_codecs();
  if (layout.bits_allocated != 8 && layout.bits_allocated != 16)
    throw Error(Code::bad_input, "decoding JPEG of " + name + ": Bits Allocated must be 8 or 16");
  const E_TransferSyntax syntax = DcmXfer(transfer_syntax.c_str()).getXfer();
  DcmPixelData* pixels = nullptr;
  const auto data = one_frame(stream, syntax, layout, pixels);
  RawFrame out;
  out.bits = layout.bits_allocated;
  const auto size = static_cast<std::size_t>(layout.pixels() * layout.samples * (layout.bits_allocated / 8));
  out.bytes.resize(size + size % 2);
  Uint32 fragment = 0;
  OFString photometric;
  const OFCondition status = pixels->getUncompressedFrame(data.get(), 0, fragment, out.bytes.data(),
                                                          static_cast<Uint32>(out.bytes.size()), photometric);
  if (status.bad())
    throw Error(Code::bad_input, "decoding JPEG of " + name + ": " + std::string(status.text()));
  out.bytes.resize(size);
  out.photometric = photometric.empty() ? layout.photometric : std::string(photometric.c_str());
  return out;
}

}  // namespace penta::io::dicom
