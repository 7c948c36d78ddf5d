#include "io/metaimage/metaimage.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "io/detached.h"
#include "io/nifti/gzip.h"
#include "io/raster.h"
#include "io/text_header.h"

namespace penta::io::metaimage {

namespace {

using nifti::Datatype;
using Bytes = std::span<const std::byte>;

[[noreturn]] void fail(const std::string& doing, const std::string& what) {
  throw Error(Code::bad_input, doing + what);
}

/// metaTypes.h: long has 4 bytes there, whatever the machine.
struct TypeName {
  std::string_view name;
  Datatype datatype;
};
constexpr std::array types{
    TypeName{"MET_CHAR", Datatype::i8},       TypeName{"MET_UCHAR", Datatype::u8},
    TypeName{"MET_SHORT", Datatype::i16},     TypeName{"MET_USHORT", Datatype::u16},
    TypeName{"MET_INT", Datatype::i32},       TypeName{"MET_UINT", Datatype::u32},
    TypeName{"MET_LONG", Datatype::i32},      TypeName{"MET_ULONG", Datatype::u32},
    TypeName{"MET_LONG_LONG", Datatype::i64}, TypeName{"MET_ULONG_LONG", Datatype::u64},
    TypeName{"MET_FLOAT", Datatype::f32},     TypeName{"MET_DOUBLE", Datatype::f64},
};

struct Head {
  std::map<std::string, std::string> fields;  ///< as spelt to what stands behind " = "
  std::string data_file;                      ///< LOCAL, LIST, a pattern with its numbers, or a name
  std::size_t data_start = 0;                 ///< behind the line of ElementDataFile
};

const std::string* find(const Head& head, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const auto it = head.fields.find(name); it != head.fields.end()) return &it->second;
  return nullptr;
}

/// The lines up to ElementDataFile, which is the last.
Head parse_head(Bytes bytes, const std::string& doing) {
  Head head;
  TextLines lines(bytes);
  while (const auto line = lines.next_or_last()) {
    const std::size_t equal = line->find('=');
    if (equal == std::string_view::npos) fail(doing, "a header line without '='");
    const std::string field(trimmed(line->substr(0, equal))), text(trimmed(line->substr(equal + 1)));
    if (field == "ElementDataFile") {
      if (text.empty()) fail(doing, "ElementDataFile is empty");
      head.data_file = text;
      head.data_start = lines.offset();
      return head;
    }
    if (!head.fields.emplace(field, text).second)
      fail(doing, "the field '" + field.substr(0, 40) + "' stands there twice");
  }
  fail(doing, "the header is cut off or has no ElementDataFile");
}

bool flag(const Head& head, std::initializer_list<const char*> names, bool otherwise) {
  const std::string* text = find(head, names);
  if (text == nullptr || text->empty()) return otherwise;
  return text->front() == 'T' || text->front() == 't' || text->front() == '1';
}

Datatype datatype_of(const Head& head, const std::string& doing) {
  const std::string* text = find(head, {"ElementType"});
  if (text == nullptr) fail(doing, "ElementType is missing");
  const auto it = std::find_if(types.begin(), types.end(), [&](const TypeName& t) { return t.name == *text; });
  if (it == types.end()) fail(doing, "ElementType '" + text->substr(0, 40) + "' is not read");
  const std::string* channels = find(head, {"ElementNumberOfChannels"});
  const std::int64_t count = channels == nullptr ? 1 : whole_number(*channels, doing + "ElementNumberOfChannels");
  if (count == 1) return it->datatype;
  if (it->datatype == Datatype::u8 && count == 3) return Datatype::rgb24;
  if (it->datatype == Datatype::u8 && count == 4) return Datatype::rgba32;
  if (it->datatype == Datatype::f32 && count == 2) return Datatype::c64;
  if (it->datatype == Datatype::f64 && count == 2) return Datatype::c128;
  fail(doing, "ElementNumberOfChannels " + *channels +
                  " (vectors) is read only as 3 or 4 of MET_UCHAR, which are "
                  "colour, and 2 of MET_FLOAT or MET_DOUBLE, which are complex numbers");
}

std::size_t dimension_of(const Head& head, const std::string& doing) {
  const std::string* text = find(head, {"NDims"});
  if (text == nullptr) fail(doing, "NDims is missing");
  const std::int64_t count = whole_number(*text, doing + "NDims");
  if (count < 2 || count > 4) fail(doing, "NDims " + *text + " is not 2 to 4");
  return static_cast<std::size_t>(count);
}

void fill_dim(const Head& head, std::size_t n, Raster& raster, const std::string& doing) {
  const std::string* text = find(head, {"DimSize"});
  if (text == nullptr) fail(doing, "DimSize is missing");
  const std::vector<std::string> sizes = words(*text);
  if (sizes.size() != n) fail(doing, "DimSize does not give one number for each dimension");
  raster.voxels.dim = {4, 1, 1, 1, 1, 1, 1, 1};
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t size = whole_number(sizes[i], doing + "DimSize");
    if (size < 1) fail(doing, "DimSize: " + sizes[i] + " is below 1");
    raster.voxels.dim[i + 1] = size;
  }
}

