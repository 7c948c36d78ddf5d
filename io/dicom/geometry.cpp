#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

// Tolerances. A slice may lie off its even place by 1 % of the slice distance, or by what rounding positions to 0.1 mm
// makes (0.05 mm, and never more than a tenth of the distance); and off the line through the first slice by a tenth of
// a pixel. Slices within 0.01 mm are at one place.
constexpr double place_tolerance_mm = 0.01;
constexpr double even_tolerance = 0.01;
constexpr double rounding_mm = 0.051, rounding_tolerance = 0.1;
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

}  // namespace

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

namespace {

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

// Where slices ought to be, five of them at most: "(12, -3, 40.5) mm".
std::string places_text(const std::vector<PatientPoint>& places) {
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(places.size(), 5); ++i)
    out += (i > 0 ? ", (" : "(") + rounded(places[i].x) + ", " + rounded(places[i].y) + ", " + rounded(places[i].z) +
           ")";
  return out + (places.size() > 5 ? " and " + std::to_string(places.size() - 5) + " more" : "");
}

/// The places of missing slices: all gaps are multiples of the usual one. Empty when they are not.
std::vector<PatientPoint> missing_places(const Stack& stack, const std::vector<double>& gaps, double usual) {
  std::vector<PatientPoint> out;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    const double times = std::round(gaps[i] / usual);
    const double slack = std::max({place_tolerance_mm, even_tolerance * usual, std::min(rounding_mm, usual / 10)});
    if (times < 1 || times > 1e4 || std::abs(gaps[i] - times * usual) > 2 * slack) return {};
    const PatientPoint &a = stack.slices[i].plane->origin, &b = stack.slices[i + 1].plane->origin;
    for (double k = 1; k < times && out.size() < 100000; ++k) {
      const double share = k / times;
      out.push_back({a.x + share * (b.x - a.x), a.y + share * (b.y - a.y), a.z + share * (b.z - a.z)});
    }
  }
  return out;
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
  const double even = std::max(place_tolerance_mm, even_tolerance * mean);
  if (off <= std::max(even, std::min(rounding_mm, rounding_tolerance * mean))) {
    if (off > even)
      faults.push_back({Severity::note, "nearly_even_slices",
                        "slices lie up to " + rounded(off) + " mm from an even distance of " + rounded(mean) +
                            " mm, as rounded positions do; they are taken as even"});
    return;
  }
  std::vector<double> sorted = gaps;
  std::sort(sorted.begin(), sorted.end());
  const double usual = sorted[sorted.size() / 2];
  const auto missing = missing_places(stack, gaps, usual);
  const bool gone = !missing.empty();
  stack.why = gone ? std::to_string(missing.size()) + (missing.size() == 1 ? " slice is" : " slices are") +
                         " missing (slice distance " + rounded(usual) + " mm, largest gap " + rounded(sorted.back()) +
                         " mm), at " + places_text(missing) + " mm"
                   : "uneven slice distances (" + rounded(sorted.front()) + " to " + rounded(sorted.back()) + " mm)";
  faults.push_back({Severity::warning, gone ? "missing_slices" : "uneven_slices", stack.why});
}

void judge(Stack& stack, std::vector<Remark>& faults) {
  const Slice& first = stack.slices.front();
  if (stack.slices.size() == 1) {
    const double between = std::abs(first.between_mm.value_or(0));
    stack.distance_mm = between > 0 ? between : std::max(first.thickness_mm.value_or(0), 0.0);
    if (stack.distance_mm > 0) return;
    stack.why = "one slice without a thickness";
    faults.push_back(
        {Severity::note, "single_slice", stack.why + ": its place is kept, a size across it is not known"});
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

bool same_places(const Stack& a, const Stack& b) {
  if (a.slices.size() != b.slices.size()) return false;
  for (std::size_t i = 0; i < a.slices.size(); ++i)
    if (norm(difference(a.slices[i].plane->origin, b.slices[i].plane->origin)) > place_tolerance_mm) return false;
  return true;
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
  bool placed = !slices.empty(), one_direction = true;
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
  for (auto& one : volumes_of(slices, out)) {
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
  return out;
}

bool is_one_image(const Arrangement& arrangement) {
  const auto& stacks = arrangement.stacks;
  return stacks.size() == 1 || std::all_of(stacks.begin(), stacks.end(), [&](const Stack& stack) {
           return stack.why.empty() && same_places(stack, stacks.front());
         });
}

Arrangement as_one_image(Arrangement arrangement) {
  if (is_one_image(arrangement)) return arrangement;
  std::vector<Slice> slices;
  for (const Stack& stack : arrangement.stacks) slices.insert(slices.end(), stack.slices.begin(), stack.slices.end());
  Arrangement out = flat(std::move(slices));
  out.faults = std::move(arrangement.faults);
  out.faults.push_back({Severity::warning, "uneven_sequence",
                        "several volumes whose slices are not even, or not at the same places: read as frames"});
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
  if (!stack.why.empty())
    return times + count + (stack.slices.size() == 1 ? " slice of " : " slices of ") +
           matrix + " pixels, " + pixel + " mm: " + stack.why;
  return times + matrix + " x " + count + " voxels of " + pixel + " x " + rounded(stack.distance_mm) + " mm";
}

}  // namespace penta::io::dicom
