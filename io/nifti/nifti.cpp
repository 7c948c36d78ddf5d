#include "io/nifti/nifti.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"
#include "io/nifti/geometry.h"
#include "io/nifti/gzip.h"
#include "io/nifti/header.h"
#include "io/nifti/voxels.h"
#include "io/raster.h"

namespace penta::io::nifti {

namespace {

using Bytes = std::span<const std::byte>;

/// Voxels as stored: `data` lies in what this owns, or in the file itself.
struct Payload {
  std::vector<std::byte> file;            ///< the .img of a pair
  std::unique_ptr<std::byte[]> unpacked;  ///< not cleared before it is filled
  Bytes data;
  std::vector<AnyVolume> room;
  std::vector<Remark> remarks;
};

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw Error(Code::bad_input, "reading NIfTI '" + name + "': " + what);
}

void say_behind(Behind behind, std::vector<Remark>& remarks) {
  const auto say = [&](Severity severity, const char* text) { remarks.push_back({severity, "trailing_bytes", text}); };
  if (behind == Behind::padding) say(Severity::note, "zeros follow the gzip data: passed over");
  if (behind == Behind::other_bytes) say(Severity::warning, "bytes that are no gzip follow the voxels: passed over");
  if (behind == Behind::more_data)
    say(Severity::note, "the file holds more than the voxels of its header: passed over");
}

void take_plain(Bytes all, const Header& header, std::uint64_t size, const std::string& name, Payload& payload) {
  const auto offset = static_cast<std::uint64_t>(header.voxel_offset);
  if (all.size() < offset || all.size() - offset < size)
    fail(name, "the file is cut off: " + std::to_string(all.size()) + " bytes of " + std::to_string(offset + size));
  if (all.size() - offset > size) say_behind(Behind::more_data, payload.remarks);
  payload.data = all.subspan(offset, size);
}

void take_gzip(Bytes packed, const Header& header, const Grid& grid, std::uint64_t size, const std::string& name,
               Payload& payload) {
  const std::uint64_t whole = static_cast<std::uint64_t>(header.voxel_offset) + size;
  check_expansion(whole, packed.size(), name);
  payload.unpacked = std::make_unique_for_overwrite<std::byte[]>(whole);
  const std::span<std::byte> out(payload.unpacked.get(), whole);
  Behind behind = Behind::nothing;
  const bool likely = whole / 200 < packed.size();  // a file that packs better than an image gets no room in advance
  // Two jobs side by side: memory for the volumes costs about as long as unpacking half of them.
  parallel_for(likely ? 2 : 1, 1, [&](std::int64_t job, std::int64_t /*last*/) {
    if (job == 0)
      behind = gunzip_into(packed, out, name);
    else
      payload.room = room_for(header, grid);
  });
  say_behind(behind, payload.remarks);
  payload.data = out.last(size);
}

/// Where the voxels of a pair are, by the name of its header.
std::array<std::string, 2> data_names(const std::string& name) {
  std::string stem = name.substr(name.find_last_of("/\\") + 1);
  const auto cut = [&](std::string_view end) {
    if (!stem.ends_with(end)) return false;
    stem.resize(stem.size() - end.size());
    return true;
  };
  const bool packed = cut(".gz") || cut(".GZ");
  const bool upper = cut(".HDR");
  if (!upper) (void)cut(".hdr");
  const std::string plain = stem + (upper ? ".IMG" : ".img");
  return packed ? std::array{plain + ".gz", plain} : std::array{plain, plain + ".gz"};
}

std::vector<std::byte> read_data_file(const std::string& name, const ReadBeside& beside) {
  const std::array<std::string, 2> names = data_names(name);
  if (!beside)
    fail(name, "this is the header of a pair, and its voxels are in '" + names[0] + "', which is not at hand");
  try {
    return beside(names[0]);
  } catch (const Error&) {
    try {
      return beside(names[1]);
    } catch (const Error&) {
    }
    throw;
  }
}

Payload payload_of(Bytes bytes, const Header& header, const Grid& grid, const std::string& name,
                   const ReadBeside& beside) {
  Payload payload;
  const std::uint64_t size = data_bytes(header, name);
  if (header.kind != Kind::single) {
    payload.file = read_data_file(name, beside);
    bytes = payload.file;
  }
  if (is_gzip(bytes))
    take_gzip(bytes, header, grid, size, name, payload);
  else
    take_plain(bytes, header, size, name, payload);
  return payload;
}

Header header_of(Bytes bytes, const std::string& name) {
  if (!is_gzip(bytes)) return parse_header(bytes, name);
  return parse_header(gunzip_head(bytes, header_bytes_max), name);
}

/// Three or four volumes of bytes as one of colour (intents 2003 and 2004 of nifti1.h).
std::optional<AnyVolume> joined_colour(const Header& header, std::span<const AnyVolume> parts,
                                       std::vector<Remark>& remarks) {
  const bool alpha = header.intent == Intent::rgba_vector;
  if (!header.components || (header.intent != Intent::rgb_vector && !alpha)) return std::nullopt;
  if (header.datatype != Datatype::u8 || parts.size() != (alpha ? 4 : 3)) return std::nullopt;
  std::array<std::span<const std::uint8_t>, 4> in;
  for (std::size_t c = 0; c < parts.size(); ++c) {
    const auto* part = std::get_if<Volume<std::uint8_t>>(&parts[c]);
    if (part == nullptr) return std::nullopt;
    in[c] = part->voxels();
  }
  Volume<Rgb8> colour(grid_of(parts[0]));
  const auto out = colour.voxels();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = {in[0][i], in[1][i], in[2][i]};
  if (alpha && std::any_of(in[3].begin(), in[3].end(), [](std::uint8_t a) { return a != 255; }))
    remarks.push_back({Severity::warning, "alpha_dropped", "the alpha of RGBA voxels, not all 255, was dropped"});
  return colour;
}

SliceStack stack_of(const SlantedSlices& place, const AnyVolume& volume, std::vector<Remark>& remarks) {
  const Volume<float> voxels = to_float(volume);
  const Size3& size = voxels.grid().size();
  SliceStack stack{size[0], size[1], place.spacing_mm, place.row_axis, place.column_axis, {}, place.why};
  const std::size_t area = static_cast<std::size_t>(size[0] * size[1]);
  for (std::size_t z = 0; z < static_cast<std::size_t>(size[2]); ++z) {
    const auto n = static_cast<double>(z);
    const PatientPoint at{place.origin_mm.x + n * place.step_mm[0], place.origin_mm.y + n * place.step_mm[1],
                          place.origin_mm.z + n * place.step_mm[2]};
    const auto pixels = voxels.voxels().subspan(z * area, area);
    stack.slices.push_back({at, {pixels.begin(), pixels.end()}});
  }
  if (dot(cross(place.row_axis, place.column_axis), place.step_mm) < 0)
    std::reverse(stack.slices.begin(), stack.slices.end());
  if (const auto* whole = std::get_if<Volume<std::int32_t>>(&volume)) {
    const auto values = whole->voxels();
    const auto changed = [](std::int32_t v) { return static_cast<double>(static_cast<float>(v)) != v; };
    if (std::any_of(values.begin(), values.end(), changed))
      remarks.push_back({Severity::note, "precision_lost", "int32 values became float32; the largest error is 64"});
  }
  remarks.push_back({Severity::warning, "slices_slanted", place.why + ": the slices are kept one by one"});
  return stack;
}

struct Volumes {
  VolumeSequence all;
  Header header;
  std::vector<Remark> remarks;
};

/// `slices` lets slanted slices through, with a grid that says nothing but their number.
Volumes volumes_of(Bytes bytes, const std::string& name, const ReadBeside& beside,
                   std::optional<SlantedSlices>* slices = nullptr) {
  Volumes out;
  out.header = header_of(bytes, name);
  out.remarks = std::move(out.header.remarks);
  if (slices != nullptr && out.header.dim[4] == 1) *slices = slanted(out.header, out.remarks);
  const auto& dim = out.header.dim;
  const Grid grid = slices != nullptr && slices->has_value() ? Grid({dim[1], dim[2], dim[3]}, {1, 1, 1})
                                                             : place(out.header, name, out.remarks);
  Payload payload = payload_of(bytes, out.header, grid, name, beside);
  out.remarks.insert(out.remarks.end(), payload.remarks.begin(), payload.remarks.end());
  out.all = decode(out.header, grid, payload.data, out.remarks, std::move(payload.room));
  return out;
}

void fill_axis(const Header& header, Image& image) {
  const std::size_t count = std::get<VolumeSequence>(image.pixels).size();
  if (count < 2) return;
  if (header.components) {
    image.axis = SequenceAxis::component;
    image.remarks.push_back({Severity::note, "vector_components",
                             "dim[5] holds " + std::to_string(count) + " values a voxel (intent " +
                                 std::to_string(static_cast<int>(header.intent)) + "): one volume each, as stored"});
    return;
  }
  image.axis = SequenceAxis::time;
  if (const std::optional<double> step = time_step_s(header, image.remarks))
    for (std::size_t t = 0; t < count; ++t) image.axis_values.push_back(static_cast<double>(t) * *step);
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

Image read(std::span<const std::byte> bytes, const std::string& name) { return read(bytes, name, {}); }

Image read(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside) {
  std::optional<SlantedSlices> slices;
  Volumes volumes = volumes_of(bytes, name, beside, &slices);
  Image image;
  image.remarks = std::move(volumes.remarks);
  if (auto colour = joined_colour(volumes.header, volumes.all, image.remarks)) {
    volumes.all.clear();
    volumes.all.push_back(std::move(*colour));
  }
  if (slices) {
    image.pixels = stack_of(*slices, volumes.all.front(), image.remarks);
    return image;
  }
  image.pixels = std::move(volumes.all);
  fill_axis(volumes.header, image);
  return image;
}

LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name) { return read_labels(bytes, name, {}); }

LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside) {
  Volumes volumes = volumes_of(bytes, name, beside);
  LabelMap labels = labels_of(volumes.all, volumes.header.intent_name == planar_intent, name);
  labels.remarks = std::move(volumes.remarks);
  return labels;
}

}  // namespace penta::io::nifti