/// AnatomicalOrientation says from where each axis runs: RAI is left, posterior, superior. As in ITK it moves nothing.
void say_orientation(const Head& head, Raster& raster) {
  const std::string* from = find(head, {"AnatomicalOrientation"});
  if (from != nullptr && *from == "RAI") return;
  std::string text = "no TransformMatrix: the axes are taken as left, posterior, superior";
  if (from != nullptr && from->find('?') == std::string::npos)
    text += ", and AnatomicalOrientation = " + from->substr(0, 20) + " was not applied";
  raster.remarks.push_back({Severity::warning, "orientation_unknown", text});
}

void fill_place(const Head& head, std::size_t n, Raster& raster, const std::string& doing) {
  std::vector<double> spacing(n, 1), origin(n, 0), matrix(n * n, 0);
  for (std::size_t i = 0; i < n; ++i) matrix[i * n + i] = 1;
  const std::string* text = find(head, {"ElementSpacing", "ElementSize"});
  raster.in_mm = text != nullptr;
  if (text != nullptr) spacing = numbers(*text, n, doing + "ElementSpacing");
  // MetaIO takes ElementSpacing for the grid; ElementSize is the extent of one voxel's sensitivity.
  if (const std::string* size = find(head, {"ElementSize"});
      size != nullptr && numbers(*size, n, doing + "ElementSize") != spacing)
    raster.remarks.push_back({Severity::note, "element_size_left",
                              "ElementSize '" + size->substr(0, 80) + "' differs from ElementSpacing, which is taken"});
  for (std::size_t i = 0; i < std::min<std::size_t>(n, 3); ++i)
    if (!(spacing[i] > 0)) fail(doing, "ElementSpacing: " + digits(spacing[i]) + "; a spacing must be > 0");
  if ((text = find(head, {"Offset", "Position", "Origin"})) != nullptr) origin = numbers(*text, n, doing + "Offset");
  text = find(head, {"TransformMatrix", "Rotation", "Orientation"});
  if (text != nullptr)
    matrix = numbers(*text, n * n, doing + "TransformMatrix");
  else
    say_orientation(head, raster);
  if (n == 4)
    for (std::size_t i = 0; i < 3; ++i)
      if (matrix[i * n + 3] != 0 || matrix[3 * n + i] != 0) fail(doing, "TransformMatrix mixes time with space");
  raster.lps_mm[2][2] = 1;
  for (std::size_t c = 0; c < std::min<std::size_t>(n, 3); ++c)
    for (std::size_t r = 0; r < std::min<std::size_t>(n, 3); ++r) raster.lps_mm[r][c] = matrix[c * n + r] * spacing[c];
  for (std::size_t r = 0; r < std::min<std::size_t>(n, 3); ++r) raster.lps_mm[r][3] = origin[r];
  raster.place_field = "TransformMatrix";
  if (n == 2)
    raster.remarks.push_back({Severity::note, "no_slice_spacing", "NDims is 2: 1 mm is taken for the only slice"});
}

void fill_scaling(const Head& head, Raster& raster, const std::string& doing) {
  const std::string* slope = find(head, {"ElementToIntensityFunctionSlope"});
  const std::string* offset = find(head, {"ElementToIntensityFunctionOffset"});
  if (slope != nullptr) raster.voxels.slope = number(*slope, doing + "ElementToIntensityFunctionSlope");
  if (offset != nullptr) raster.voxels.intercept = number(*offset, doing + "ElementToIntensityFunctionOffset");
  if (slope == nullptr && offset != nullptr) raster.voxels.slope = 1;
}

/// The files that hold the voxels, in their order; none where they stand behind the header.
std::vector<std::string> data_files(const Head& head, Bytes bytes, const std::string& doing) {
  const std::string first = doing + "ElementDataFile = " + head.data_file.substr(0, 80) + ": ";
  const std::vector<std::string> parts = words(head.data_file);
  if (lower(parts[0]) == "local") return {};
  if (lower(parts[0]) == "list") {
    std::vector<std::string> names = listed_names(bytes, head.data_start, first);
    if (names.empty()) fail(first, "LIST without a name");
    return names;
  }
  if (parts.size() < 2 || parts[0].find('%') == std::string::npos) return {head.data_file};
  const auto at = [&](std::size_t i) { return whole_number(parts[i], doing + "ElementDataFile"); };
  if (parts.size() != 3 && parts.size() != 4) fail(first, "a pattern needs its first and its last number");
  return numbered_names(parts[0], at(1), at(2), parts.size() == 4 ? at(3) : 1, first);
}

