#include "io/nifti/header.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

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

Datatype checked_datatype(std::int16_t datatype, const std::string& name) {
  constexpr std::array all{Datatype::binary, Datatype::u8,  Datatype::i16, Datatype::i32,  Datatype::f32,
                           Datatype::c64,    Datatype::f64, Datatype::rgb24, Datatype::i8, Datatype::u16,
                           Datatype::u32,    Datatype::i64, Datatype::u64, Datatype::c128, Datatype::rgba32};
  for (const Datatype d : all)
    if (static_cast<std::int16_t>(d) == datatype) return d;
  const char* called = datatype == 1536 ? " (float128)" : datatype == 2048 ? " (complex256)" : "";
  fail(name, "datatype " + std::to_string(datatype) + called + " is not read");
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
  h.time_offset = in.get<float>(136);
  h.intent = static_cast<Intent>(in.get<std::int16_t>(68));
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
  h.time_offset = in.get<double>(224);
  h.intent = static_cast<Intent>(in.get<std::int32_t>(504));
  h.intent_name = in.text(508, 16);
  return in.get<std::int16_t>(12);
}

// ANALYZE 7.5 shares the first 348 bytes but for what NIfTI took over: no scaling, place or intent (dbh.h, Mayo).
void fill_analyze(const Fields& in, Header& h, const std::string& name) {
  const auto funused_1 = in.get<float>(112);
  h.slope = h.intercept = h.time_offset = 0;
  if (funused_1 != 0 && funused_1 != 1 && std::isfinite(funused_1)) {
    h.slope = funused_1;
    h.remarks.push_back({Severity::warning, "analyze_scale",
                         "the first unused number of the ANALYZE header is taken as a scale, as SPM writes it"});
  }
  h.qform_code = h.sform_code = 0;
  h.xyzt_units = 2;
  h.pixdim[0] = 1;
  h.intent = Intent::none;
  h.intent_name.clear();
  if (h.voxel_offset < 0) fail(name, "vox_offset is below 0");
}

Kind kind_of(const Fields& in, int version, const std::string& name) {
  const std::string magic = in.text(version == 1 ? 344 : 4, 4);
  if (magic == (version == 1 ? "n+1" : "n+2")) return Kind::single;
  if (magic == (version == 1 ? "ni1" : "ni2")) return Kind::pair;
  if (version == 2) fail(name, "no NIfTI-2 magic");
  if (!is_header(in.bytes)) fail(name, "no NIfTI magic, and not the header of an ANALYZE 7.5 pair either");
  return Kind::analyze;
}

void check_dim(Header& h, const std::string& name) {
  if (h.dim[0] < 1 || h.dim[0] > 7) fail(name, "dim[0] is " + std::to_string(h.dim[0]) + ", not 1 to 7");
  for (std::size_t i = 1; i < 8; ++i) {
    if (i > static_cast<std::size_t>(h.dim[0])) h.dim[i] = 1;
    const std::string field = "dim[" + std::to_string(i) + "]";
    if (h.dim[i] == 0 && i > 3) {
      h.remarks.push_back({Severity::warning, "dim_wrong", field + " is 0: 1 is taken"});
      h.dim[i] = 1;
    }
    if (h.dim[i] < 1) fail(name, field + " is " + std::to_string(h.dim[i]));
  }
  for (std::size_t i = 6; i < 8; ++i)
    if (h.dim[i] > 1)
      fail(name, "dim[" + std::to_string(i) + "] is " + std::to_string(h.dim[i]) +
                     ": more than one axis beyond space is not read; split the file by that axis");
}

