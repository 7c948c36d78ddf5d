#include "io/nifti/header.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.h"

namespace penta::io::nifti {

namespace {

constexpr std::int32_t header_bytes_1 = 348, header_bytes_2 = 540;
constexpr std::uint64_t data_bytes_max = 8ULL << 30U;

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw Error(Code::bad_input, "reading NIfTI '" + name + "': " + what);
}

/// Reads fields by their offset in nifti1.h or nifti2.h.
struct Fields {
  std::span<const std::byte> bytes;
  bool swapped = false;

  template <class T>
  [[nodiscard]] T get(std::size_t offset) const noexcept {
    return load<T>(bytes.data() + offset, swapped);
  }
  [[nodiscard]] std::string text(std::size_t offset, std::size_t count) const {
    std::string value(reinterpret_cast<const char*>(bytes.data()) + offset, count);
    value.resize(std::min(value.size(), value.find('\0')));
    return value;
  }
};

/// 348, 540 or 0: what sizeof_hdr says in either byte order.
std::int32_t header_size(std::span<const std::byte> bytes, bool& swapped) noexcept {
  if (bytes.size() < 4) return 0;
  for (const bool swap : {false, true}) {
    const auto size = load<std::int32_t>(bytes.data(), swap);
    if (size != header_bytes_1 && size != header_bytes_2) continue;
    swapped = swap;
    return size;
  }
  return 0;
}

bool known(std::int16_t datatype) noexcept {
  constexpr std::array all{Datatype::u8,  Datatype::i16,   Datatype::i32,  Datatype::f32,   Datatype::c64,
                           Datatype::f64, Datatype::rgb24, Datatype::i8,   Datatype::u16,   Datatype::u32,
                           Datatype::i64, Datatype::u64,   Datatype::c128, Datatype::rgba32};
  return std::any_of(all.begin(), all.end(), [&](Datatype d) { return static_cast<std::int16_t>(d) == datatype; });
}

std::int16_t fill_1(const Fields& in, Header& h) {
  for (std::size_t i = 0; i < 8; ++i) {
    h.dim[i] = in.get<std::int16_t>(40 + 2 * i);
    h.pixdim[i] = in.get<float>(76 + 4 * i);
  }
  const float offset = in.get<float>(108);
  h.voxel_offset = offset >= 0 && offset < 1e15F ? static_cast<std::int64_t>(offset) : -1;
  h.slope = in.get<float>(112);
  h.intercept = in.get<float>(116);
  h.xyzt_units = in.get<std::uint8_t>(123);
  h.qform_code = in.get<std::int16_t>(252);
  h.sform_code = in.get<std::int16_t>(254);
  for (std::size_t i = 0; i < 3; ++i) {
    h.quaternion[i] = in.get<float>(256 + 4 * i);
    h.quaternion_offset[i] = in.get<float>(268 + 4 * i);
    for (std::size_t j = 0; j < 4; ++j) h.srow[i][j] = in.get<float>(280 + 16 * i + 4 * j);
  }
  h.intent_name = in.text(328, 16);
  return in.get<std::int16_t>(70);
}

std::int16_t fill_2(const Fields& in, Header& h) {
  for (std::size_t i = 0; i < 8; ++i) {
    h.dim[i] = in.get<std::int64_t>(16 + 8 * i);
    h.pixdim[i] = in.get<double>(104 + 8 * i);
  }
  h.voxel_offset = in.get<std::int64_t>(168);
  h.slope = in.get<double>(176);
  h.intercept = in.get<double>(184);
  h.qform_code = in.get<std::int32_t>(344);
  h.sform_code = in.get<std::int32_t>(348);
  for (std::size_t i = 0; i < 3; ++i) {
    h.quaternion[i] = in.get<double>(352 + 8 * i);
    h.quaternion_offset[i] = in.get<double>(376 + 8 * i);
    for (std::size_t j = 0; j < 4; ++j) h.srow[i][j] = in.get<double>(400 + 32 * i + 8 * j);
  }
  h.xyzt_units = in.get<std::int32_t>(500);
  h.intent_name = in.text(508, 16);
  return in.get<std::int16_t>(12);
}

void check_magic(const Fields& in, int version, const std::string& name) {
  const std::string magic = in.text(version == 1 ? 344 : 4, 4);
  if (magic == (version == 1 ? "n+1" : "n+2")) return;
  if (magic == (version == 1 ? "ni1" : "ni2"))
    fail(name, "this is the header of a .hdr/.img pair, which is not read; convert it to one .nii file");
  fail(name, version == 1 ? "no NIfTI magic (perhaps Analyze 7.5, which says nothing of left and right)"
                          : "no NIfTI-2 magic");
}

void check_dim(Header& h, const std::string& name) {
  if (h.dim[0] < 1 || h.dim[0] > 7) fail(name, "dim[0] is " + std::to_string(h.dim[0]) + ", not 1 to 7");
  for (std::size_t i = 1; i < 8; ++i) {
    if (i > static_cast<std::size_t>(h.dim[0])) h.dim[i] = 1;
    if (h.dim[i] < 1) fail(name, "dim[" + std::to_string(i) + "] is " + std::to_string(h.dim[i]));
  }
  for (std::size_t i = 5; i < 8; ++i)
    if (h.dim[i] > 1)
      fail(name, "dim[" + std::to_string(i) + "] is " + std::to_string(h.dim[i]) +
                     ": vectors or more than one axis beyond space are not read; split the file by that axis");
}

}  // namespace

