#include "core/image.h"

#include <algorithm>
#include <cstdio>

#include "core/error.h"
#include "core/hash.h"

namespace penta {

namespace {

std::string short_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

template <class T>
std::span<const std::byte> bytes_of(const T& values) {
  return std::as_bytes(std::span(values));
}

template <class T>
void add_value(Sha256& hash, const T& value) {
  hash.add(std::as_bytes(std::span(&value, 1)));
}

void add_grid(Sha256& hash, const Grid& grid) {
  add_value(hash, grid.size());
  add_value(hash, grid.spacing_mm());
  add_value(hash, grid.origin_mm());
  add_value(hash, grid.direction());
}

void add_frame(Sha256& hash, const Frame2d& frame) {
  add_value(hash, frame.width);
  add_value(hash, frame.height);
  if (frame.spacing_mm) add_value(hash, *frame.spacing_mm);
  std::visit([&](const auto& pixels) { hash.add(bytes_of(pixels)); }, frame.pixels);
}

void add_stack(Sha256& hash, const SliceStack& stack) {
  for (const auto& slice : stack.slices) {
    add_value(hash, slice.origin_mm);
    hash.add(bytes_of(slice.pixels));
  }
}

}  // namespace

std::array<double, 2> Frame2d::spacing_mm_or_throw() const {
  if (!spacing_mm) throw Error(Code::bad_input, "this picture has no size in mm (give one: --set pixel_mm=...)");
  return *spacing_mm;
}

std::vector<float> Frame2d::grey() const {
  return std::visit(
      [](const auto& values) {
        std::vector<float> out(values.size());
        std::transform(values.begin(), values.end(), out.begin(), [](const auto& v) {
          if constexpr (std::is_same_v<std::decay_t<decltype(v)>, Rgb8>)
            return 0.299F * static_cast<float>(v.red) + 0.587F * static_cast<float>(v.green) +
                   0.114F * static_cast<float>(v.blue);
          else
            return static_cast<float>(v);
        });
        return out;
      },
      pixels);
}

bool Image::is_volume() const noexcept {
  const auto* volumes = std::get_if<VolumeSequence>(&pixels);
  return volumes != nullptr && volumes->size() == 1;
}

const AnyVolume& Image::volume() const {
  if (!is_volume()) throw Error(Code::bad_input, "one volume is needed, and this is " + shape_text());
  return std::get<VolumeSequence>(pixels).front();
}

const FrameSequence& Image::frames() const {
  if (!is_frames()) throw Error(Code::bad_input, "pictures are needed, and this is " + shape_text());
  return std::get<FrameSequence>(pixels);
}

std::string Image::shape_text() const {
  if (const auto* frames = std::get_if<FrameSequence>(&pixels)) {
    if (frames->empty()) return "no picture";
    const std::string size = std::to_string(frames->front().width) + " x " + std::to_string(frames->front().height);
    return (frames->size() == 1 ? "a picture of " : std::to_string(frames->size()) + " frames of ") + size + " pixels";
  }
  if (const auto* stack = std::get_if<SliceStack>(&pixels))
    return std::to_string(stack->slices.size()) + " slices of " + std::to_string(stack->width) + " x " +
           std::to_string(stack->height) + " pixels that are no volume: " + stack->why;
  const auto& volumes = std::get<VolumeSequence>(pixels);
  if (volumes.empty()) return "no volume";
  const Grid& grid = grid_of(volumes.front());
  std::string text = volumes.size() == 1 ? "" : std::to_string(volumes.size()) + " volumes of ";
  for (std::size_t k = 0; k < 3; ++k) text += (k > 0 ? " x " : "") + std::to_string(grid.size()[k]);
  text += " voxels of ";
  for (std::size_t k = 0; k < 3; ++k) text += (k > 0 ? " x " : "") + short_number(grid.spacing_mm()[k]);
  return text + " mm";
}

Image image_like(const Image& source, AnyVolume volume, std::string unit) {
  Image image;
  VolumeSequence sequence;
  sequence.push_back(std::move(volume));
  image.pixels = std::move(sequence);
  image.unit = std::move(unit);
  image.acquisition = source.acquisition;
  image.sha256 = hash_of(image);
  return image;
}

std::string hash_of(const Image& image) {
  Sha256 hash;
  hash.add(image.unit);
  if (const auto* volumes = std::get_if<VolumeSequence>(&image.pixels)) {
    for (const AnyVolume& volume : *volumes) {
      add_grid(hash, grid_of(volume));
      std::visit([&](const auto& v) { hash.add(bytes_of(v.voxels())); }, volume);
    }
  } else if (const auto* frames = std::get_if<FrameSequence>(&image.pixels)) {
    for (const Frame2d& frame : *frames) add_frame(hash, frame);
  } else {
    add_stack(hash, std::get<SliceStack>(image.pixels));
  }
  return hash.hex();
}

}  // namespace penta
