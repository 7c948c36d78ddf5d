#include "io/dicom/read_sr_items.h"
#include "io/dicom/write_sr_places.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cmath>

namespace penta::io::dicom::sr {

namespace {

std::optional<double> float64(DcmItem& item, Tag tag) {
  Float64 value = 0;
  if (item.findAndGetFloat64(DcmTagKey(tag.group, tag.element), value).bad() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<double> ratio(DcmItem& item) {
  Sint32 above = 0;
  Uint32 below = 0;
  if (item.findAndGetSint32(DcmTagKey(numerator.group, numerator.element), above).bad() ||
      item.findAndGetUint32(DcmTagKey(denominator.group, denominator.element), below).bad() || below == 0)
    return std::nullopt;
  return static_cast<double>(above) / static_cast<double>(below);
}

// "Liver (left)" -> "Liver", where the side is said in a code as well.
std::string region_name(const MeasurementGroup& group) {
  const std::string side = group.side == Side::none ? "" : " (" + std::string(name_of(group.side)) + ")";
  const std::string& id = group.tracking_id;
  if (id.empty()) return group.finding.meaning;
  if (!side.empty() && id.ends_with(side)) return id.substr(0, id.size() - side.size());
  return id == "whole image" ? std::string() : id;
}

Measurement measurement_of(const Quantity& quantity, const MeasurementGroup& group) {
  Measurement m;
  m.name = quantity.label.empty() ? quantity.name.meaning : quantity.label;
  m.value = *quantity.value;
  m.unit = quantity.unit.value;
  m.code = quantity.name;
  m.region = region_name(group);
  m.side = quantity.side == Side::none ? group.side : quantity.side;
  m.formula = quantity.equation;
  m.made_by = quantity.algorithm;
  return m;
}

void add_points(Finding& finding, const std::vector<std::array<double, 3>>& points) {
  for (std::size_t k = 0; k < 3; ++k) {
    double low = points.front()[k], high = low;
    for (const auto& point : points) {
      low = std::min(low, point[k]);
      high = std::max(high, point[k]);
    }
    finding.box[k] = low;
    finding.box[k + 3] = high;
    finding.size = std::max(finding.size, high - low);
  }
  finding.centre = {(finding.box[0] + finding.box[3]) / 2, (finding.box[1] + finding.box[4]) / 2,
                    (finding.box[2] + finding.box[5]) / 2};
}

Finding finding_of(const MeasurementGroup& group) {
  Finding finding;
  finding.label = group.finding.meaning.empty() ? group.tracking_id : group.finding.meaning;
  finding.code = group.finding;
  finding.region = region_name(group);
  for (const Quantity& quantity : group.quantities)
    if (quantity.value && (quantity.label == "score" || quantity.name.meaning == "score"))
      finding.score = *quantity.value;
  return finding;
}

// SCOORD counts from the corner of the first pixel, a finding from its centre.
Finding planar_finding(const MeasurementGroup& group, const PlanarRegion& region) {
  Finding finding = finding_of(group);
  finding.in_pixels = true;
  finding.frame = std::max(region.image.frame - 1, 0);
  std::vector<std::array<double, 3>> points;
  for (const auto& p : region.points_px) points.push_back({p[0] - 0.5, p[1] - 0.5, 0});
  if (region.shape == PlanarRegion::Shape::circle && points.size() == 2) {
    const auto centre = points[0];
    const double radius = std::hypot(points[1][0] - centre[0], points[1][1] - centre[1]);
    points = {{centre[0] - radius, centre[1] - radius, 0}, {centre[0] + radius, centre[1] + radius, 0}};
  }
  if (region.shape == PlanarRegion::Shape::ellipse && points.size() == 4) {
    for (const auto& p : points) finding.ellipse_px.push_back({p[0], p[1]});
    const double x = (points[0][0] + points[1][0]) / 2, y = (points[0][1] + points[1][1]) / 2;
    const double dx = std::hypot(points[1][0] - x, points[3][0] - x),
                 dy = std::hypot(points[1][1] - y, points[3][1] - y);
    points = {{x - dx, y - dy, 0}, {x + dx, y + dy, 0}};
  }
  add_points(finding, points);
  return finding;
}

Finding spatial_finding(const MeasurementGroup& group, const SpatialRegion& region) {
  Finding finding = finding_of(group);
  std::vector<std::array<double, 3>> points;
  for (const PatientPoint& p : region.points_mm) points.push_back({p.x, p.y, p.z});
  add_points(finding, points);
  return finding;
}

}  // namespace

std::vector<DcmItem*> children(DcmItem& item) { return items(item, content); }

CodedConcept code_in(DcmItem& item, Tag sequence) {
  DcmItem* const row = first_item(item, sequence);
  if (row == nullptr) return {};
  CodedConcept code{text(*row, coding_scheme), text(*row, tag::code_value), text(*row, tag::code_meaning)};
  if (code.value.empty()) code.value = text(*row, long_code);
  if (code.value.empty()) code.value = text(*row, urn_code);
  return code;
}

Node::Node(DcmItem& of)
    : item(&of), relation(text(of, relationship)), type(text(of, value_type)), name(code_in(of, concept_name)) {}

bool Node::is(const Known& known) const noexcept {
  return (name.value == known.value && name.scheme == known.scheme) ||
         (!known.older_value.empty() && name.value == known.older_value && name.scheme == known.older_scheme);
}

std::string text_of(DcmItem& item) { return text(item, text_value); }

Statement statement_of(const Node& node) {
  if (node.type == "CODE") return {node.name, code_of(*node.item), {}};
  return {node.name, {}, text_of(*node.item)};
}

std::optional<double> value_of(DcmItem& measured) {
  if (const auto exact = float64(measured, float_value)) return exact;
  if (const auto rational = ratio(measured)) return rational;
  return number(measured, numeric_value);
}

std::vector<double> graphic_data(DcmItem& item) {
  const Float32* values = nullptr;
  unsigned long count = 0;
  if (item.findAndGetFloat32Array(DcmTagKey(graphic.group, graphic.element), values, &count).bad() || values == nullptr)
    return {};
  std::vector<double> out(values, values + count);
  if (!std::all_of(out.begin(), out.end(), [](double v) { return std::isfinite(v); })) return {};
  return out;
}

SourceInstance reference_of(DcmItem& item) {
  return {text(item, referenced_class), text(item, referenced_instance), integer(item, referenced_frame).value_or(0)};
}

std::vector<SourceInstance> references_of(DcmItem& item) {
  std::vector<SourceInstance> out;
  for (DcmItem* row : items(item, referenced_sop)) {
    SourceInstance instance = reference_of(*row);
    const auto frames = numbers(*row, referenced_frame);
    if (frames.empty()) out.push_back(instance);
    for (const double frame : frames) {
      instance.frame = std::abs(frame) < 1e9 ? static_cast<int>(frame) : 0;
      out.push_back(instance);
    }
  }
  if (out.empty()) out.emplace_back();
  return out;
}

std::vector<int> segments_of(DcmItem& item) {
  std::vector<int> out;
  if (DcmItem* row = first_item(item, referenced_sop))
    for (const std::uint16_t segment : words16(*row, referenced_segment_number)) out.push_back(segment);
  return out;
}

std::string template_of(DcmItem& item) {
  DcmItem* const row = first_item(item, template_sequence);
  return row == nullptr ? std::string() : text(*row, template_identifier);
}

void add_results(StructuredReport& report) {
  for (const MeasurementGroup& group : report.groups) {
    for (const Quantity& quantity : group.quantities)
      if (quantity.value) report.measurements.push_back(measurement_of(quantity, group));
    for (const PlanarRegion& region : group.planar) {
      report.regions.push_back(region);
      report.findings.push_back(planar_finding(group, region));
    }
    if (is_place(group, report)) continue;
    for (const SpatialRegion& region : group.spatial) report.findings.push_back(spatial_finding(group, region));
  }
}

}  // namespace penta::io::dicom::sr
