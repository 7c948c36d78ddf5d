#include "io/nifti/nifti.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.h"
#include "io/nifti/geometry.h"
#include "io/nifti/gzip.h"
#include "io/nifti/header.h"
#include "io/nifti/voxels.h"

namespace penta::io::nifti {

namespace {

/// The voxel bytes of a file, unpacked where need be: `data` lies in `owned` or in the file itself.
struct Payload {
  std::vector<std::byte> owned;
  std::span<const std::byte> data;
};

Payload payload_of(std::span<const std::byte> bytes, const Header& header, const std::string& name) {
  const std::uint64_t size = data_bytes(header, name);
  const auto offset = static_cast<std::uint64_t>(header.voxel_offset);
  Payload payload;
  std::span<const std::byte> all = bytes;
  if (is_gzip(bytes)) {
    payload.owned = gunzip(bytes, offset + size, name);
    all = payload.owned;
  }
  if (all.size() < offset || all.size() - offset < size)
    throw Error(Code::bad_input, "reading NIfTI '" + name + "': the file is cut off: " + std::to_string(all.size()) +
                                     " bytes of " + std::to_string(offset + size));
  payload.data = all.subspan(offset, size);
  return payload;
}

Header header_of(std::span<const std::byte> bytes, const std::string& name) {
  if (!is_gzip(bytes)) return parse_header(bytes, name);
  return parse_header(gunzip_head(bytes, header_bytes_max), name);
}

/// A whole number 0..65535, or nothing.
template <class T>
bool as_label(const T& value, std::uint16_t& label) noexcept {
  if constexpr (std::is_same_v<T, Rgb8> || std::is_same_v<T, std::complex<float>>) {
    return false;
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!(value >= 0 && value <= 65535) || value != std::floor(value)) return false;
    label = static_cast<std::uint16_t>(value);
    return true;
  } else {
    if (!std::in_range<std::uint16_t>(value)) return false;
    label = static_cast<std::uint16_t>(value);
    return true;
  }
}

void copy_labels(const AnyVolume& from, std::span<std::uint16_t> to, const std::string& name) {
  std::visit(
      [&](const auto& volume) {
        const auto voxels = volume.voxels();
        for (std::size_t i = 0; i < voxels.size(); ++i)
          if (!as_label(voxels[i], to[i]))
            throw Error(Code::bad_input, "reading labels '" + name + "': voxel " + std::to_string(i) +
                                             " is no whole number from 0 to 65535");
      },
      from);
}

}  // namespace

bool sniff(std::span<const std::byte> bytes) noexcept {
  if (!is_gzip(bytes)) return is_header(bytes);
  try {
    return is_header(gunzip_head(bytes, header_bytes_max));
  } catch (const std::exception&) {
    return false;
  }
}

Image read(std::span<const std::byte> bytes, const std::string& name) {
  const Header header = header_of(bytes, name);
  Image image;
  const Grid grid = place(header, name, image.remarks);
  const Payload payload = payload_of(bytes, header, name);
  image.pixels = decode(header, grid, payload.data, image.remarks);
  if (header.dim[4] > 1) image.axis = SequenceAxis::time;
  image.sha256 = hash_of(image);
  return image;
}

LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name) {
  const Header header = header_of(bytes, name);
  std::vector<Remark> remarks;
  const Grid grid = place(header, name, remarks);
  const bool cine = header.dim[4] > 1;
  if (cine && header.dim[3] > 1)
    throw Error(Code::bad_input, "reading labels '" + name + "': a 4-D file holds frames of one slice, and this has " +
                                     std::to_string(header.dim[3]) + " slices");
  const Payload payload = payload_of(bytes, header, name);
  const std::vector<AnyVolume> volumes = decode(header, grid, payload.data, remarks);
  LabelMap labels;
  labels.planar = cine || header.intent_name == planar_intent;
  const Grid frames({header.dim[1], header.dim[2], std::max(header.dim[3], header.dim[4])}, {1, 1, 1});
  labels.layers.emplace_back(labels.planar ? frames : grid);
  const auto all = labels.layers.front().voxels();
  const std::size_t one = all.size() / volumes.size();
  for (std::size_t t = 0; t < volumes.size(); ++t) copy_labels(volumes[t], all.subspan(t * one, one), name);
  add_found_segments(labels);
  return labels;
}

}  // namespace penta::io::nifti