bool is_header(std::span<const std::byte> bytes) noexcept {
  bool swapped = false;
  const std::int32_t size = header_size(bytes, swapped);
  if (size == 0 || bytes.size() < static_cast<std::size_t>(size)) return false;
  const std::byte* magic = bytes.data() + (size == header_bytes_1 ? 344 : 4);
  const auto is = [&](std::size_t i, char c) { return magic[i] == static_cast<std::byte>(c); };
  return is(0, 'n') && (is(1, '+') || is(1, 'i')) && is(2, size == header_bytes_1 ? '1' : '2') && is(3, '\0');
}

Header parse_header(std::span<const std::byte> bytes, const std::string& name) {
  Header header;
  const std::int32_t size = header_size(bytes, header.swapped);
  if (size == 0) fail(name, "sizeof_hdr is neither 348 nor 540");
  if (bytes.size() < static_cast<std::size_t>(size)) fail(name, "the header is cut off");
  const Fields in{bytes, header.swapped};
  header.version = size == header_bytes_1 ? 1 : 2;
  check_magic(in, header.version, name);
  const std::int16_t datatype = header.version == 1 ? fill_1(in, header) : fill_2(in, header);
  if (!known(datatype)) fail(name, "datatype " + std::to_string(datatype) + " is not read");
  header.datatype = static_cast<Datatype>(datatype);
  check_dim(header, name);
  const std::int64_t least = header.version == 1 ? 352 : 544;
  if (header.voxel_offset == 0) header.voxel_offset = least;
  if (header.voxel_offset < size || header.voxel_offset > static_cast<std::int64_t>(data_bytes_max))
    fail(name, "vox_offset points nowhere in the file");
  (void)data_bytes(header, name);
  return header;
}

std::uint64_t voxel_bytes(Datatype datatype) noexcept {
  switch (datatype) {
    case Datatype::u8:
    case Datatype::i8:
      return 1;
    case Datatype::i16:
    case Datatype::u16:
      return 2;
    case Datatype::rgb24:
      return 3;
    case Datatype::i32:
    case Datatype::u32:
    case Datatype::f32:
    case Datatype::rgba32:
      return 4;
    case Datatype::c64:
    case Datatype::f64:
    case Datatype::i64:
    case Datatype::u64:
      return 8;
    case Datatype::c128:
      return 16;
  }
  return 0;
}

std::uint64_t data_bytes(const Header& header, const std::string& name) {
  std::uint64_t bytes = voxel_bytes(header.datatype);
  for (std::size_t i = 1; i < 5; ++i) {
    const auto n = static_cast<std::uint64_t>(header.dim[i]);
    if (n > data_bytes_max / bytes) throw Error(Code::bad_input, "reading '" + name + "': the header announces more than 8 GiB of voxels");
    bytes *= n;
  }
  return bytes;
}

}  // namespace penta::io::nifti
