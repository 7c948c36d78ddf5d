#include <algorithm>
#include <map>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

constexpr Tag roi_sequence{0x3006, 0x0020}, roi_number{0x3006, 0x0022}, roi_name{0x3006, 0x0026},
    roi_contours{0x3006, 0x0039}, roi_colour{0x3006, 0x002A}, contour_sequence{0x3006, 0x0040},
    geometric_type{0x3006, 0x0042}, contour_data{0x3006, 0x0050}, referenced_roi{0x3006, 0x0084},
    observations{0x3006, 0x0080}, interpreted_type{0x3006, 0x00A4}, referenced_frame{0x3006, 0x0010},
    referenced_study{0x3006, 0x0012}, referenced_series{0x3006, 0x0014}, roi_frame{0x3006, 0x0024};

void read_references(DcmItem& data, Contours& out) {
  for (DcmItem* frame : items(data, referenced_frame)) {
    if (out.frame_of_reference_uid.empty()) out.frame_of_reference_uid = text(*frame, tag::frame_of_reference);
    for (DcmItem* study : items(*frame, referenced_study))
      for (DcmItem* series : items(*study, referenced_series))
        if (out.referenced_series_uid.empty()) out.referenced_series_uid = text(*series, tag::series_uid);
  }
}

std::optional<Contour> contour_of(DcmItem& item) {
  const auto values = numbers(item, contour_data);
  if (values.size() < 9 || values.size() % 3 != 0) return std::nullopt;
  Contour contour;
  for (std::size_t i = 0; i < values.size(); i += 3)
    contour.points_mm.push_back({values[i], values[i + 1], values[i + 2]});
  return contour;
}

void read_region(DcmItem& item, ContourRegion& region, int& left_out) {
  const auto colour = numbers(item, roi_colour);
  for (std::size_t i = 0; i < 3 && colour.size() == 3; ++i)
    region.colour[i] = static_cast<unsigned char>(std::clamp(colour[i], 0.0, 255.0));
  for (DcmItem* one : items(item, contour_sequence)) {
    // Points and open lines bound no region (PS3.3 C.8.8.6.3).
    const std::string type = text(*one, geometric_type);
    auto contour = type == "CLOSED_PLANAR" || type == "CLOSEDPLANAR_XOR" ? contour_of(*one) : std::nullopt;
    if (contour) region.contours.push_back(std::move(*contour));
    else ++left_out;
  }
}

}  // namespace

Contours read_contours(const Object& object, std::vector<Remark>& faults) {
  DcmItem& data = object.data();
  Contours out;
  out.study_uid = text(data, tag::study_uid);
  out.series_uid = text(data, tag::series_uid);
  read_references(data, out);
  std::map<int, std::size_t> by_number;
  for (DcmItem* item : items(data, roi_sequence)) {
    ContourRegion region;
    region.number = integer(*item, roi_number).value_or(0);
    region.name = text(*item, roi_name);
    if (out.frame_of_reference_uid.empty()) out.frame_of_reference_uid = text(*item, roi_frame);
    by_number.emplace(region.number, out.regions.size());
    out.regions.push_back(std::move(region));
  }
  if (out.regions.empty())
    throw Error(Code::bad_input, "reading " + object.name + ": the structure set has no regions (3006,0020)");
  int left_out = 0;
  for (DcmItem* item : items(data, roi_contours)) {
    const auto found = by_number.find(integer(*item, referenced_roi).value_or(-1));
    if (found != by_number.end()) read_region(*item, out.regions[found->second], left_out);
  }
  for (DcmItem* item : items(data, observations)) {
    const auto found = by_number.find(integer(*item, referenced_roi).value_or(-1));
    if (found != by_number.end()) out.regions[found->second].interpreted_type = text(*item, interpreted_type);
  }
  if (left_out > 0)
    faults.push_back({Severity::note, "contours_left_out",
                      std::to_string(left_out) +
                          " points, open lines or broken contours bound no region and are left out"});
  return out;
}

}  // namespace penta::io::dicom
