#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

namespace penta::io::nifti {

/// `datatype` of nifti1.h: what the file stores a voxel as.
enum class Datatype : std::int16_t {
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

/// The fields of a NIfTI-1 or NIfTI-2 header that matter here, in the machine's byte order, units as stored.
struct Header {
  int version = 1;
  bool swapped = false;  ///< the file's byte order is not the machine's
  std::array<std::int64_t, 8> dim{};
  Datatype datatype = Datatype::u8;
  std::array<double, 8> pixdim{};
  std::int64_t voxel_offset = 0;
  double slope = 0, intercept = 0;
  int qform_code = 0, sform_code = 0, xyzt_units = 0;
  std::array<double, 3> quaternion{}, quaternion_offset{};
  std::array<std::array<double, 4>, 3> srow{};
  std::string intent_name;
};

constexpr std::size_t header_bytes_max = 540;
/// intent_name of labels that count pixels and frames, not mm.
constexpr const char* planar_intent = "pixels";

/// The value at `offset`, which must lie inside.
template <class T>
[[nodiscard]] T load(const std::byte* at, bool swapped) noexcept {
  std::array<std::byte, sizeof(T)> raw;
  if (swapped)
    for (std::size_t i = 0; i < sizeof(T); ++i) raw[i] = at[sizeof(T) - 1 - i];
  else
    std::memcpy(raw.data(), at, sizeof(T));
  return std::bit_cast<T>(raw);
}

/// True when the (unpacked) bytes start with a NIfTI header, the .hdr of a pair included.
[[nodiscard]] bool is_header(std::span<const std::byte> bytes) noexcept;

/// Reads the header (nifti1.h, nifti2.h). Throws Error{bad_input} that names `name` and the field that is wrong:
/// a pair, Analyze 7.5, an unknown datatype, dim out of range, more than four dimensions.
[[nodiscard]] Header parse_header(std::span<const std::byte> bytes, const std::string& name);

/// Bytes of one stored voxel.
[[nodiscard]] std::uint64_t voxel_bytes(Datatype datatype) noexcept;
/// Bytes of all voxels; at most 8 GiB (else Error{bad_input}).
[[nodiscard]] std::uint64_t data_bytes(const Header& header, const std::string& name);

}  // namespace penta::io::nifti
