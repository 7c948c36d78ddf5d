#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

// Tolerances. A slice may lie off its even place by a tenth of the slice distance (positions are often rounded to
// 0.1 mm), and off the line through the first slice by a tenth of a pixel; slices within 0.01 mm are at one place.
constexpr double place_tolerance_mm = 0.01;
constexpr double distance_tolerance = 0.1;
constexpr double shift_tolerance = 0.1;
constexpr double direction_tolerance = 1e-3;

Vector3 difference(const PatientPoint& a, const PatientPoint& b) noexcept { return {a.x - b.x, a.y - b.y, a.z - b.z}; }

std::string rounded(double value) {
  std::array<char, 32> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), "%.3g", value);
  return {buffer.data(), static_cast<std::size_t>(std::max(length, 0))};
}

double height(const Slice& slice, const Plane& reference) noexcept {
  return dot(difference(slice.plane->origin, PatientPoint{}), reference.normal());
}

void sort_along_normal(std::vector<Slice>& slices) {
  const Plane reference = *slices.front().plane;
  std::stable_sort(slices.begin(), slices.end(), [&](const Slice& a, const Slice& b) {
    const double ha = height(a, reference), hb = height(b, reference);
    if (ha != hb) return ha < hb;
    return a.number < b.number;
  });
}

/// Runs of slices at one place, of slices in order along the normal.
std::vector<std::pair<std::size_t, std::size_t>> places_of(const std::vector<Slice>& slices) {
  std::vector<std::pair<std::size_t, std::size_t>> places;
  const Plane reference = *slices.front().plane;
  for (std::size_t i = 0; i < slices.size(); ++i) {
    const bool same = i > 0 && height(slices[i], reference) - height(slices[i - 1], reference) < place_tolerance_mm;
    if (same) places.back().second = i + 1;
    else places.emplace_back(i, i + 1);
  }
  return places;
}

// Greatest sideways distance from the line along the normal through the first slice.
double shift_of(const std::vector<Slice>& slices, double& along) {
  const Plane reference = *slices.front().plane;
  double shift = 0;
  along = 0;
  for (const Slice& slice : slices) {
    Vector3 d = difference(slice.plane->origin, reference.origin);
    const double h = dot(d, reference.normal());
    for (std::size_t i = 0; i < 3; ++i) d[i] -= h * reference.normal()[i];
    if (norm(d) > shift) {
      shift = norm(d);
      along = h;
    }
  }
  return shift;
}

void judge_distances(Stack& stack, std::vector<Remark>& faults) {
  std::vector<double> heights, gaps;
  for (const Slice& slice : stack.slices) heights.push_back(height(slice, *stack.slices.front().plane));
  for (std::size_t i = 1; i < heights.size(); ++i) gaps.push_back(heights[i] - heights[i - 1]);
  const double mean = (heights.back() - heights.front()) / static_cast<double>(gaps.size());
  double off = 0;
  for (std::size_t i = 0; i < heights.size(); ++i)
    off = std::max(off, std::abs(heights[i] - heights.front() - mean * static_cast<double>(i)));
  stack.distance_mm = mean;
  if (off <= std::max(place_tolerance_mm, distance_tolerance * mean)) {
    if (off > std::max(place_tolerance_mm, 0.01 * mean))
      faults.push_back({Severity::note, "nearly_even_slices",
                        "slices lie up to " + rounded(off) + " mm from an even distance of " + rounded(mean) +
                            " mm; they are taken as even"});
    return;
  }
  std::vector<double> sorted = gaps;
  std::sort(sorted.begin(), sorted.end());
  const double usual = sorted[sorted.size() / 2];
  int missing = 0;
  bool multiples = true;
  for (const double gap : gaps) {
    const double times = std::round(gap / usual);
    multiples = multiples && times >= 1 && std::abs(gap - times * usual) <= distance_tolerance * usual;
    if (times > 1) missing += static_cast<int>(std::min(times - 1, 1e6));
  }
  const bool gone = multiples && missing > 0;
  stack.why = gone ? std::to_string(missing) + " slices are missing (slice distance " + rounded(usual) +
                         " mm, largest gap " + rounded(sorted.back()) + " mm)"
                   : "uneven slice distances (" + rounded(sorted.front()) + " to " + rounded(sorted.back()) + " mm)";
  faults.push_back({Severity::warning, gone ? "missing_slices" : "uneven_slices", stack.why});
}

