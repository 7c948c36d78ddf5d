#include "io/tiff/tiff.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>

#include "core/error.h"
#include "io/nifti/voxels.h"
#include "io/raster.h"
#include "io/text_header.h"
#include "io/tiff/pages.h"

namespace penta::io::tiff {

namespace {

using nifti::Datatype;

constexpr std::uint64_t bytes_max = 8ULL << 30U, free_bytes = 512ULL << 20U, ratio_max = 200;
constexpr int pages_max = 65535;

/// Remarks of all pages, each said once.
class Said {
 public:
  void say(Severity severity, const std::string& code, const std::string& text) {
    if (codes_.insert(code).second) remarks_.push_back({severity, code, text});
  }
  void add(const std::vector<Remark>& remarks) {
    for (const Remark& r : remarks) say(r.severity, r.code, r.text);
  }
  [[nodiscard]] std::vector<Remark> take() { return std::move(remarks_); }

 private:
  std::set<std::string> codes_;
  std::vector<Remark> remarks_;
};

Datatype datatype_of(const PageHead& h, int sample_bytes) {
  if (h.format == SAMPLEFORMAT_IEEEFP) return sample_bytes == 4 ? Datatype::f32 : Datatype::f64;
  const bool is_signed = h.format == SAMPLEFORMAT_INT;
  if (sample_bytes == 1) return is_signed ? Datatype::i8 : Datatype::u8;
  if (sample_bytes == 2) return is_signed ? Datatype::i16 : Datatype::u16;
  if (sample_bytes == 4) return is_signed ? Datatype::i32 : Datatype::u32;
  return is_signed ? Datatype::i64 : Datatype::u64;
}

/// The first samples of each pixel without those behind `keep`.
std::vector<std::byte> without_alpha(const PageHead& head, const PagePixels& page, std::size_t keep) {
  const std::size_t all = head.samples, one = static_cast<std::size_t>(page.sample_bytes);
  const std::size_t count = page.bytes.size() / one / all;
  std::vector<std::byte> out(count * keep * one);
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(out.data() + i * keep * one, page.bytes.data() + i * all * one, keep * one);
  return out;
}

template <class T>
std::vector<T> as(const std::vector<std::byte>& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(static_cast<void*>(values.data()), bytes.data(), values.size() * sizeof(T));
  return values;
}

std::vector<Rgb8> colours(const std::vector<std::byte>& bytes, int sample_bytes, Said& said) {
  if (sample_bytes == 1) return as<Rgb8>(bytes);
  said.say(Severity::note, "precision_lost", "16-bit colours became 8-bit ones");
  const std::vector<std::uint16_t> wide = as<std::uint16_t>(bytes);
  const auto narrow = [](std::uint16_t v) { return static_cast<std::uint8_t>((v * 255U + 32767U) / 65535U); };
  std::vector<Rgb8> out(wide.size() / 3);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = {narrow(wide[3 * i]), narrow(wide[3 * i + 1]), narrow(wide[3 * i + 2])};
  return out;
}

std::vector<Rgb8> through_palette(const PagePixels& page) {
  std::vector<Rgb8> out;
  out.reserve(page.bytes.size());
  for (const std::byte index : page.bytes) {
    const auto& c = page.palette[std::to_integer<std::size_t>(index)];
    out.push_back({static_cast<std::uint8_t>(c[0] >> 8U), static_cast<std::uint8_t>(c[1] >> 8U),
                   static_cast<std::uint8_t>(c[2] >> 8U)});
  }
  return out;
}

/// 0 is white: values are turned round, so that more is brighter as everywhere else.
template <class T>
void turn_round(std::vector<T>& pixels, const PageHead& head, Said& said) {
  if (head.photometric != PHOTOMETRIC_MINISWHITE) return;
  if (head.format == SAMPLEFORMAT_INT || head.format == SAMPLEFORMAT_IEEEFP || head.bits > 16) {
    said.say(Severity::warning, "white_is_zero_left", "0 is white in this file; signed and float values were left so");
    return;
  }
  said.say(Severity::note, "white_is_zero_inverted", "0 is white in this file: values were turned round");
  const auto top = static_cast<T>((1U << head.bits) - 1);
  for (T& p : pixels) p = static_cast<T>(top - p);
}

/// Grey samples by the rules of voxel types; a frame holds uint8, uint16 or float32.
void fill_grey(const PageHead& head, int sample_bytes, std::span<const std::byte> bytes, Frame2d& frame, Said& said) {
  nifti::Header header;
  header.datatype = datatype_of(head, sample_bytes);
  header.dim = {4, frame.width, frame.height, 1, 1, 1, 1, 1};
  std::vector<Remark> remarks;
  const auto volumes = nifti::decode(header, Grid({frame.width, frame.height, 1}, {1, 1, 1}), bytes, remarks);
  said.add(remarks);
  const auto keep = [&](const auto& volume) {
    using T = std::decay_t<decltype(volume.voxels()[0])>;
    std::vector<T> pixels(volume.voxels().begin(), volume.voxels().end());
    turn_round(pixels, head, said);
    frame.pixels = std::move(pixels);
  };
  if (const auto* u8 = std::get_if<Volume<std::uint8_t>>(&volumes.front())) return keep(*u8);
  if (const auto* u16 = std::get_if<Volume<std::uint16_t>>(&volumes.front())) return keep(*u16);
  if (const auto* i32 = std::get_if<Volume<std::int32_t>>(&volumes.front())) {
    double error = 0;
    for (const std::int32_t v : i32->voxels())
      error = std::max(error, std::abs(static_cast<double>(static_cast<float>(v)) - static_cast<double>(v)));
    if (error > 0)
      said.say(Severity::note, "precision_lost", "whole numbers became float32; the largest error is " + digits(error));
  }
  keep(to_float(volumes.front()));
}

Frame2d frame_of(const PageHead& head, PagePixels page, Said& said) {
  Frame2d frame;
  frame.width = head.width;
  frame.height = head.height;
  const bool rgb = head.photometric == PHOTOMETRIC_RGB;
  const std::size_t keep = rgb ? 3 : 1;
  if (head.samples > keep) {
    said.say(Severity::note, "alpha_dropped", "the transparency of the picture was dropped");
    page.bytes = without_alpha(head, page, keep);
  }
  if (rgb)
    frame.pixels = colours(page.bytes, page.sample_bytes, said);
  else if (head.photometric == PHOTOMETRIC_PALETTE)
    frame.pixels = through_palette(page);
  else
    fill_grey(head, page.sample_bytes, page.bytes, frame, said);
  return frame;
}

void say_of_head(const PageHead& head, Said& said) {
  if (head.orientation != ORIENTATION_TOPLEFT)
    said.say(Severity::warning, "exif_orientation_left",
             "the orientation " + std::to_string(head.orientation) + " was not applied: pixels lie as stored");
  if (head.resolution > 0 && std::isfinite(head.resolution) && head.resolution_unit != RESUNIT_NONE)
    said.say(Severity::note, "resolution_not_taken",
             "the file says " + digits(std::round(head.resolution * 100) / 100) + " pixels per " +
                 (head.resolution_unit == RESUNIT_CENTIMETER ? "cm" : "inch") +
                 ", which is of the print and not taken as a size; pixel_mm gives one");
}

std::uint64_t stored_bits(const PageHead& head) {
  return static_cast<std::uint64_t>(head.width) * head.height * head.samples * head.bits;
}

/// Calls `take(head)` for each page, after its size was counted against the limits.
template <class Take>
void for_pages(Memory& file, std::size_t file_bytes, Take take) {
  std::uint64_t total = 0;
  int pages = 0;
  do {
    if (++pages > pages_max) file.fail("more than 65535 pages");
    const PageHead head = head_of(file);
    total += unpacked_bytes(head, file);
    if (total > bytes_max) file.fail("more than 8 GiB of pixels");
    if (head.compression == COMPRESSION_NONE && stored_bits(head) / 8 > file_bytes)
      file.fail("its pixels are damaged or cut off: more than the file has bytes");
    if (total > free_bytes && total / ratio_max > file_bytes) file.fail("the pixels are more than 200 times the file");
    take(head);
  } while (TIFFReadDirectory(file.handle()) != 0);
}

bool fits(const PageHead& head, const std::optional<PageHead>& first, Said& said) {
  if (head.reduced) {
    said.say(Severity::note, "pages_left_out", "smaller copies of pages were passed over");
    return false;
  }
  if (first && (head.width != first->width || head.height != first->height)) {
    said.say(Severity::warning, "pages_of_other_size", "pages of another size than the first were passed over");
    return false;
  }
  return true;
}

}  // namespace

bool sniff(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < 8) return false;
  const auto at = [&](std::size_t i) { return std::to_integer<int>(bytes[i]); };
  const bool little = at(0) == 'I' && at(1) == 'I' && (at(2) == 42 || at(2) == 43) && at(3) == 0;
  const bool big = at(0) == 'M' && at(1) == 'M' && at(2) == 0 && (at(3) == 42 || at(3) == 43);
  // PS3.10 7.1 lets the preamble be a TIFF header: DICOM is what it is.
  const bool dicom = bytes.size() >= 132 && std::memcmp(bytes.data() + 128, "DICM", 4) == 0;
  return (little || big) && !dicom;
}

