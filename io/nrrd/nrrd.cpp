#include "io/nrrd/nrrd.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "io/detached.h"
#include "io/nifti/gzip.h"
#include "io/nrrd/axes.h"
#include "io/nrrd/bzip2.h"
#include "io/raster.h"
#include "io/text_header.h"

namespace penta::io::nrrd {

namespace {

using nifti::Datatype;
using Bytes = std::span<const std::byte>;

constexpr std::string_view magic = "NRRD000";

[[noreturn]] void fail(const std::string& doing, const std::string& what) {
  throw Error(Code::bad_input, doing + what);
}

/// All spellings of the format's definition, section 5 "type".
struct TypeName {
  std::string_view name;
  Datatype datatype;
};
constexpr std::array types{
    TypeName{"signed char", Datatype::i8},
    TypeName{"int8", Datatype::i8},
    TypeName{"int8_t", Datatype::i8},
    TypeName{"uchar", Datatype::u8},
    TypeName{"unsigned char", Datatype::u8},
    TypeName{"uint8", Datatype::u8},
    TypeName{"uint8_t", Datatype::u8},
    TypeName{"short", Datatype::i16},
    TypeName{"short int", Datatype::i16},
    TypeName{"signed short", Datatype::i16},
    TypeName{"signed short int", Datatype::i16},
    TypeName{"int16", Datatype::i16},
    TypeName{"int16_t", Datatype::i16},
    TypeName{"ushort", Datatype::u16},
    TypeName{"unsigned short", Datatype::u16},
    TypeName{"unsigned short int", Datatype::u16},
    TypeName{"uint16", Datatype::u16},
    TypeName{"uint16_t", Datatype::u16},
    TypeName{"int", Datatype::i32},
    TypeName{"signed int", Datatype::i32},
    TypeName{"int32", Datatype::i32},
    TypeName{"int32_t", Datatype::i32},
    TypeName{"uint", Datatype::u32},
    TypeName{"unsigned int", Datatype::u32},
    TypeName{"uint32", Datatype::u32},
    TypeName{"uint32_t", Datatype::u32},
    TypeName{"longlong", Datatype::i64},
    TypeName{"long long", Datatype::i64},
    TypeName{"long long int", Datatype::i64},
    TypeName{"signed long long", Datatype::i64},
    TypeName{"signed long long int", Datatype::i64},
    TypeName{"int64", Datatype::i64},
    TypeName{"int64_t", Datatype::i64},
    TypeName{"ulonglong", Datatype::u64},
    TypeName{"unsigned long long", Datatype::u64},
    TypeName{"unsigned long long int", Datatype::u64},
    TypeName{"uint64", Datatype::u64},
    TypeName{"uint64_t", Datatype::u64},
    TypeName{"float", Datatype::f32},
    TypeName{"double", Datatype::f64},
};

struct Head {
  Fields fields;
  std::string data_file;       ///< "data file": a name, LIST, or a pattern with its numbers; empty where attached
  std::size_t data_start = 0;  ///< behind the empty line, or behind "data file: LIST"
};

/// The lines up to the empty one: fields "name: text", key/value pairs "key:=text", comments "# ...".
Head parse_head(Bytes bytes, const std::string& doing) {
  Head head;
  TextLines lines(bytes);
  const auto first = lines.next();
  if (!first || !first->starts_with(magic)) fail(doing, "no NRRD magic");
  while (const auto line = lines.next_or_last()) {
    if (line->empty()) {
      head.data_start = lines.offset();
      return head;
    }
    const std::size_t colon = line->find(':');
    if (line->front() == '#') continue;
    if (colon == std::string_view::npos) fail(doing, "a header line without a colon");
    if (line->substr(colon).starts_with(":=")) continue;
    const std::string field = lower(trimmed(line->substr(0, colon)));
    if (field == "data file" || field == "datafile") {
      head.data_file = trimmed(line->substr(colon + 1));
      if (head.data_file.empty()) fail(doing, "data file is empty");
      head.data_start = lines.offset();
      // The format's definition, section 4: LIST is the last field, and the names follow.
      if (words(head.data_file)[0] == "LIST") return head;
      continue;
    }
    if (!head.fields.emplace(field, trimmed(line->substr(colon + 1))).second)
      fail(doing, "the field '" + field.substr(0, 40) + "' stands there twice");
  }
  if (!head.data_file.empty()) return head;
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

bool is_text(const Fields& fields) {
  const auto it = fields.find("encoding");
  const std::string encoding = it == fields.end() ? "" : lower(it->second);
  return encoding == "ascii" || encoding == "text" || encoding == "txt";
}

bool is_swapped(const Fields& fields, Datatype datatype, const std::string& doing) {
  if (nifti::voxel_bytes(datatype) == 1 || is_text(fields)) return false;
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
  raster.remarks.push_back(
      {Severity::note, "no_slice_spacing", "the file has two axes: 1 mm is taken for the only slice"});
  return interleaved;
}

std::int64_t skip_of(const Fields& fields, const char* field, const std::string& doing) {
  const auto it = fields.find(field);
  return it == fields.end() ? 0 : whole_number(it->second, doing + field);
}

/// The part behind `count` lines.
Bytes behind_lines(Bytes bytes, std::int64_t count, const std::string& doing) {
  if (count < 0) fail(doing, "line skip is below 0");
  TextLines lines(bytes);
  for (std::int64_t i = 0; i < count; ++i)
    if (!lines.next()) fail(doing, "line skip is more than there are lines");
  return bytes.subspan(lines.offset());
}

/// Voxels where they lie, or in `owned` where they were unpacked.
struct Part {
  std::vector<std::byte> owned;
  Bytes data;
};

/// The `size` bytes of voxels in one file, or in what stands behind the header.
Part unpack(const Fields& fields, Datatype datatype, Bytes bytes, std::uint64_t size, const std::string& name,
            const std::string& doing) {
  const std::string encoding = lower(need(fields, "encoding", doing));
  bytes = behind_lines(bytes, skip_of(fields, "line skip", doing), doing);
  const std::int64_t skip = skip_of(fields, "byte skip", doing);
  if (skip < (encoding == "raw" ? -1 : 0) || skip > (std::int64_t{1} << 33)) fail(doing, "byte skip points nowhere");
  auto offset = static_cast<std::uint64_t>(std::max<std::int64_t>(skip, 0));
  Part part;
  if (encoding == "gzip" || encoding == "gz") {
    part.owned = nifti::gunzip(bytes, offset + size, name);
    bytes = part.owned;
  } else if (encoding == "bzip2" || encoding == "bz2") {
    part.owned = bunzip2(bytes, offset + size, doing);
    bytes = part.owned;
  } else if (encoding != "raw") {
    if (bytes.size() < offset) fail(doing, "byte skip points nowhere");
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + offset, bytes.size() - offset);
    if (encoding == "hex")
      part.owned = bytes_from_hex(text, size, doing + "encoding hex: ");
    else if (is_text(fields))
      part.owned = bytes_from_text(text, datatype, size / nifti::voxel_bytes(datatype), doing + "encoding ascii: ");
    else
      fail(doing, "encoding '" + encoding.substr(0, 40) + "' is not read (raw, gzip, bzip2, ascii and hex are)");
    part.data = part.owned;
    return part;
  }
  if (skip == -1 && bytes.size() >= size) offset = bytes.size() - size;  // the data ends with the file
  if (bytes.size() < offset || bytes.size() - offset < size)
    fail(doing,
         "the voxels are cut off: " + std::to_string(bytes.size()) + " bytes of " + std::to_string(offset + size));
  part.data = bytes.subspan(offset, size);
  return part;
}

/// The files that hold the voxels, in their order.
std::vector<std::string> data_files(const Head& head, Bytes bytes, const std::string& doing) {
  const std::string first = doing + "data file: " + head.data_file.substr(0, 80) + ": ";
  const std::vector<std::string> parts = words(head.data_file);
  if (parts[0] == "LIST") {
    std::vector<std::string> names = listed_names(bytes, head.data_start, first);
    if (names.empty()) fail(first, "LIST without a name");
    return names;
  }
  if (parts.size() < 4 || parts[0].find('%') == std::string::npos) return {head.data_file};
  const auto at = [&](std::size_t i) { return whole_number(parts[i], doing + "data file"); };
  return numbered_names(parts[0], at(1), at(2), at(3), first);
}

void take_data(Raster& raster, const Head& head, Bytes bytes, const std::string& name, const ReadBeside& beside,
               const std::string& doing) {
  const std::uint64_t size = nifti::data_bytes(raster.voxels, name);
  const Datatype datatype = raster.voxels.datatype;
  if (head.data_file.empty()) {
    Part part = unpack(head.fields, datatype, bytes.subspan(head.data_start), size, name, doing);
    raster.owned = std::move(part.owned);
    raster.data = part.data;
    return;
  }
  const std::vector<std::string> files = data_files(head, bytes, doing);
  const std::uint64_t one = size / files.size();
  if (one * files.size() != size || one % nifti::voxel_bytes(datatype) != 0)
    fail(doing, "data file: " + std::to_string(files.size()) + " files do not share the voxels evenly");
  for (const std::string& file : files) {
    const std::vector<std::byte> there = beside(file);
    const Part part = unpack(head.fields, datatype, there, one, file, doing + "'" + file + "': ");
    raster.owned.insert(raster.owned.end(), part.data.begin(), part.data.end());
  }
  raster.data = raster.owned;
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

Raster raster_of(Bytes bytes, const std::string& name, const ReadBeside& beside) {
  const std::string doing = "reading NRRD '" + name + "': ";
  const Head head = parse_head(bytes, doing);
  Raster raster;
  const Axes axes = axes_of(head.fields, doing, raster.remarks);
  raster.voxels.datatype = datatype_of(head.fields, doing);
  raster.voxels.swapped = is_swapped(head.fields, raster.voxels.datatype, doing);
  raster.place_field = head.fields.contains("space directions") ? "space directions" : "spacings";
  raster.in_mm = axes.in_mm;
  const bool interleaved = arrange(axes, raster, doing);
  take_data(raster, head, bytes, name, beside, doing);
  if (interleaved) separate(raster);
  return raster;
}

}  // namespace

bool sniff(std::span<const std::byte> bytes) noexcept {
  return bytes.size() > magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

Image read(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside) {
  return image_of(raster_of(bytes, name, beside), name);
}

LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside) {
  return labels_of(raster_of(bytes, name, beside), name);
}

Image read(std::span<const std::byte> bytes, const std::string& name) {
  return read(bytes, name, nothing_beside(name));
}

LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name) {
  return read_labels(bytes, name, nothing_beside(name));
}

}  // namespace penta::io::nrrd
