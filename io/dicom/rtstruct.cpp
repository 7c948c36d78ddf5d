#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

constexpr Tag roi_sequence{0x3006, 0x0020}, roi_number{0x3006, 0x0022}, roi_name{0x3006, 0x0026},
    roi_description{0x3006, 0x0028}, roi_algorithm{0x3006, 0x0036}, roi_contours{0x3006, 0x0039},
    roi_colour{0x3006, 0x002A}, contour_sequence{0x3006, 0x0040}, geometric_type{0x3006, 0x0042},
    point_count{0x3006, 0x0046}, contour_data{0x3006, 0x0050}, referenced_roi{0x3006, 0x0084},
    observations{0x3006, 0x0080}, interpreted_type{0x3006, 0x00A4}, identification_code{0x3006, 0x0086},
    referenced_frame{0x3006, 0x0010}, referenced_study{0x3006, 0x0012}, referenced_series{0x3006, 0x0014},
    contour_images{0x3006, 0x0016}, roi_frame{0x3006, 0x0024}, structure_set_label{0x3006, 0x0002},
    pixel_planes{0x3006, 0x004A}, referenced_class{0x0008, 0x1150}, referenced_instance{0x0008, 0x1155},
    referenced_frame_number{0x0008, 0x1160}, coding_scheme{0x0008, 0x0102};

SourceInstance reference_of(DcmItem& item) {
  return {text(item, referenced_class), text(item, referenced_instance),
          integer(item, referenced_frame_number).value_or(0)};
}

void read_references(DcmItem& data, Contours& out) {
  for (DcmItem* frame : items(data, referenced_frame)) {
    if (out.frame_of_reference_uid.empty()) out.frame_of_reference_uid = text(*frame, tag::frame_of_reference);
    for (DcmItem* study : items(*frame, referenced_study))
      for (DcmItem* series : items(*study, referenced_series)) {
        if (out.referenced_series_uid.empty()) out.referenced_series_uid = text(*series, tag::series_uid);
        for (DcmItem* image : items(*series, contour_images)) out.acquisition.instances.push_back(reference_of(*image));
      }
  }
}

/// What was wrong with the contours of a region, counted; the first of each kind is told in words.
struct Broken {
  std::size_t bad_numbers = 0, bad_shape = 0, bad_type = 0, repeated = 0, miscounted = 0;
  std::string number_example, shape_example, type_example;
};

std::optional<ContourKind> kind_of(const std::string& type) noexcept {
  if (type == "CLOSED_PLANAR") return ContourKind::closed;
  if (type == "CLOSEDPLANAR_XOR") return ContourKind::closed_xor;
  if (type == "OPEN_PLANAR" || type == "OPEN_NONPLANAR") return ContourKind::open;
  if (type == "POINT") return ContourKind::point;
  return std::nullopt;
}

// The first value that is not a finite number, cut to what fits in a sentence.
std::string bad_number(DcmItem& item) {
  for (const std::string& word : words(item, contour_data)) {
    const char* const first = word.data() + (word.starts_with('+') ? 1 : 0);
    double value = 0;
    const auto [end, fault] = std::from_chars(first, word.data() + word.size(), value);
    if (fault != std::errc{} || end != word.data() + word.size() || !std::isfinite(value)) return word.substr(0, 24);
  }
  return {};
}

bool has_repeats(const std::vector<PatientPoint>& points) noexcept {
  for (std::size_t i = 0; i < points.size(); ++i)
    if (points.size() > 1 && points[i] == points[(i + 1) % points.size()]) return true;
  return false;
}

std::optional<Contour> contour_of(DcmItem& item, Broken& broken) {
  const std::string type = text(item, geometric_type);
  const auto kind = kind_of(type);
  if (!kind) {
    if (broken.bad_type++ == 0) broken.type_example = type.substr(0, 24);
    return std::nullopt;
  }
  const auto values = numbers(item, contour_data);
  if (values.empty() && has(item, contour_data)) {
    if (const std::string word = bad_number(item); broken.bad_numbers++ == 0) broken.number_example = word;
    return std::nullopt;
  }
  if (values.empty() || values.size() % 3 != 0) {
    if (broken.bad_shape++ == 0) broken.shape_example = std::to_string(values.size());
    return std::nullopt;
  }
  Contour contour;
  contour.kind = *kind;
  for (std::size_t i = 0; i < values.size(); i += 3)
    contour.points_mm.push_back({values[i], values[i + 1], values[i + 2]});
  const auto count = integer(item, point_count);
  if (count && static_cast<std::size_t>(*count) != contour.points_mm.size()) ++broken.miscounted;
  if (*kind != ContourKind::point && has_repeats(contour.points_mm)) ++broken.repeated;
  for (DcmItem* image : items(item, contour_images)) contour.images.push_back(reference_of(*image));
  return contour;
}

void say_broken(const ContourRegion& region, const Broken& broken, std::vector<Remark>& faults) {
  const std::string name = "region '" + region.name + "' (ROI " + std::to_string(region.number) + "): ";
  const auto say = [&](std::size_t count, Severity severity, const char* code, const std::string& what) {
    if (count > 0)
      faults.push_back({severity, code, name + std::to_string(count) + (count == 1 ? " contour" : " contours") + what});
  };
  say(broken.bad_numbers, Severity::error, "contours_left_out",
      " left out: Contour Data (3006,0050) holds '" + broken.number_example + "', which is not a number");
  say(broken.bad_shape, Severity::error, "contours_left_out",
      " left out: Contour Data (3006,0050) holds " + broken.shape_example + " values, not a multiple of 3");
  say(broken.bad_type, Severity::error, "contours_left_out",
      " left out: Contour Geometric Type (3006,0042) '" + broken.type_example + "' is not known");
  say(broken.miscounted, Severity::warning, "contours_miscounted",
      " with another number of points than Number of Contour Points (3006,0046) says: all points are used");
  say(broken.repeated, Severity::note, "contours_repeated_points", " with a point said twice in a row");
}