/// dim[5], the values a voxel has, goes to dim[4] where that is free.
void fold_components(Header& h, const std::string& name) {
  if (h.dim[5] == 1) return;
  if (h.intent == Intent::displacement || h.intent == Intent::point_set || h.intent == Intent::triangle)
    fail(name, std::string("a ") +
                   (h.intent == Intent::displacement ? "displacement field (intent 1006)"
                                                     : "surface (intent 1008 or 1009)") +
                   " is no image and is not read");
  if (h.dim[4] > 1)
    fail(name, "dim[4] is " + std::to_string(h.dim[4]) + " and dim[5] is " + std::to_string(h.dim[5]) +
                   ": vectors over time are not read; split the file by one of the two");
  h.components = true;
  std::swap(h.dim[4], h.dim[5]);
}

void check_offset(Header& h, std::int64_t header_bytes, const std::string& name) {
  if (h.kind == Kind::single && h.voxel_offset == 0) h.voxel_offset = header_bytes + 4;
  const std::int64_t least = h.kind == Kind::single ? header_bytes : 0;
  if (h.voxel_offset < least || h.voxel_offset > static_cast<std::int64_t>(data_bytes_max))
    fail(name, "vox_offset points nowhere in the file");
}

/// A .hdr of ANALYZE 7.5 has no magic: sizes, type and bits must agree.
bool is_analyze(std::span<const std::byte> bytes, bool swapped) noexcept {
  const Fields in{bytes, swapped};
  const auto dims = in.get<std::int16_t>(40);
  if (dims < 1 || dims > 7 || bytes[344] == std::byte{'n'}) return false;
  for (std::size_t i = 1; i <= static_cast<std::size_t>(std::min<std::int16_t>(dims, 3)); ++i)
    if (in.get<std::int16_t>(40 + 2 * i) < 1) return false;
  constexpr std::array<std::array<std::int16_t, 2>, 8> types{
      {{1, 1}, {2, 8}, {4, 16}, {8, 32}, {16, 32}, {32, 64}, {64, 64}, {128, 24}}};
  const auto datatype = in.get<std::int16_t>(70), bits = in.get<std::int16_t>(72);
  return std::any_of(types.begin(), types.end(), [&](const auto& t) { return t[0] == datatype && t[1] == bits; });
}

}  // namespace

bool is_header(std::span<const std::byte> bytes) noexcept {
  bool swapped = false;
  const std::int32_t size = header_size(bytes, swapped);
  if (size == 0 || bytes.size() < static_cast<std::size_t>(size)) return false;
  const std::byte* magic = bytes.data() + (size == header_bytes_1 ? 344 : 4);
  const auto is = [&](std::size_t i, char c) { return magic[i] == static_cast<std::byte>(c); };
  if (is(0, 'n') && (is(1, '+') || is(1, 'i')) && is(2, size == header_bytes_1 ? '1' : '2') && is(3, '\0')) return true;
  return size == header_bytes_1 && is_analyze(bytes, swapped);
}

Header parse_header(std::span<const std::byte> bytes, const std::string& name) {
  Header header;
  const std::int32_t size = header_size(bytes, header.swapped);
  if (size == 0) fail(name, "sizeof_hdr is neither 348 nor 540");
  if (bytes.size() < static_cast<std::size_t>(size)) fail(name, "the header is cut off");
  const Fields in{bytes, header.swapped};
  header.version = size == header_bytes_1 ? 1 : 2;
  header.kind = kind_of(in, header.version, name);
  header.datatype = checked_datatype(header.version == 1 ? fill_1(in, header) : fill_2(in, header), name);
  if (header.kind == Kind::analyze) fill_analyze(in, header, name);
  check_dim(header, name);
  fold_components(header, name);
  check_offset(header, size, name);
  (void)data_bytes(header, name);
  return header;
}

std::uint64_t voxel_bytes(Datatype datatype) noexcept {
  switch (datatype) {
    case Datatype::binary:
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
    if (n > data_bytes_max / bytes)
      throw Error(Code::bad_input, "reading '" + name + "': the header announces more than 8 GiB of voxels");
    bytes *= n;
  }
  return header.datatype == Datatype::binary ? (bytes + 7) / 8 : bytes;
}

}  // namespace penta::io::nifti
