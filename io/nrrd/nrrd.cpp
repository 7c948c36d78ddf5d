#include "io/nrrd/nrrd.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "io/nifti/gzip.h"
#include "io/nrrd/axes.h"
#include "io/raster.h"
#include "io/text_header.h"

namespace penta::io::nrrd {

namespace {

using nifti::Datatype;
using Bytes = std::span<const std::byte>;

constexpr std::string_view magic = "NRRD000";

[[noreturn]] void fail(const std::string& doing, const std::string& what) { throw Error(Code::bad_input, doing + what); }

/// All spellings of the format's definition, section 5 "type".
struct TypeName {
  std::string_view name;
  Datatype datatype;
};
constexpr std::array types{
    TypeName{"signed char", Datatype::i8},          TypeName{"int8", Datatype::i8},
    TypeName{"int8_t", Datatype::i8},               TypeName{"uchar", Datatype::u8},
    TypeName{"unsigned char", Datatype::u8},        TypeName{"uint8", Datatype::u8},
    TypeName{"uint8_t", Datatype::u8},              TypeName{"short", Datatype::i16},
    TypeName{"short int", Datatype::i16},           TypeName{"signed short", Datatype::i16},
    TypeName{"signed short int", Datatype::i16},    TypeName{"int16", Datatype::i16},
    TypeName{"int16_t", Datatype::i16},             TypeName{"ushort", Datatype::u16},
    TypeName{"unsigned short", Datatype::u16},      TypeName{"unsigned short int", Datatype::u16},
    TypeName{"uint16", Datatype::u16},              TypeName{"uint16_t", Datatype::u16},
    TypeName{"int", Datatype::i32},                 TypeName{"signed int", Datatype::i32},
    TypeName{"int32", Datatype::i32},               TypeName{"int32_t", Datatype::i32},
    TypeName{"uint", Datatype::u32},                TypeName{"unsigned int", Datatype::u32},
    TypeName{"uint32", Datatype::u32},              TypeName{"uint32_t", Datatype::u32},
    TypeName{"longlong", Datatype::i64},            TypeName{"long long", Datatype::i64},
    TypeName{"long long int", Datatype::i64},       TypeName{"signed long long", Datatype::i64},
    TypeName{"signed long long int", Datatype::i64}, TypeName{"int64", Datatype::i64},
    TypeName{"int64_t", Datatype::i64},             TypeName{"ulonglong", Datatype::u64},
    TypeName{"unsigned long long", Datatype::u64},  TypeName{"unsigned long long int", Datatype::u64},
    TypeName{"uint64", Datatype::u64},              TypeName{"uint64_t", Datatype::u64},
    TypeName{"float", Datatype::f32},               TypeName{"double", Datatype::f64},
};

struct Head {
  Fields fields;
  std::size_t data_start = 0;
};

/// The lines up to the empty one: fields "name: text", key/value pairs "key:=text", comments "# ...".
Head parse_head(Bytes bytes, const std::string& doing) {
  Head head;
  TextLines lines(bytes);
  const auto first = lines.next();
  if (!first || !first->starts_with(magic)) fail(doing, "no NRRD magic");
  while (const auto line = lines.next()) {
    if (line->empty()) {
      head.data_start = lines.offset();
      return head;
    }
    const std::size_t colon = line->find(':');
    if (line->front() == '#') continue;
    if (colon == std::string_view::npos) fail(doing, "a header line without a colon");
    if (line->substr(colon).starts_with(":=")) continue;
    const std::string field = lower(trimmed(line->substr(0, colon)));
    if (field == "data file" || field == "datafile")
      fail(doing, "its voxels lie in another file, '" + std::string(trimmed(line->substr(colon + 1))) +
                      "', which is not read; save it as one .nrrd with the data attached");
    if (!head.fields.emplace(field, trimmed(line->substr(colon + 1))).second)
      fail(doing, "the field '" + field.substr(0, 40) + "' stands there twice");
  }
  fail(doing, "the header is cut off: no empty line ends it");
}

const std::string& need(const Fields& fields, const std::string& field, const std::string& doing) {
  const auto it = fields.find(field);
  if (it == fields.end()) fail(doing, "the field '" + field + "' is missing");
  return it->second;
}

Datatype datatype_of(const Fields& fields, const std::string& doing) {
  const std::string type = lower(need(fields, "type", doing));
  const auto it = std::find_if(types.begin(), types.end(), [&](const TypeName& t) { return t.name == type; });
  if (it == types.end()) fail(doing, "type '" + type + "' is not read");
  return it->datatype;
}

bool is_swapped(const Fields& fields, Datatype datatype, const std::string& doing) {
  if (nifti::voxel_bytes(datatype) == 1) return false;
  const std::string endian = lower(need(fields, "endian", doing));
  if (endian != "big" && endian != "little") fail(doing, "endian '" + endian + "' is neither big nor little");
  return (endian == "big") != (std::endian::native == std::endian::big);
}

/// What the components of the first axis make of a voxel; nothing where the axis counts whole images.
std::optional<Datatype> voxel_with(const Axis& first, Datatype part, const std::string& doing) {
  if (first.kind == "complex" && first.size == 2) {
    if (part == Datatype::f32) return Datatype::c64;
    if (part == Datatype::f64) return Datatype::c128;
  }
  const bool colour = first.kind == "vector" || first.kind == "rgb-color" || first.kind == "3-color" ||
                      first.kind == "3-vector" || first.kind == "rgba-color" || first.kind == "4-color" ||
                      first.kind == "4-vector";
  if (colour && part == Datatype::u8 && first.size == 3) return Datatype::rgb24;
  if (colour && part == Datatype::u8 && first.size == 4) return Datatype::rgba32;
  const bool list = first.kind.empty() || first.kind == "list" || first.kind == "time" || first.kind == "???" ||
                    first.kind == "none" || first.kind == "domain" || first.size == 1;
  if (!list)
    fail(doing, "voxels of " + std::to_string(first.size) + " components (kind '" + first.kind +
                    "') are read only as 3 or 4 of uint8 or as complex floats");
  return std::nullopt;
}

/// Fills dim, datatype and place. Returns true where the images are interleaved voxel by voxel.
bool arrange(const Axes& axes, Raster& raster, const std::string& doing) {
  std::size_t first = 0, last = axes.all.size();
  bool interleaved = false;
  auto& dim = raster.voxels.dim;
  dim = {4, 1, 1, 1, 1, 1, 1, 1};
  if (!axes.all.front().spatial) {
    ++first;
    const auto joined = voxel_with(axes.all.front(), raster.voxels.datatype, doing);
    if (joined)
      raster.voxels.datatype = *joined;
    else
      dim[4] = axes.all.front().size;
    interleaved = dim[4] > 1;
  }
  if (last > first && !axes.all[last - 1].spatial) {
    --last;
    if (dim[4] > 1 && axes.all[last].size > 1) fail(doing, "two axes besides space are not read");
    dim[4] = std::max(dim[4], axes.all[last].size);
  }
  if (last < first + 2 || last > first + 3) fail(doing, "there are neither two nor three axes of space");
  for (std::size_t i = first; i < last; ++i) {
    const Axis& axis = axes.all[i];
    if (!axis.spatial) fail(doing, "an axis that is not of space lies between those that are");
    dim[1 + i - first] = axis.size;
    for (std::size_t r = 0; r < 3; ++r) raster.lps_mm[r][i - first] = axis.step_mm[r];
  }
  for (std::size_t r = 0; r < 3; ++r) raster.lps_mm[r][3] = axes.origin_mm[r];
  if (last - first == 3) return interleaved;
  const Vector3 normal = cross(axes.all[first].step_mm, axes.all[first + 1].step_mm);
  for (std::size_t r = 0; r < 3; ++r) raster.lps_mm[r][2] = normal[r] / norm(normal);
  raster.remarks.push_back({Severity::note, "no_slice_spacing", "the file has two axes: 1 mm is taken for the only slice"});
  return interleaved;
}

/// Points `data` at the voxels behind the header, unpacked into `owned` where need be.
void take_data(Raster& raster, const Head& head, Bytes bytes, const std::string& name, const std::string& doing) {
  const std::uint64_t size = nifti::data_bytes(raster.voxels, name);
  const std::string encoding = lower(need(head.fields, "encoding", doing));
  const auto skip_of = [&](const char* field) {
    const auto it = head.fields.find(field);
    return it == head.fields.end() ? std::int64_t{0} : whole_number(it->second, doing + field);
  };
  if (skip_of("line skip") != 0) fail(doing, "line skip other than 0 is not read");
  const std::int64_t skip = skip_of("byte skip");
  Bytes rest = bytes.subspan(head.data_start);
  if (skip < (encoding == "raw" ? -1 : 0) || skip > (std::int64_t{1} << 33)) fail(doing, "byte skip points nowhere");
  auto offset = static_cast<std::uint64_t>(std::max<std::int64_t>(skip, 0));
  if (encoding == "gzip" || encoding == "gz") {
    raster.owned = nifti::gunzip(rest, offset + size, name);
    rest = raster.owned;
  } else if (encoding != "raw") {
    fail(doing, "encoding '" + encoding + "' is not read (raw and gzip are)");
  }
  if (skip == -1 && rest.size() >= size) offset = rest.size() - size;  // the data ends with the file
  if (rest.size() < offset || rest.size() - offset < size)
    fail(doing, "the voxels are cut off: " + std::to_string(rest.size()) + " bytes of " + std::to_string(offset + size));
  raster.data = rest.subspan(offset, size);
}

/// Voxel (i, t) from i * count + t to t * voxels + i.
void separate(Raster& raster) {
  const auto count = static_cast<std::size_t>(raster.voxels.dim[4]);
  const std::size_t one = nifti::voxel_bytes(raster.voxels.datatype), voxels = raster.data.size() / one / count;
  std::vector<std::byte> planes(raster.data.size());
  for (std::size_t t = 0; t < count; ++t)
    for (std::size_t i = 0; i < voxels; ++i)
      std::memcpy(planes.data() + (t * voxels + i) * one, raster.data.data() + (i * count + t) * one, one);
  raster.owned = std::move(planes);
  raster.data = raster.owned;
}

Raster raster_of(Bytes bytes, const std::string& name) {
  const std::string doing = "reading NRRD '" + name + "': ";
  const Head head = parse_head(bytes, doing);
  Raster raster;
  const Axes axes = axes_of(head.fields, doing, raster.remarks);
  raster.voxels.datatype = datatype_of(head.fields, doing);
  raster.voxels.swapped = is_swapped(head.fields, raster.voxels.datatype, doing);
  raster.place_field = head.fields.contains("space directions") ? "space directions" : "spacings";
  raster.in_mm = axes.in_mm;
  const bool interleaved = arrange(axes, raster, doing);
  take_data(raster, head, bytes, name, doing);
  if (interleaved) separate(raster);
  return raster;
}

}  // namespace

bool sniff(std::span<const std::byte> bytes) noexcept {
  return bytes.size() > magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

Image read(std::span<const std::byte> bytes, const std::string& name) { return image_of(raster_of(bytes, name), name); }

LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name) {
  return labels_of(raster_of(bytes, name), name);
}

}  // namespace penta::io::nrrd
