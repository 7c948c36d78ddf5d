#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/remark.h"

namespace penta::io::nifti {

/// `datatype` of nifti1.h: what the file stores a voxel as.
enum class Datatype : std::int16_t {
  binary = 1,  ///< one bit a voxel, the lowest bit of a byte first (nifti1.h leaves the order open)
  u8 = 2,
  i16 = 4,
  i32 = 8,
  f32 = 16,
  c64 = 32,
  f64 = 64,
  rgb24 = 128,
  i8 = 256,
  u16 = 512,
  u32 = 768,
  i64 = 1024,
  u64 = 1280,
  c128 = 1792,
  rgba32 = 2304
};

/// Where the voxels of a header are: behind it, or in an .img beside it (NIfTI "ni1", or ANALYZE 7.5 without a magic).
enum class Kind { single, pair, analyze };

/// `intent_code` of nifti1.h where it changes what a voxel is.
enum class Intent : int {
  none = 0,
  label = 1002,
  general_matrix = 1004,
  symmetric_matrix = 1005,
  displacement = 1006,
  vector = 1007,
  point_set = 1008,
  triangle = 1009,
  quaternion = 1010,
  rgb_vector = 2003,
  rgba_vector = 2004
};

/// The fields of a NIfTI-1 or NIfTI-2 header that matter here, in the machine's byte order, units as stored.
struct Header {
  Kind kind = Kind::single;
  int version = 1;
  bool swapped = false;  ///< the file's byte order is not the machine's
  std::array<std::int64_t, 8> dim{};  ///< dim[4]: volumes; what parse_header() gives has 1 in dim[5] to dim[7]
  bool components = false;            ///< dim[4] counts the components of a vector (dim[5] in the file), not time
  Datatype datatype = Datatype::u8;
  std::array<double, 8> pixdim{};
  std::int64_t voxel_offset = 0;
  double slope = 0, intercept = 0;
  int qform_code = 0, sform_code = 0, xyzt_units = 0;
  std::array<double, 3> quaternion{}, quaternion_offset{};
  std::array<std::array<double, 4>, 3> srow{};
  double time_offset = 0;  ///< toffset, in the unit of time
  Intent intent = Intent::none;
  std::string intent_name;
  std::vector<Remark> remarks;  ///< what is wrong with the header and could be lived with
};

constexpr std::size_t header_bytes_max = 540;
/// intent_name of labels that count pixels and frames, not mm.
constexpr const char* planar_intent = "pixels";

/// The value at `at`, in the other byte order when `swapped`.
template <class T>
[[nodiscard]] T load(const std::byte* at, bool swapped) noexcept {
  if constexpr (sizeof(T) == 1) {
    return std::bit_cast<T>(*at);
  } else {
    using Raw = std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                   std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;
    Raw raw = 0;
    std::memcpy(&raw, at, sizeof(T));
    if (swapped) {
      if constexpr (sizeof(T) == 2) raw = __builtin_bswap16(raw);
      if constexpr (sizeof(T) == 4) raw = __builtin_bswap32(raw);
      if constexpr (sizeof(T) == 8) raw = __builtin_bswap64(raw);
    }
    return std::bit_cast<T>(raw);
  }
}

/// True when the (unpacked) bytes start with a NIfTI header, the .hdr of a pair included, or are one of ANALYZE 7.5.
[[nodiscard]] bool is_header(std::span<const std::byte> bytes) noexcept;

/// Reads the header (nifti1.h, nifti2.h, ANALYZE 7.5). Throws Error{bad_input} that names `name` and the field that is
/// wrong: an unknown datatype, dim out of range, more than one axis beyond space.
[[nodiscard]] Header parse_header(std::span<const std::byte> bytes, const std::string& name);

/// Bytes of one stored voxel; 1 for binary, which packs eight.
[[nodiscard]] std::uint64_t voxel_bytes(Datatype datatype) noexcept;
/// Bytes of all voxels; at most 8 GiB (else Error{bad_input}).
[[nodiscard]] std::uint64_t data_bytes(const Header& header, const std::string& name);

}  // namespace penta::io::nifti
