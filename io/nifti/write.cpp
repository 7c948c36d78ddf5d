#include <limits>

#include "core/error.h"
#include "io/nifti/geometry.h"
#include "io/nifti/gzip.h"
#include "io/nifti/header.h"
#include "io/nifti/nifti.h"
#include "io/raster.h"

namespace penta::io::nifti {

namespace {

constexpr std::size_t data_start = 352;

/// Little-endian fields of nifti1.h by offset.
class HeaderBytes {
 public:
  explicit HeaderBytes(std::vector<std::byte>& bytes) : bytes_(bytes) {}
  template <class T>
  void put(std::size_t offset, T value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof(T));
  }
  void put_number(std::size_t offset, double value) { put(offset, static_cast<float>(value)); }
  void put_text(std::size_t offset, std::string_view text) {
    std::memcpy(bytes_.data() + offset, text.data(), text.size());
  }

 private:
  std::vector<std::byte>& bytes_;
};

void put_size(HeaderBytes& out, const Stored& stored) {
  out.put<std::int16_t>(40, stored.size[3] > 1 ? 4 : 3);
  for (std::size_t i = 0; i < 7; ++i) {
    const std::int64_t n = i < 4 ? stored.size[i] : 1;
    if (n > std::numeric_limits<std::int16_t>::max())
      throw Error(Code::bad_input, "writing NIfTI-1: " + std::to_string(n) + " voxels on one axis, at most 32767");
    out.put<std::int16_t>(42 + 2 * i, static_cast<std::int16_t>(n));
  }
}

void put_place(HeaderBytes& out, const Stored& stored) {
  for (std::size_t i = 0; i < 3; ++i) out.put_number(80 + 4 * i, stored.spacing_mm[i]);
  out.put_number(92, 1);
  out.put_number(76, 1);
  out.put<std::uint8_t>(123, stored.in_mm ? 2 : 0);
  if (stored.grid == nullptr) return;
  const Placement place = placement_of(*stored.grid);
  out.put_number(76, place.qfac);
  out.put<std::int16_t>(252, 1);
  out.put<std::int16_t>(254, 1);
  for (std::size_t i = 0; i < 3; ++i) {
    out.put_number(256 + 4 * i, place.quaternion[i]);
    out.put_number(268 + 4 * i, place.quaternion_offset[i]);
    for (std::size_t j = 0; j < 4; ++j) out.put_number(280 + 16 * i + 4 * j, place.srow[i][j]);
  }
}

/// The bytes that start with room for a header, with that header, packed.
std::vector<std::byte> with_header(Stored stored, bool planar_labels) {
  static_assert(std::endian::native == std::endian::little);
  HeaderBytes out(stored.bytes);
  out.put<std::int32_t>(0, 348);
  out.put<std::uint8_t>(38, 'r');  // "regular", as nifti1.h asks for Analyze readers
  put_size(out, stored);
  out.put<std::int16_t>(70, static_cast<std::int16_t>(stored.datatype));
  out.put<std::int16_t>(72, static_cast<std::int16_t>(8 * voxel_bytes(stored.datatype)));
  out.put_number(108, data_start);
  out.put_number(112, 1);
  put_place(out, stored);
  out.put_text(148, "pentascope");
  if (planar_labels) out.put_text(328, planar_intent);
  out.put_text(344, "n+1");
  return gzip(stored.bytes);
}

}  // namespace

std::vector<std::byte> write(const Image& image) { return with_header(stored_of(image, "NIfTI", data_start), false); }

std::vector<std::byte> write(const LabelMap& labels, int layer) {
  return with_header(stored_of(labels, layer, data_start), labels.planar);
}

}  // namespace penta::io::nifti