// PS3.3 C.8.8.6.4. Nothing where a value is missing or makes no sense.
std::optional<Grid> planes_of(DcmItem& roi) {
  DcmItem* const item = first_item(roi, pixel_planes);
  if (item == nullptr) return std::nullopt;
  std::vector<Remark> faults;
  const auto plane = plane_of(*item, *item);
  const auto spacing = spacing_of(*item, faults);
  const auto between = number(*item, tag::spacing_between_slices);
  const auto columns = integer(*item, tag::columns), rows = integer(*item, tag::rows);
  const auto frames = integer(*item, tag::number_of_frames);
  if (!plane || !spacing || !between || !columns || !rows || !frames) return std::nullopt;
  const Vector3 normal = plane->normal();
  Matrix3 direction{};
  for (std::size_t r = 0; r < 3; ++r) direction[r] = {plane->row[r], plane->column[r], normal[r]};
  try {
    return Grid({*columns, *rows, *frames}, {(*spacing)[0], (*spacing)[1], *between}, plane->origin, direction);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void read_region(DcmItem& item, ContourRegion& region, std::vector<Remark>& faults) {
  const auto colour = numbers(item, roi_colour);
  for (std::size_t i = 0; i < 3 && colour.size() == 3; ++i)
    region.colour[i] = static_cast<unsigned char>(std::clamp(colour[i], 0.0, 255.0));
  if (!region.planes) region.planes = planes_of(item);
  Broken broken;
  for (DcmItem* one : items(item, contour_sequence))
    if (auto contour = contour_of(*one, broken)) region.contours.push_back(std::move(*contour));
  say_broken(region, broken, faults);
}

using ByNumber = std::map<int, std::size_t>;

ByNumber read_rois(DcmItem& data, Contours& out, std::vector<Remark>& faults) {
  ByNumber by_number;
  for (DcmItem* item : items(data, roi_sequence)) {
    ContourRegion region;
    const auto number = integer(*item, roi_number);
    region.number = number.value_or(0);
    region.name = text(*item, roi_name);
    region.description = text(*item, roi_description);
    region.algorithm = text(*item, roi_algorithm);
    region.frame_of_reference_uid = text(*item, roi_frame);
    if (out.frame_of_reference_uid.empty()) out.frame_of_reference_uid = region.frame_of_reference_uid;
    if (!number || !by_number.emplace(*number, out.regions.size()).second)
      faults.push_back(
          {Severity::error, "roi_number",
           "region '" + region.name + "': ROI Number (3006,0022) " +
               (number ? std::to_string(*number) + " is that of another region" : "is missing or not a number") +
               ", so no contours can be given to it"});
    out.regions.push_back(std::move(region));
  }
  return by_number;
}

void read_observations(DcmItem& data, const ByNumber& by_number, Contours& out) {
  for (DcmItem* item : items(data, observations)) {
    const auto found = by_number.find(integer(*item, referenced_roi).value_or(-1));
    if (found == by_number.end()) continue;
    ContourRegion& region = out.regions[found->second];
    region.interpreted_type = text(*item, interpreted_type);
    if (DcmItem* code = first_item(*item, identification_code))
      region.type = {text(*code, coding_scheme), text(*code, tag::code_value), text(*code, tag::code_meaning)};
  }
}

void say_regions(const Contours& contours, std::vector<Remark>& faults) {
  for (const ContourRegion& region : contours.regions) {
    if (region.contours.empty())
      faults.push_back({Severity::note, "region_without_contours",
                        "region '" + region.name + "' (ROI " + std::to_string(region.number) + ") has no contours"});
    if (!region.frame_of_reference_uid.empty() && region.frame_of_reference_uid != contours.frame_of_reference_uid)
      faults.push_back({Severity::warning, "region_in_another_frame_of_reference",
                        "region '" + region.name + "' lies in another frame of reference (3006,0024) than the set"});
  }
}

}  // namespace

Contours read_contours(const Object& object, std::vector<Remark>& faults) {
  DcmItem& data = object.data();
  Contours out;
  std::vector<Remark> found, said_already;  // instance_of says what the header lacks
  out.acquisition = acquisition_of(data, said_already);
  out.study_uid = text(data, tag::study_uid);
  out.series_uid = text(data, tag::series_uid);
  out.label = text(data, structure_set_label);
  read_references(data, out);
  const ByNumber by_number = read_rois(data, out, found);
  if (out.regions.empty())
    throw Error(Code::bad_input, "reading " + object.name + ": the structure set has no regions (3006,0020)");
  out.acquisition.frame_of_reference_uid = out.frame_of_reference_uid;
  for (DcmItem* item : items(data, roi_contours)) {
    const auto at = by_number.find(integer(*item, referenced_roi).value_or(-1));
    if (at != by_number.end()) read_region(*item, out.regions[at->second], found);
    else
      found.push_back({Severity::warning, "contours_left_out",
                       "contours of ROI " + text(*item, referenced_roi).substr(0, 16) +
                           " (3006,0084), which the structure set does not name, are left out"});
  }
  read_observations(data, by_number, out);
  say_regions(out, found);
  out.remarks = found;
  faults.insert(faults.end(), found.begin(), found.end());
  return out;
}

}  // namespace penta::io::dicom
