#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cstring>
#include <limits>

#include "io/dicom/web_parts.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom {

namespace {

[[noreturn]] void fail(const Object& object, const std::string& what) {
  throw Error(Code::bad_input, "reading the pixels of " + object.name + ": " + what);
}

/// Samples of as many bytes as Bits Allocated says, colour by pixel or by plane as asked.
std::vector<std::uint8_t> samples_of(const Object& object, const Layout& layout, RawFrame raw, bool planar) {
  const auto width = static_cast<std::size_t>(std::max(layout.bits_allocated, 8) / 8), given = static_cast<std::size_t>(raw.bits / 8);
  if (given > width) fail(object, "the frame has more bits than Bits Allocated (0028,0100)");
  if (given < width) {
    std::vector<std::uint8_t> wide(raw.bytes.size() / given * width);
    for (std::size_t i = 0; i < raw.bytes.size() / given; ++i) std::memcpy(wide.data() + i * width, raw.bytes.data() + i * given, given);
    raw.bytes = std::move(wide);
  }
  const auto pixels = static_cast<std::size_t>(layout.pixels()), samples = static_cast<std::size_t>(layout.samples);
  if (samples == 1 || raw.planar == planar || raw.bytes.size() < pixels * samples * width) return std::move(raw.bytes);
  std::vector<std::uint8_t> turned(pixels * samples * width);
  for (std::size_t p = 0; p < pixels; ++p)
    for (std::size_t s = 0; s < samples; ++s) {
      const std::size_t by_pixel = (p * samples + s) * width, by_plane = (s * pixels + p) * width;
      std::memcpy(turned.data() + (planar ? by_plane : by_pixel), raw.bytes.data() + (planar ? by_pixel : by_plane), width);
    }
  return turned;
}

/// Single bits, one a byte, behind those that `out` holds.
void pack_bits(const std::vector<std::uint8_t>& bits, std::int64_t first, std::vector<std::uint8_t>& out) {
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const std::size_t at = static_cast<std::size_t>(first) + i;
    if (bits[i] != 0) out[at / 8] = static_cast<std::uint8_t>(out[at / 8] | 1U << (at % 8));
  }
}

void put_value(DcmItem& data, const DcmTagKey& tag, DcmEVR vr, std::vector<std::uint8_t> bytes) {
  bytes.resize(bytes.size() + bytes.size() % 2);
  const auto length = static_cast<unsigned long>(bytes.size());
  // DCMTK takes words in the host's order, which is little endian here.
  OFCondition status = EC_Normal;
  if (vr == EVR_OB) {
    status = data.putAndInsertUint8Array(DcmTag(tag, EVR_OB), bytes.data(), length);
  } else if (vr == EVR_OW) {
    std::vector<Uint16> words(bytes.size() / 2);
    std::memcpy(words.data(), bytes.data(), bytes.size());
    status = data.putAndInsertUint16Array(DcmTag(tag, EVR_OW), words.data(), length / 2);
  } else if (vr == EVR_OF) {
    std::vector<Float32> values(bytes.size() / 4);
    std::memcpy(values.data(), bytes.data(), values.size() * 4);
    status = data.putAndInsertFloat32Array(DcmTag(tag, EVR_OF), values.data(), static_cast<unsigned long>(values.size()));
  } else {
    std::vector<Float64> values(bytes.size() / 8);
    std::memcpy(values.data(), bytes.data(), values.size() * 8);
    status = data.putAndInsertFloat64Array(DcmTag(tag, EVR_OD), values.data(), static_cast<unsigned long>(values.size()));
  }
  if (status.bad()) throw Error(Code::internal, std::string("setting pixel data: ") + status.text());
}

/// All frames as native pixel data, and the attributes that decoding changes.
void put_native_pixels(const Object& object) {
  const Layout layout = layout_of(object);
  const Frames frames(object);
  if (layout.native_bytes() > std::int64_t{std::numeric_limits<std::uint32_t>::max()} - 1)
    fail(object, "more than 4 GiB of native pixel data, which explicit VR little endian cannot hold");
  std::vector<std::uint8_t> all;
  if (layout.bits_allocated == 1) all.resize(static_cast<std::size_t>(layout.native_bytes()));
  std::string photometric = layout.photometric;
  const bool planar = layout.planar == 1 && !object.encapsulated();
  for (std::int64_t f = 0; f < layout.frames; ++f) {
    RawFrame raw = frames.raw(f);
    photometric = raw.photometric;
    if (layout.bits_allocated == 1) {
      pack_bits(raw.bytes, f * layout.pixels(), all);
      continue;
    }
    const auto samples = samples_of(object, layout, std::move(raw), planar);
    all.insert(all.end(), samples.begin(), samples.end());
  }
  DcmItem& data = object.data();
  const DcmTagKey tag(object.pixel_tag.group, object.pixel_tag.element);
  const DcmEVR vr = layout.is_real() ? EVR_OF : layout.is_double() ? EVR_OD : layout.bits_allocated > 8 ? EVR_OW : EVR_OB;
  put_value(data, tag, vr, std::move(all));
  if (!layout.is_real() && !layout.is_double()) parts::put(data, DCM_PhotometricInterpretation, photometric);
  if (layout.samples > 1) parts::put_u16(data, DCM_PlanarConfiguration, planar ? 1 : 0);
  for (const Uint16 element : {Uint16{1}, Uint16{2}}) data.findAndDeleteElement(DcmTagKey(0x7FE0, element));
}

}  // namespace

NativeFrame native_frame(const std::filesystem::path& path, std::int64_t frame) {
  const Object object = load({"the instance", path}, true);
  const Layout layout = layout_of(object);
  const Frames frames(object);
  if (frame < 1 || frame > layout.frames)
    fail(object, "there is no frame " + std::to_string(frame) + "; it has " + std::to_string(layout.frames));
  RawFrame raw = frames.raw(frame - 1);
  NativeFrame out;
  out.photometric = raw.photometric;
  out.planar = layout.samples > 1 && layout.planar == 1;
  std::vector<std::uint8_t> samples;
  if (layout.bits_allocated == 1) {
    samples.resize(static_cast<std::size_t>(layout.frame_bytes()));
    pack_bits(raw.bytes, 0, samples);
  } else {
    samples = samples_of(object, layout, std::move(raw), out.planar);
  }
  const auto bytes = std::as_bytes(std::span(samples));
  out.bytes.assign(bytes.begin(), bytes.end());
  return out;
}

std::vector<std::byte> as_explicit_little_endian(const std::filesystem::path& path) {
  const Object object = load({"the instance", path}, true, Texts::as_they_are);
  if (!has(object.data(), tag::sop_class) || !has(object.data(), tag::sop_instance))
    throw Error(Code::bad_input, "transcoding " + object.name + ": it has no SOP Class UID or no SOP Instance UID");
  if (object.has_pixels()) put_native_pixels(object);
  try {
    return parts::to_bytes(*object.dataset);
  } catch (const Error& error) {
    throw Error(Code::bad_input, "transcoding " + object.name + ": " + error.what());
  }
}

}  // namespace penta::io::dicom
