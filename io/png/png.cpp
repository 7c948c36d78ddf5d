#include "io/png/png.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.h"
#include "io/png/decode.h"

namespace penta::io::png {

namespace {

bool starts_with(std::span<const std::byte> bytes, std::span<const std::uint8_t> magic) noexcept {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}
template <class T>
std::vector<T> samples(const Raster& raster) {
  std::vector<T> values(raster.rows.size() / sizeof(T));
  std::memcpy(static_cast<void*>(values.data()), raster.rows.data(), values.size() * sizeof(T));
  return values;
}

Frame2d frame_of(const Raster& raster) {
  Frame2d frame;
  frame.width = raster.width;
  frame.height = raster.height;
  if (raster.channels == 3)
    frame.pixels = samples<Rgb8>(raster);
  else if (raster.bytes_per_sample == 2)
    frame.pixels = samples<std::uint16_t>(raster);
  else
    frame.pixels = samples<std::uint8_t>(raster);
  return frame;
}

std::vector<Remark> remarks_of(const Raster& raster) {
  std::vector<Remark> remarks;
  if (raster.alpha_dropped)
    remarks.push_back({Severity::note, "alpha_dropped", "the transparency of the picture was dropped"});
  if (raster.reduced_to_8) remarks.push_back({Severity::note, "precision_lost", "16-bit colours became 8-bit ones"});
  if (raster.exif_orientation != 1)
    remarks.push_back(
        {Severity::warning, "exif_orientation_left",
         "the Exif orientation " + std::to_string(raster.exif_orientation) + " was not applied: pixels lie as stored"});
  if (!raster.warning.empty())
    remarks.push_back({Severity::warning, "picture_damaged", "the picture may be damaged: " + raster.warning});
  return remarks;
}

}  // namespace

bool sniff_png(std::span<const std::byte> bytes) noexcept {
  constexpr std::array<std::uint8_t, 8> magic{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  return starts_with(bytes, magic);
}

bool sniff_jpeg(std::span<const std::byte> bytes) noexcept {
  constexpr std::array<std::uint8_t, 3> magic{0xFF, 0xD8, 0xFF};
  return starts_with(bytes, magic);
}

bool sniff(std::span<const std::byte> bytes) noexcept { return sniff_png(bytes) || sniff_jpeg(bytes); }

Image read(std::span<const std::byte> bytes, const std::string& name) {
  const Raster raster = sniff_png(bytes) ? decode_png(bytes, false, name) : decode_jpeg(bytes, name);
  Image image;
  image.remarks = remarks_of(raster);
  FrameSequence frames;
  frames.push_back(frame_of(raster));
  image.pixels = std::move(frames);
  image.sha256 = hash_of(image);
  return image;
}

LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name) {
  if (!sniff_png(bytes))
    throw Error(Code::bad_input,
                "reading labels '" + name + "': only PNG keeps label values, and this is another format");
  const Raster raster = decode_png(bytes, true, name);
  if (raster.channels != 1)
    throw Error(Code::bad_input, "reading labels '" + name + "': labels are a grey or palette PNG, and this has " +
                                     std::to_string(raster.channels) + " channels");
  LabelMap labels;
  labels.planar = true;
  labels.layers.emplace_back(Grid({raster.width, raster.height, 1}, {1, 1, 1}));
  const auto out = labels.layers.front().voxels();
  if (raster.bytes_per_sample == 2)
    std::memcpy(out.data(), raster.rows.data(), raster.rows.size());
  else
    std::copy(raster.rows.begin(), raster.rows.end(), out.begin());
  add_found_segments(labels);
  return labels;
}

std::vector<std::byte> write(const Picture& picture) {
  if (picture.width < 1 || picture.height < 1) throw Error(Code::internal, "writing PNG: a picture without pixels");
  static_assert(sizeof(Rgb8) == 3);
  const auto* first = reinterpret_cast<const std::uint8_t*>(picture.pixels.data());
  return encode_png(static_cast<std::uint32_t>(picture.width), static_cast<std::uint32_t>(picture.height), 3,
                    {first, picture.pixels.size() * 3});
}

std::vector<std::byte> write(const LabelMap& labels) {
  const Size3& size = labels.grid().size();
  if (size[2] != 1 || labels.layers.size() != 1)
    throw Error(Code::bad_input, "writing labels as PNG: one layer of one slice is needed; NIfTI holds more");
  const auto voxels = labels.layers.front().voxels();
  std::vector<std::uint8_t> rows(voxels.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (voxels[i] > 255)
      throw Error(Code::bad_input, "writing labels as PNG: label " + std::to_string(voxels[i]) + " is over 255");
    rows[i] = static_cast<std::uint8_t>(voxels[i]);
  }
  return encode_png(static_cast<std::uint32_t>(size[0]), static_cast<std::uint32_t>(size[1]), 1, rows);
}

}  // namespace penta::io::png