void judge(Stack& stack, std::vector<Remark>& faults) {
  const Slice& first = stack.slices.front();
  if (stack.slices.size() == 1) {
    const double between = std::abs(first.between_mm.value_or(0));
    stack.distance_mm = between > 0 ? between : std::max(first.thickness_mm.value_or(0), 0.0);
    return;
  }
  double along = 0;
  const double shift = shift_of(stack.slices, along);
  if (shift > shift_tolerance * std::min((*first.spacing_mm)[0], (*first.spacing_mm)[1])) {
    const double angle = along > 0 ? std::atan2(shift, along) * 180 / 3.14159265358979323846 : 90.0;
    stack.why = "tilted: slices are shifted in their plane by up to " + rounded(shift) + " mm (" + rounded(angle) +
                " degrees)";
    faults.push_back({Severity::warning, "tilted", stack.why});
  }
  const std::string tilted = stack.why;
  judge_distances(stack, faults);
  if (!tilted.empty()) stack.why = stack.why == tilted ? tilted : tilted + "; " + stack.why;
}

struct KeyAxis {
  SliceKey key;
  SequenceAxis axis;
  const char* name;
};
constexpr std::array<KeyAxis, 9> key_axes{{{key_b_value, SequenceAxis::b_value, "b-value"},
                                           {key_echo, SequenceAxis::echo, "echo time"},
                                           {key_gate, SequenceAxis::gate, "gate"},
                                           {key_window, SequenceAxis::energy_window, "energy window"},
                                           {key_temporal, SequenceAxis::time, "temporal position"},
                                           {key_trigger, SequenceAxis::time, "trigger time"},
                                           {key_acquisition, SequenceAxis::time, "acquisition number"},
                                           {key_time, SequenceAxis::time, "acquisition time"},
                                           {key_type, SequenceAxis::none, "image type"}}};

using Parts = std::vector<std::vector<Slice>>;

// Parts by a key's value where each part has one slice at every place; empty when the key does not do it.
Parts parts_by(const std::vector<Slice>& slices, SliceKey key, std::size_t repeats) {
  std::map<double, std::vector<Slice>> by_value;
  for (const Slice& slice : slices) by_value[slice.keys[key]].push_back(slice);
  if (by_value.size() != repeats) return {};
  Parts parts;
  for (auto& [value, part] : by_value) {
    if (part.size() * repeats != slices.size() || has_repeats(part)) return {};
    parts.push_back(std::move(part));
  }
  return parts;
}

Parts parts_by_number(const std::vector<Slice>& slices, std::size_t repeats) {
  Parts parts(repeats);
  for (const auto& [first, last] : places_of(slices)) {
    const auto begin = slices.begin();
    std::vector<Slice> here(begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(last));
    std::stable_sort(here.begin(), here.end(), [](const Slice& a, const Slice& b) { return a.number < b.number; });
    for (std::size_t i = 0; i < here.size(); ++i) parts[i].push_back(here[i]);
  }
  return parts;
}

// Several slices at each place: a volume for each time, echo, b-value or gate.
Parts part(const std::vector<Slice>& slices, SequenceAxis& axis, std::vector<Remark>& faults) {
  const auto places = places_of(slices);
  const std::size_t repeats = places.front().second - places.front().first;
  const bool same = std::all_of(places.begin(), places.end(),
                                [&](const auto& place) { return place.second - place.first == repeats; });
  if (same && repeats == 1) return {slices};
  if (same) {
    for (const KeyAxis& row : key_axes) {
      Parts parts = parts_by(slices, row.key, repeats);
      if (parts.empty()) continue;
      axis = row.axis == SequenceAxis::none ? SequenceAxis::frame : row.axis;
      faults.push_back({Severity::note, "several_volumes",
                        std::to_string(repeats) + " volumes at the same places, told apart by " + row.name});
      return parts;
    }
    axis = SequenceAxis::time;
    faults.push_back({Severity::warning, "several_volumes",
                      std::to_string(repeats) + " volumes at the same places, told apart by the order of their "
                      "instance numbers only"});
    return parts_by_number(slices, repeats);
  }
  return {slices};
}

