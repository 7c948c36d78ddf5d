#include <algorithm>
#include <array>

#include "core/error.h"
#include "io/nifti/geometry.h"
#include "io/nifti/voxels.h"
#include "io/rawdata/interfile_parts.h"

namespace penta::io::rawdata {

namespace {

/// Signs that turn STIR's axes into LPS. Seen from the bed side STIR's x runs from left to right, y from top to bottom,
/// z from deep in the scanner out along the bed (STIR, DiscretisedDensity::swap_axes_based_on_orientation).
Vector3 lps_signs(const std::string& position) {
  if (position == "HFP") return {-1, -1, -1};
  if (position == "FFS") return {-1, 1, 1};
  if (position == "FFP") return {1, -1, 1};
  return {1, 1, -1};
}

struct Shape {
  Size3 size{1, 1, 1};
  Vector3 spacing_mm{1, 1, 1};
};

/// Version 3.3 has slices beside two axes; STIR has three axes.
Shape shape_of(const Interfile& file) {
  const InterfileKeys& keys = file.keys;
  Shape shape;
  bool spacing_known = true;
  const bool slices_apart = !keys.has("matrix size", 3);
  for (int i = 0; i < 3; ++i) {
    const auto axis = static_cast<std::size_t>(i);
    if (i == 2 && slices_apart) break;
    shape.size[axis] = keys.need_size("matrix size", i + 1);
    const auto mm = keys.length("scaling factor (mm/pixel)", i + 1);
    spacing_known = spacing_known && mm.has_value();
    shape.spacing_mm[axis] = mm.value_or(1);
  }
  if (slices_apart) {
    const char* key = keys.has("number of slices") ? "number of slices" : "total number of images";
    shape.size[2] = keys.has(key) ? keys.need_size(key) : 1;
    const auto apart = keys.length("centre-centre slice separation (pixels)");
    const auto thick = keys.length("slice thickness (pixels)");
    spacing_known = spacing_known && (apart || thick || shape.size[2] == 1);
    shape.spacing_mm[2] = apart.value_or(thick.value_or(1)) * shape.spacing_mm[0];
  }
  if (!spacing_known)
    file.remarks.push_back({Severity::warning, "spacing_unknown", "a scaling factor is missing: 1 mm is taken"});
  return shape;
}

Grid grid_of_header(const Interfile& file) {
  const Shape shape = shape_of(file);
  const std::string position = patient_position(file.keys);
  const Vector3 sign = lps_signs(position);
  std::array<std::array<double, 4>, 3> lps_mm{};
  for (std::size_t i = 0; i < 3; ++i) {
    // Without an offset STIR centres x and y on the axis of the scanner, and has z from 0.
    const double centred = i < 2 ? -static_cast<double>(shape.size[i] / 2) * shape.spacing_mm[i] : 0.0;
    const double first = file.keys.number("first pixel offset (mm)", static_cast<int>(i) + 1).value_or(centred);
    lps_mm[i][i] = sign[i] * shape.spacing_mm[i];
    lps_mm[i][3] = sign[i] * first;
  }
  if (position.empty())
    file.remarks.push_back({Severity::warning, "orientation_unknown",
                            "the header does not say how the patient lay: head in, supine is taken"});
  return nifti::place_affine(lps_mm, shape.size, file.name, "scaling factor (mm/pixel)", file.remarks);
}

std::string unit_of(const InterfileKeys& keys) {
  std::string unit;
  for (const char c : keys.text_lower("quantification units"))
    if (c != ' ') unit += c;
  if (unit == "bq/ml" || unit == "bq/cc") return "Bq/mL";
  return {};
}

}  // namespace

Image interfile_image(const Interfile& file) {
  const InterfileKeys& keys = file.keys;
  const Grid grid = grid_of_header(file);
  const std::int64_t frames = keys.has("number of time frames") ? keys.need_size("number of time frames") : 1;
  const NumberFormat format = number_format(keys);
  nifti::Header header;
  header.datatype = format.datatype;
  header.swapped = format.swapped;
  header.dim = {4, grid.size()[0], grid.size()[1], grid.size()[2], 1, 1, 1, 1};
  const std::uint64_t one = nifti::data_bytes(header, file.name);
  const std::vector<std::byte> data = data_file(file);
  VolumeSequence volumes;
  std::uint64_t offset = 0;
  for (std::int64_t f = 1; f <= frames; ++f, offset += one) {
    offset = data_offset(keys, static_cast<int>(f), offset);
    if (offset > data.size() || data.size() - offset < one)
      throw Error(Code::bad_input, keys.doing() + "its data file is cut off: " + std::to_string(data.size()) +
                                       " bytes of " + std::to_string(offset + one));
    header.slope = scale_of(keys, static_cast<int>(f));
    for (AnyVolume& volume : nifti::decode(header, grid, std::span(data).subspan(offset, one), file.remarks))
      volumes.push_back(std::move(volume));
  }
  // Frames of different factors may have come to different voxel types.
  const std::size_t type = volumes.front().index();
  if (std::any_of(volumes.begin(), volumes.end(), [&](const AnyVolume& v) { return v.index() != type; }))
    for (AnyVolume& volume : volumes) volume = to_float(volume);
  Image image;
  if (frames > 1) image.axis = SequenceAxis::time;
  image.unit = unit_of(keys);
  image.pixels = std::move(volumes);
  return image;
}

}  // namespace penta::io::rawdata
