#include "io/nifti/nifti.h"

#include "core/error.h"
#include "io/nifti/geometry.h"
#include "io/nifti/gzip.h"
#include "io/nifti/header.h"
#include "io/nifti/voxels.h"
#include "io/raster.h"

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
  const Payload payload = payload_of(bytes, header, name);
  return labels_of(decode(header, grid, payload.data, remarks), header.intent_name == planar_intent, name);
}

}  // namespace penta::io::nifti