Arrangement flat(std::vector<Slice> slices) {
  std::stable_sort(slices.begin(), slices.end(), [](const Slice& a, const Slice& b) { return a.number < b.number; });
  Arrangement out;
  out.planar = true;
  out.axis = slices.size() > 1 ? SequenceAxis::frame : SequenceAxis::none;
  out.stacks.push_back({std::move(slices), 0, {}});
  return out;
}

}  // namespace

bool same_orientation(const Plane& a, const Plane& b) noexcept {
  for (std::size_t i = 0; i < 3; ++i)
    if (std::abs(a.row[i] - b.row[i]) > direction_tolerance ||
        std::abs(a.column[i] - b.column[i]) > direction_tolerance)
      return false;
  return true;
}

bool has_repeats(const std::vector<Slice>& slices) {
  std::vector<Slice> placed;
  for (const Slice& slice : slices)
    if (slice.plane) placed.push_back(slice);
  if (placed.size() < 2) return false;
  sort_along_normal(placed);
  return places_of(placed).size() < placed.size();
}

Arrangement arrange(std::vector<Slice> slices) {
  bool placed = true, one_direction = true;
  for (const Slice& slice : slices) {
    placed = placed && slice.plane && slice.spacing_mm;
    one_direction = one_direction && placed && same_orientation(*slice.plane, *slices.front().plane);
  }
  if (!placed || !one_direction) {
    Arrangement out = flat(std::move(slices));
    if (placed)
      out.faults.push_back(
          {Severity::warning, "mixed_orientations", "slices have several orientations: read as frames"});
    return out;
  }
  Arrangement out;
  sort_along_normal(slices);
  for (auto& one : part(slices, out.axis, out.faults)) {
    Stack stack{std::move(one), 0, {}};
    sort_along_normal(stack.slices);
    const auto places = places_of(stack.slices);
    if (places.size() < stack.slices.size()) {
      stack.why = std::to_string(stack.slices.size() - places.size()) + " slices lie where another one lies";
      out.faults.push_back({Severity::warning, "duplicate_slices", stack.why});
    } else {
      std::vector<Remark> faults;
      judge(stack, faults);
      if (out.stacks.empty()) out.faults.insert(out.faults.end(), faults.begin(), faults.end());
    }
    out.stacks.push_back(std::move(stack));
  }
  for (const Stack& stack : out.stacks) {
    if (out.stacks.size() == 1 || stack.why.empty()) continue;
    // A sequence of volumes needs even slices; nothing yet holds a sequence of slice stacks.
    std::vector<Remark> faults = std::move(out.faults);
    faults.push_back(
        {Severity::warning, "uneven_sequence", "several volumes of slices that are no volume: read as frames"});
    out = flat(std::move(slices));
    out.faults = std::move(faults);
    return out;
  }
  const Stack& first = out.stacks.front();
  if (first.slices.size() == 1 && out.stacks.size() == 1 && first.distance_mm <= 0) {
    out.planar = true;
    out.faults.push_back({Severity::note, "single_slice", "one slice without a thickness: read as a frame"});
  }
  return out;
}

std::string shape_of(const Arrangement& arrangement, const Layout& layout) {
  const Stack& stack = arrangement.stacks.front();
  const std::string matrix = std::to_string(layout.columns) + " x " + std::to_string(layout.rows);
  const std::string count = std::to_string(stack.slices.size());
  const Slice& first = stack.slices.front();
  const std::string pixel =
      first.spacing_mm ? rounded((*first.spacing_mm)[0]) + " x " + rounded((*first.spacing_mm)[1]) : std::string();
  if (arrangement.planar)
    return count + (stack.slices.size() == 1 ? " frame of " : " frames of ") + matrix + " pixels" +
           (pixel.empty() ? "" : ", " + pixel + " mm");
  const std::string times = arrangement.stacks.size() > 1 ? std::to_string(arrangement.stacks.size()) + " x " : "";
  if (!stack.why.empty()) return times + count + " slices of " + matrix + " pixels, " + pixel + " mm: " + stack.why;
  return times + matrix + " x " + count + " voxels of " + pixel + " x " + rounded(stack.distance_mm) + " mm";
}

}  // namespace penta::io::dicom