/// Voxels where they lie, or in `owned` where they were unpacked.
struct Part {
  std::vector<std::byte> owned;
  Bytes data;
};

/// The `size` voxel bytes of one file or, with LOCAL, of what stands behind the header.
Part unpack(const Head& head, const Raster& raster, Bytes file, std::uint64_t size, const std::string& name,
            const std::string& doing) {
  const std::string* skip = find(head, {"HeaderSize"});
  const std::int64_t header = skip == nullptr ? 0 : whole_number(*skip, doing + "HeaderSize");
  if (header < -1 || (header > 0 && static_cast<std::uint64_t>(header) > file.size()))
    fail(doing, "HeaderSize: " + *skip + " points nowhere");
  if (header > 0) file = file.subspan(static_cast<std::size_t>(header));
  Part part;
  if (!flag(head, {"BinaryData"}, true)) {
    part.owned = bytes_from_text({reinterpret_cast<const char*>(file.data()), file.size()}, raster.voxels.datatype,
                                 size / nifti::voxel_bytes(raster.voxels.datatype), doing + "BinaryData = False: ");
    part.data = part.owned;
  } else if (flag(head, {"CompressedData"}, false)) {
    part.owned = nifti::unzip_zlib(file, size, name);
    part.data = part.owned;
  } else {
    if (file.size() < size)
      fail(doing, "the voxels are cut off: " + std::to_string(file.size()) + " bytes of " + std::to_string(size));
    part.data = header == -1 ? file.last(size) : file.first(size);  // -1: the data ends with the file
  }
  return part;
}

void take_data(Raster& raster, const Head& head, Bytes bytes, const std::string& name, const ReadBeside& beside,
               const std::string& doing) {
  const std::uint64_t size = nifti::data_bytes(raster.voxels, name);
  const std::vector<std::string> files = data_files(head, bytes, doing);
  if (!flag(head, {"BinaryData"}, true)) raster.voxels.swapped = false;
  if (files.empty()) {
    Part part = unpack(head, raster, bytes.subspan(head.data_start), size, name, doing);
    raster.owned = std::move(part.owned);
    raster.data = part.data;
    return;
  }
  const std::uint64_t one = size / files.size();
  if (one * files.size() != size || one % nifti::voxel_bytes(raster.voxels.datatype) != 0)
    fail(doing, "ElementDataFile: " + std::to_string(files.size()) + " files do not share the voxels evenly");
  for (const std::string& file : files) {
    const std::vector<std::byte> there = beside(file);
    const Part part = unpack(head, raster, there, one, file, doing + "'" + file + "': ");
    raster.owned.insert(raster.owned.end(), part.data.begin(), part.data.end());
  }
  raster.data = raster.owned;
}

Raster raster_of(Bytes bytes, const std::string& name, const ReadBeside& beside) {
  const std::string doing = "reading MetaImage '" + name + "': ";
  const Head head = parse_head(bytes, doing);
  if (const std::string* type = find(head, {"ObjectType"}); type != nullptr && *type != "Image")
    fail(doing, "ObjectType '" + type->substr(0, 40) + "' is no image");
  Raster raster;
  const std::size_t n = dimension_of(head, doing);
  fill_dim(head, n, raster, doing);
  raster.voxels.datatype = datatype_of(head, doing);
  const bool big = flag(head, {"BinaryDataByteOrderMSB", "ElementByteOrderMSB"}, false);
  raster.voxels.swapped = big != (std::endian::native == std::endian::big);
  fill_place(head, n, raster, doing);
  fill_scaling(head, raster, doing);
  if (raster.voxels.datatype == Datatype::c64 || raster.voxels.datatype == Datatype::c128)
    raster.remarks.push_back(
        {Severity::note, "channels_as_complex",
         "two float channels are taken as complex numbers: MetaImage does not tell them from vectors"});
  take_data(raster, head, bytes, name, beside, doing);
  return raster;
}

}  // namespace

bool sniff(std::span<const std::byte> bytes) noexcept {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 64));
  for (const std::string_view first : {"ObjectType", "NDims"}) {
    if (!text.starts_with(first)) continue;
    return trimmed(text.substr(first.size())).starts_with('=');
  }
  return false;
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

}  // namespace penta::io::metaimage
