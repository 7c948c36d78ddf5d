#include <algorithm>
#include <bit>
#include <utility>

#include "core/error.h"
#include "io/rawdata/interfile_parts.h"
#include "io/text_header.h"

namespace penta::io::rawdata {

namespace {

constexpr std::int64_t views_max = 100000, segments_max = 10000;

/// The axes of a STIR sinogram: bins, then views or planes, then the other, then segments.
struct SinogramOrder {
  int views_axis = 0, planes_axis = 0;
};

SinogramOrder order_of(const InterfileKeys& keys) {
  const auto label = [&](int axis) { return keys.text_lower("matrix axis label", axis); };
  if (keys.whole("number of dimensions").value_or(4) > 4)
    keys.fail("number of dimensions", "more than 4, as sinograms with time of flight have, are not read");
  if (keys.whole("TOF mashing factor").value_or(0) > 1 || keys.whole("Number of TOF time bins").value_or(1) > 1)
    keys.fail("Number of TOF time bins", "sinograms with time of flight are not read");
  if (label(1) != "tangential coordinate")
    keys.fail("matrix axis label [1]", "'" + label(1) + "' is not 'tangential coordinate'");
  if (label(4) != "segment") keys.fail("matrix axis label [4]", "'" + label(4) + "' is not 'segment'");
  if (label(2) == "axial coordinate" && label(3) == "view") return {3, 2};
  if (label(2) == "view" && label(3) == "axial coordinate") return {2, 3};
  keys.fail("matrix axis label [2]", "'" + label(2) + "' and '" + label(3) + "' are not view and axial coordinate");
}

std::vector<SinogramSegment> segments_of(const InterfileKeys& keys, int planes_axis) {
  const std::int64_t count = keys.need_size("matrix size", 4);
  if (count > segments_max) keys.fail("matrix size [4]", std::to_string(count) + " segments");
  const auto planes = keys.whole_list("matrix size", planes_axis);
  const auto low = keys.whole_list("minimum ring difference per segment");
  const auto high = keys.whole_list("maximum ring difference per segment");
  const auto n = static_cast<std::size_t>(count);
  const std::string which = "matrix size [" + std::to_string(planes_axis) + "]";
  if (planes.size() != n) keys.fail(which, "it does not give one number a segment");
  if (low.size() != n) keys.fail("minimum ring difference per segment", "it does not give one number a segment");
  if (high.size() != n) keys.fail("maximum ring difference per segment", "it does not give one number a segment");
  std::vector<SinogramSegment> segments;
  for (std::size_t i = 0; i < n; ++i) {
    if (planes[i] < 1 || planes[i] > (1 << 20)) keys.fail(which, std::to_string(planes[i]) + " is no size");
    if (low[i] > high[i] || low[i] < -10000 || high[i] > 10000)
      keys.fail("minimum ring difference per segment", std::to_string(low[i]) + " to " + std::to_string(high[i]));
    segments.push_back({static_cast<int>(low[i]), static_cast<int>(high[i]), planes[i]});
  }
  return segments;
}

void fill_scanner(const InterfileKeys& keys, Sinogram& sinogram) {
  const auto mm = [&](const char* key) { return 10 * keys.number(key).value_or(0); };
  sinogram.rings = static_cast<int>(std::clamp<std::int64_t>(keys.whole("Number of rings").value_or(0), 0, 1 << 20));
  sinogram.detectors_per_ring =
      static_cast<int>(std::clamp<std::int64_t>(keys.whole("Number of detectors per ring").value_or(0), 0, 1 << 20));
  sinogram.ring_spacing_mm = mm("Distance between rings (cm)");
  sinogram.ring_diameter_mm = mm("Inner ring diameter (cm)");
  sinogram.interaction_depth_mm = mm("Average depth of interaction (cm)");
  sinogram.bin_mm =
      mm(keys.has("effective central bin size (cm)") ? "effective central bin size (cm)" : "bin size (cm)");
  const std::vector<std::string> corrections = keys.list("applied corrections");
  // STIR: without the key the data are taken as arc-corrected.
  const std::string all = keys.text_lower("applied corrections");
  sinogram.arc_corrected = corrections.empty() || all.find("arc correct") != std::string::npos;
}

/// [segment][view][plane][bin] of a file to [plane][view][bin].
std::vector<float> planes_first(std::vector<float> values, const Sinogram& s) {
  std::vector<float> out(values.size());
  const auto bins = static_cast<std::size_t>(s.bins), views = static_cast<std::size_t>(s.views);
  std::size_t start = 0;
  for (const SinogramSegment& segment : s.segments) {
    const auto planes = static_cast<std::size_t>(segment.planes);
    for (std::size_t v = 0; v < views; ++v)
      for (std::size_t p = 0; p < planes; ++p)
        std::copy_n(values.data() + start + bins * (p + planes * v), bins, out.data() + start + bins * (v + views * p));
    start += bins * views * planes;
  }
  return out;
}

}  // namespace

Sinogram interfile_sinogram(const Interfile& file) {
  const InterfileKeys& keys = file.keys;
  const SinogramOrder order = order_of(keys);
  Sinogram s;
  s.bins = keys.need_size("matrix size", 1);
  s.views = keys.need_size("matrix size", order.views_axis);
  if (s.views > views_max) keys.fail("matrix size [" + std::to_string(order.views_axis) + "]", "too many views");
  s.segments = segments_of(keys, order.planes_axis);
  for (const SinogramSegment& segment : s.segments) s.planes += segment.planes;
  if (keys.whole("number of time frames").value_or(1) != 1)
    keys.fail("number of time frames", "sinograms of several frames are not read");
  fill_scanner(keys, s);
  // STIR: views cover half a turn, view 0 at the view offset.
  const double offset_deg = keys.number("View offset (degrees)").value_or(0);
  for (std::int64_t v = 0; v < s.views; ++v)
    s.angle_deg.push_back(offset_deg + 180.0 * static_cast<double>(v) / static_cast<double>(s.views));
  if (s.bins > (1 << 24)) keys.fail("matrix size [1]", "too many bins");
  const std::vector<std::byte> data = data_file(file);
  const std::uint64_t count = static_cast<std::uint64_t>(s.bins) * static_cast<std::uint64_t>(s.views);
  if (count > (1ULL << 32U) / static_cast<std::uint64_t>(s.planes))
    keys.fail("matrix size", "more than 8 GiB of numbers");
  s.values =
      numbers_at(file, data, data_offset(keys, 1, 0), count * static_cast<std::uint64_t>(s.planes), scale_of(keys, 1));
  if (order.views_axis == 3) s.values = planes_first(std::move(s.values), s);
  return s;
}

Projections interfile_projections(const Interfile& file) {
  const InterfileKeys& keys = file.keys;
  Projections p;
  p.columns = keys.need_size("matrix size", 1);
  p.rows = keys.need_size("matrix size", 2);
  const std::int64_t views = keys.need_size("number of projections");
  if (views > views_max || p.columns > (1 << 20) || p.rows > (1 << 20)) keys.fail("number of projections", "too many");
  for (int i = 0; i < 2; ++i) {
    const auto mm = keys.length("scaling factor (mm/pixel)", i + 1);
    if (!mm) keys.fail("scaling factor (mm/pixel) [" + std::to_string(i + 1) + "]", "it is missing");
    p.spacing_mm[static_cast<std::size_t>(i)] = *mm;
  }
  const auto extent = keys.number("extent of rotation");
  if (!extent) keys.fail("extent of rotation", "it is missing");
  const std::string turn = keys.has("direction of rotation") ? keys.text_lower("direction of rotation") : "cw";
  if (turn != "cw" && turn != "ccw") keys.fail("direction of rotation", "'" + turn + "' is neither CW nor CCW");
  const double start = keys.number("start angle").value_or(0), sign = turn == "ccw" ? 1 : -1;
  for (std::int64_t v = 0; v < views; ++v)
    p.angle_deg.push_back(start + sign * *extent * static_cast<double>(v) / static_cast<double>(views));
  file.remarks.push_back({Severity::warning, "angle_origin_assumed",
                          "Interfile does not say where 0 degrees is: the patient's back is taken, as DICOM has it, "
                          "counter-clockwise seen from the feet"});
  const bool in_mm = keys.has("radius") || keys.has("radii");
  p.radius_mm = keys.number_list(keys.has("radii") ? "radii" : in_mm ? "radius" : "radius (cm)");
  for (double& radius : p.radius_mm) radius *= in_mm ? 1 : 10;
  if (p.radius_mm.size() == 1) p.radius_mm.assign(static_cast<std::size_t>(views), p.radius_mm[0]);
  if (!p.radius_mm.empty() && p.radius_mm.size() != static_cast<std::size_t>(views))
    keys.fail("radius", std::to_string(p.radius_mm.size()) + " radii of " + std::to_string(views) + " projections");
  const std::string position = patient_position(keys);
  p.axial_known = position == "HFS";
  if (!position.empty() && position != "HFS")
    file.remarks.push_back({Severity::warning, "position_not_applied",
                            "the patient lay " + position + ": rows and angles are given as for head in, supine"});
  p.axial_step_mm = -p.spacing_mm[1];
  p.axial_start_mm = p.spacing_mm[1] * static_cast<double>(p.rows - 1) / 2;
  p.windows = static_cast<int>(std::clamp<std::int64_t>(keys.whole("number of energy windows").value_or(1), 1, 64));
  const std::vector<std::byte> data = data_file(file);
  const std::uint64_t plane = static_cast<std::uint64_t>(p.columns) * static_cast<std::uint64_t>(p.rows);
  if (plane > (1ULL << 32U) / static_cast<std::uint64_t>(views)) keys.fail("matrix size", "more than 8 GiB of numbers");
  const std::uint64_t count = plane * static_cast<std::uint64_t>(views);
  std::uint64_t offset = 0;
  for (int w = 1; w <= p.windows; ++w) {
    offset = data_offset(keys, w, offset);
    p.layers.push_back(numbers_at(file, data, offset, count, scale_of(keys, w)));
    offset += count * nifti::voxel_bytes(number_format(keys).datatype);
  }
  return p;
}

ListMode interfile_list_mode(const Interfile& file) {
  const InterfileKeys& keys = file.keys;
  ListMode list;
  list.scanner = keys.text("originating system");
  list.word_bits = static_cast<int>(keys.whole("LM event and tag words format (bits)").value_or(32));
  if (list.word_bits != 32 && list.word_bits != 64)
    keys.fail("LM event and tag words format (bits)", std::to_string(list.word_bits) + " is neither 32 nor 64");
  const std::vector<std::byte> data = data_file(file);
  const std::uint64_t offset = data_offset(keys, 0, 0), word = static_cast<std::uint64_t>(list.word_bits) / 8;
  if (offset > data.size()) keys.fail("data offset in bytes", "it points behind the data");
  const std::uint64_t count = (data.size() - offset) / word;
  // PETLINK words are little-endian.
  const bool swapped = std::endian::native == std::endian::big;
  list.events.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::byte* at = data.data() + offset + i * word;
    list.events.push_back(word == 4 ? nifti::load<std::uint32_t>(at, swapped)
                                    : nifti::load<std::uint64_t>(at, swapped));
  }
  if (const auto announced = keys.whole("total listmode word counts");
      announced && std::cmp_not_equal(*announced, count))
    file.remarks.push_back(
        {Severity::warning, "list_mode_incomplete",
         "the header announces " + std::to_string(*announced) + " words, and the file has " + std::to_string(count)});
  if (keys.text_lower("SMS-MI header name space").find("petlink") == std::string::npos || list.word_bits != 32) {
    file.remarks.push_back({Severity::warning, "words_not_decoded", "the words are of no format that is known here"});
    return list;
  }
  // PETLINK: bit 31 clear is an event, whose bit 30 is set for a prompt; 100 in bits 31 to 29 is the time in ms.
  std::int64_t first_ms = -1, last_ms = -1;
  for (const std::uint64_t event : list.events) {
    if ((event >> 31U) == 0)
      ++(((event >> 30U) & 1U) != 0 ? list.prompts : list.delayeds);
    else if ((event >> 29U) == 4) {
      last_ms = static_cast<std::int64_t>(event & 0x1FFFFFFFU);
      if (first_ms < 0) first_ms = last_ms;
    }
  }
  list.duration_ms = first_ms < 0 ? 0 : last_ms - first_ms;
  return list;
}

}  // namespace penta::io::rawdata
