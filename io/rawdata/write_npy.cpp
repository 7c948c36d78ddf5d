#include "io/rawdata/write_npy.h"

#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "core/error.h"

namespace penta::io::rawdata {

namespace {

using Shape = std::vector<std::int64_t>;

// The parts are of one type and follow each other.
struct Array {
  const char* type = "<f4";
  Shape shape;
  std::vector<std::span<const std::byte>> parts;
};

std::vector<std::byte> file_of(const Array& array) {
  std::string header = std::string("{'descr': '") + array.type + "', 'fortran_order': False, 'shape': (";
  for (const std::int64_t size : array.shape) header += std::to_string(size) + ", ";
  header += "), }";
  // Magic, version and length are 10 bytes; data start on a multiple of 64 after a line feed (numpy.lib.format).
  header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
  header += '\n';
  std::string start("\x93NUMPY\x01\x00", 8);
  start += static_cast<char>(header.size() & 0xFF);
  start += static_cast<char>(header.size() >> 8);
  start += header;
  std::size_t bytes = start.size();
  for (const auto& part : array.parts) bytes += part.size();
  std::vector<std::byte> out(bytes);
  std::memcpy(out.data(), start.data(), start.size());
  std::size_t at = start.size();
  for (const auto& part : array.parts) {
    std::memcpy(out.data() + at, part.data(), part.size());
    at += part.size();
  }
  return out;
}

Array array_of(const Projections& p) {
  const auto views = static_cast<std::int64_t>(p.angle_deg.size());
  Array array{"<f4", {static_cast<std::int64_t>(p.layers.size()), views, p.rows, p.columns}, {}};
  for (const auto& layer : p.layers) array.parts.push_back(std::as_bytes(std::span(layer)));
  return array;
}

Array array_of(const KSpace& k) {
  Shape shape(k.shape.rbegin(), k.shape.rend());
  if (shape.size() == 4 && shape[1] == 1) shape.erase(shape.begin() + 1);
  return {"<c8", std::move(shape), {std::as_bytes(std::span(k.samples))}};
}

Array array_of(const Sinogram& s) { return {"<f4", {s.planes, s.views, s.bins}, {std::as_bytes(std::span(s.values))}}; }

Array array_of(const ListMode& l) {
  return {"<u8", {static_cast<std::int64_t>(l.events.size())}, {std::as_bytes(std::span(l.events))}};
}

Array array_of(const ChannelData& c) {
  return {"<f4", {c.transmits, c.elements, c.samples}, {std::as_bytes(std::span(c.values))}};
}

// One element type a voxel type; colour has a last axis of its own.
constexpr const char* type_of(std::uint8_t) { return "|u1"; }
constexpr const char* type_of(std::int16_t) { return "<i2"; }
constexpr const char* type_of(std::uint16_t) { return "<u2"; }
constexpr const char* type_of(std::int32_t) { return "<i4"; }
constexpr const char* type_of(float) { return "<f4"; }
constexpr const char* type_of(std::complex<float>) { return "<c8"; }
constexpr const char* type_of(Rgb8) { return "|u1"; }

template <class T>
void add(Array& array, Shape shape, std::span<const T> values) {
  if constexpr (std::is_same_v<T, Rgb8>) shape.push_back(3);
  if (array.parts.empty()) array.type = type_of(T{}), array.shape = shape;
  if (array.shape != shape || std::strcmp(array.type, type_of(T{})) != 0)
    throw Error(Code::bad_input, "writing NumPy: the volumes or frames differ in size or type");
  array.parts.push_back(std::as_bytes(values));
}

}  // namespace

std::vector<std::byte> write_npy(const RawData& raw) {
  return std::visit([](const auto& value) { return file_of(array_of(value)); }, raw.value);
}

std::vector<std::byte> write_npy(const Image& image) {
  Array array;
  if (const auto* volumes = std::get_if<VolumeSequence>(&image.pixels)) {
    for (const AnyVolume& any : *volumes)
      std::visit(
          [&](const auto& volume) {
            const auto& size = volume.grid().size();
            add(array, {size[2], size[1], size[0]}, volume.voxels());
          },
          any);
  } else if (const auto* frames = std::get_if<FrameSequence>(&image.pixels)) {
    for (const Frame2d& frame : *frames)
      std::visit(
          [&](const auto& pixels) { add(array, {frame.height, frame.width}, std::span(std::as_const(pixels))); },
          frame.pixels);
  } else {
    throw Error(Code::bad_input, "writing NumPy: the slices are no volume");
  }
  if (array.parts.size() > 1) array.shape.insert(array.shape.begin(), static_cast<std::int64_t>(array.parts.size()));
  return file_of(array);
}

}  // namespace penta::io::rawdata