Image read(std::span<const std::byte> bytes, const std::string& name) {
  Memory file(bytes, "reading TIFF '" + name + "': ");
  Said said;
  FrameSequence frames;
  std::optional<PageHead> first;
  for_pages(file, bytes.size(), [&](const PageHead& head) {
    if (!fits(head, first, said)) return;
    if (!first) first = head;
    say_of_head(head, said);
    frames.push_back(frame_of(head, pixels_of(head, file), said));
  });
  if (frames.empty()) file.fail("it holds no page of full size");
  if (!file.fault().empty())
    said.say(Severity::warning, "picture_damaged", "the picture may be damaged: " + file.fault());
  for (const Frame2d& frame : frames)
    if (frame.pixels.index() != frames.front().pixels.index()) file.fail("its pages differ in pixel type");
  Image image;
  if (frames.size() > 1) image.axis = SequenceAxis::frame;
  image.pixels = std::move(frames);
  image.remarks = said.take();
  image.sha256 = hash_of(image);
  return image;
}

LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name) {
  Memory file(bytes, "reading labels '" + name + "': ");
  Said said;
  std::vector<AnyVolume> volumes;
  std::optional<PageHead> first;
  for_pages(file, bytes.size(), [&](const PageHead& head) {
    if (!fits(head, first, said)) return;
    if (head.samples != 1)
      file.fail("labels are grey or palette, and this has " + std::to_string(head.samples) + " channels");
    if (!first) first = head;
    const PagePixels page = pixels_of(head, file);
    nifti::Header header;
    header.datatype = datatype_of(head, page.sample_bytes);
    header.dim = {4, head.width, head.height, 1, 1, 1, 1, 1};
    std::vector<Remark> remarks;
    auto decoded = nifti::decode(header, Grid({head.width, head.height, 1}, {1, 1, 1}), page.bytes, remarks);
    volumes.push_back(std::move(decoded.front()));
  });
  if (volumes.empty()) file.fail("it holds no page of full size");
  return labels_of(volumes, true, name);
}

}  // namespace penta::io::tiff
