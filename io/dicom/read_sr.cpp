#include "io/dicom/read_sr.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "io/dicom/read_sr_items.h"

namespace penta::io::dicom {

namespace {

using sr::Node;

struct Reading {
  StructuredReport& report;
  std::map<std::string, std::size_t> left_out;  // content items that no member holds, by what they are
  std::size_t bad_numbers = 0;
  bool foreign = false;

  void leave_out(const Node& node) { ++left_out[node.type + " '" + node.name.meaning + "'"]; }
};

Side side_of(const CodedConcept& code) noexcept {
  if (code.value == "7771000" || code.value == "G-A101") return Side::left;
  if (code.value == "24028007" || code.value == "G-A100") return Side::right;
  return Side::none;
}

// The laterality said beneath a finding site.
Side side_beneath(DcmItem& site) {
  for (DcmItem* child : sr::children(site))
    if (const Node node(*child); node.is(sr::laterality)) return side_of(sr::code_of(*child));
  return Side::none;
}

void read_modifier(const Node& node, Quantity& quantity, Reading& reading) {
  if (node.is(sr::method)) quantity.method = sr::code_of(*node.item);
  else if (node.is(sr::derivation)) quantity.derivation = sr::code_of(*node.item);
  else if (node.is(sr::finding_site)) {
    quantity.site = sr::code_of(*node.item);
    quantity.side = side_beneath(*node.item);
  } else if (node.is(sr::tracking_identifier)) quantity.label = sr::text_of(*node.item);
  else if (node.is(sr::algorithm_name)) quantity.algorithm = sr::text_of(*node.item);
  else if (node.is(sr::algorithm_version)) quantity.algorithm_version = sr::text_of(*node.item);
  else if (node.is(sr::equation)) quantity.equation = sr::text_of(*node.item);
  else if (node.type == "CODE" || node.type == "TEXT") quantity.modifiers.push_back(sr::statement_of(node));
  else reading.leave_out(node);
}

void read_number(const Node& node, MeasurementGroup& group, Reading& reading) {
  Quantity quantity;
  quantity.name = node.name;
  if (DcmItem* measured = first_item(*node.item, sr::measured_value)) {
    quantity.value = sr::value_of(*measured);
    quantity.unit = sr::code_in(*measured, sr::units);
    if (!quantity.value) ++reading.bad_numbers;
  }
  for (DcmItem* child : sr::children(*node.item)) read_modifier(Node(*child), quantity, reading);
  group.quantities.push_back(std::move(quantity));
}

void read_planar(const Node& node, MeasurementGroup& group, Reading& reading) {
  using Shape = PlanarRegion::Shape;
  static const std::map<std::string, Shape> shapes{{"POINT", Shape::point}, {"MULTIPOINT", Shape::multipoint},
                                                   {"POLYLINE", Shape::polyline}, {"CIRCLE", Shape::circle},
                                                   {"ELLIPSE", Shape::ellipse}};
  const auto values = sr::graphic_data(*node.item);
  const auto shape = shapes.find(text(*node.item, sr::graphic_type));
  if (shape == shapes.end() || values.empty() || values.size() % 2 != 0) return reading.leave_out(node);
  PlanarRegion region;
  region.shape = shape->second;
  region.tracking_id = group.tracking_id;
  for (std::size_t i = 0; i < values.size(); i += 2) region.points_px.push_back({values[i], values[i + 1]});
  for (DcmItem* child : sr::children(*node.item))
    if (text(*child, sr::value_type) == "IMAGE") region.image = sr::references_of(*child).front();
  group.planar.push_back(std::move(region));
}

void read_spatial(const Node& node, MeasurementGroup& group, Reading& reading) {
  using Shape = SpatialRegion::Shape;
  static const std::map<std::string, Shape> shapes{{"POINT", Shape::point}, {"MULTIPOINT", Shape::multipoint},
                                                   {"POLYLINE", Shape::polyline}, {"POLYGON", Shape::polygon},
                                                   {"ELLIPSE", Shape::ellipse}, {"ELLIPSOID", Shape::ellipsoid}};
  const auto values = sr::graphic_data(*node.item);
  const auto shape = shapes.find(text(*node.item, sr::graphic_type));
  if (shape == shapes.end() || values.empty() || values.size() % 3 != 0) return reading.leave_out(node);
  SpatialRegion region;
  region.shape = shape->second;
  region.frame_of_reference_uid = text(*node.item, sr::referenced_frame_of_reference);
  for (std::size_t i = 0; i < values.size(); i += 3)
    region.points_mm.push_back({values[i], values[i + 1], values[i + 2]});
  group.spatial.push_back(std::move(region));
}

void read_image(const Node& node, MeasurementGroup& group) {
  for (const SourceInstance& instance : sr::references_of(*node.item)) {
    if (instance.sop_instance_uid.empty()) continue;
    if (node.is(sr::referenced_segment) || node.is(sr::segmentation_frame)) {
      group.segmentation = instance;
      group.segments = sr::segments_of(*node.item);
    } else {
      group.sources.push_back(instance);
    }
  }
}

void read_group(DcmItem& container, Reading& reading, int depth);

void read_code(const Node& node, MeasurementGroup& group) {
  const CodedConcept value = sr::code_of(*node.item);
  if (node.is(sr::finding_category)) group.category = value;
  else if (node.is(sr::finding) && group.finding.empty()) group.finding = value;
  else if (node.is(sr::method)) group.method = value;
  else if (node.is(sr::finding_site) && group.site.empty()) {
    group.site = value;
    group.side = side_beneath(*node.item);
  } else group.evaluations.push_back({node.name, value, {}});
}

void read_member(const Node& node, MeasurementGroup& group, Reading& reading, int depth) {
  if (node.is(sr::tracking_identifier)) group.tracking_id = sr::text_of(*node.item);
  else if (node.is(sr::tracking_unique_identifier)) group.tracking_uid = text(*node.item, sr::uid);
  else if (node.is(sr::source_series)) group.source_series_uid = text(*node.item, sr::uid);
  else if (node.type == "NUM") read_number(node, group, reading);
  else if (node.type == "SCOORD") read_planar(node, group, reading);
  else if (node.type == "SCOORD3D") read_spatial(node, group, reading);
  else if (node.type == "IMAGE") read_image(node, group);
  else if (node.type == "CODE") read_code(node, group);
  else if (node.type == "TEXT") group.evaluations.push_back({node.name, {}, sr::text_of(*node.item)});
  else if (node.type == "CONTAINER") read_group(*node.item, reading, depth + 1);
  else reading.leave_out(node);
}

bool holds_anything(const MeasurementGroup& group) noexcept {
  return !group.quantities.empty() || !group.planar.empty() || !group.spatial.empty() ||
         !group.segmentation.sop_instance_uid.empty() || !group.tracking_uid.empty();
}

// Some writers leave the group's own template out: then its region says which one it is.
std::string template_by_content(const MeasurementGroup& group) {
  if (!group.planar.empty()) return "1410";
  return group.spatial.empty() && group.segmentation.sop_instance_uid.empty() ? "1501" : "1411";
}

void read_group(DcmItem& container, Reading& reading, int depth) {
  // Deeper than any template; load() has limited how deep sequences are nested.
  if (depth > 16) return;
  MeasurementGroup group;
  group.template_id = sr::template_of(container);
  for (DcmItem* child : sr::children(container)) read_member(Node(*child), group, reading, depth);
  for (PlanarRegion& region : group.planar) region.tracking_id = group.tracking_id;
  if (group.template_id.empty() && !reading.foreign) group.template_id = template_by_content(group);
  if (holds_anything(group)) {
    if (reading.foreign && group.tracking_id.empty())
      group.tracking_id = sr::code_in(container, sr::concept_name).meaning;
    reading.report.groups.push_back(std::move(group));
  } else {
    auto& statements = reading.report.statements;
    statements.insert(statements.end(), group.evaluations.begin(), group.evaluations.end());
  }
}

void read_library(DcmItem& container, StructuredReport& report, int depth) {
  if (depth > 4) return;
  for (DcmItem* child : sr::children(container)) {
    const Node node(*child);
    if (node.type == "CONTAINER") read_library(*child, report, depth + 1);
    if (node.type != "IMAGE") continue;
    for (SourceInstance& instance : sr::references_of(*child))
      if (!instance.sop_instance_uid.empty()) report.referenced.push_back(std::move(instance));
  }
}

void read_measurements(DcmItem& container, Reading& reading) {
  for (DcmItem* child : sr::children(container)) {
    const Node node(*child);
    if (node.type == "CONTAINER") read_group(*child, reading, 0);
    else reading.leave_out(node);
  }
}

void read_statements(DcmItem& container, Reading& reading) {
  for (DcmItem* child : sr::children(container)) {
    const Node node(*child);
    if (node.type == "CODE" || node.type == "TEXT") reading.report.statements.push_back(sr::statement_of(node));
    else reading.leave_out(node);
  }
}

// TID 1500, row by row.
void read_rows(DcmItem& data, Reading& reading) {
  StructuredReport& report = reading.report;
  for (DcmItem* child : sr::children(data)) {
    const Node node(*child);
    if (node.is(sr::language)) report.language = sr::code_of(*child);
    else if (node.is(sr::procedure_reported)) report.procedures.push_back(sr::code_of(*child));
    else if (node.is(sr::image_library)) read_library(*child, report, 0);
    else if (node.is(sr::imaging_measurements) || node.is(sr::derived_measurements)) read_measurements(*child, reading);
    else if (node.is(sr::qualitative_evaluations)) read_statements(*child, reading);
    else if (node.relation == "HAS OBS CONTEXT") continue;  // who observed: people are not passed on
    else if (node.type == "CODE" || node.type == "TEXT") report.statements.push_back(sr::statement_of(node));
    else reading.leave_out(node);
  }
}

void read_evidence(DcmItem& data, StructuredReport& report) {
  for (const Tag sequence : {sr::current_evidence, sr::other_evidence})
    for (DcmItem* study : items(data, sequence))
      for (DcmItem* series : items(*study, sr::referenced_series)) {
        EvidenceSeries row{text(*study, tag::study_uid), text(*series, tag::series_uid), {}};
        for (DcmItem* instance : items(*series, sr::referenced_sop))
          row.instances.push_back(sr::reference_of(*instance));
        report.evidence.push_back(std::move(row));
      }
  if (!report.referenced.empty()) return;
  for (const EvidenceSeries& row : report.evidence)
    report.referenced.insert(report.referenced.end(), row.instances.begin(), row.instances.end());
}

void say_what_was_found(const Reading& reading, std::vector<Remark>& remarks) {
  const StructuredReport& report = reading.report;
  if (reading.foreign)
    remarks.push_back(
        {Severity::note, "foreign_report",
         "a report '" + report.title.meaning + "'" +
             (report.template_id.empty() ? " without a template" : " of the template TID " + report.template_id) +
             ", not TID 1500: " + std::to_string(report.groups.size()) + " groups of numbers and " +
             std::to_string(report.statements.size()) + " codes and texts were understood"});
  if (reading.bad_numbers > 0)
    remarks.push_back({Severity::warning, "numbers_left_out",
                       std::to_string(reading.bad_numbers) +
                           " values of Measured Value Sequence (0040,A300) are missing or not numbers"});
  std::size_t count = 0;
  for (const auto& [what, times] : reading.left_out) count += times;
  if (count > 0)
    remarks.push_back(
        {Severity::note, "content_left_out",
         std::to_string(count) + " content items are left out, such as " + reading.left_out.begin()->first});
}

}  // namespace

StructuredReport read_report(const Object& object, std::vector<Remark>& faults) {
  DcmItem& data = object.data();
  if (!has(data, sr::content))
    throw Error(Code::bad_input, "reading " + object.name + ": the report has no Content Sequence (0040,A730)");
  StructuredReport report;
  std::vector<Remark> said_already;
  report.acquisition = acquisition_of(data, said_already);
  report.title = sr::code_in(data, sr::concept_name);
  report.template_id = sr::template_of(data);
  Reading reading{report, {}, 0, false};
  reading.foreign = report.template_id != "1500" && !(report.title.scheme == "DCM" && report.title.value == "126000");
  if (reading.foreign) read_group(data, reading, 0);
  else read_rows(data, reading);
  read_evidence(data, report);
  sr::add_results(report);
  say_what_was_found(reading, report.remarks);
  faults.insert(faults.end(), report.remarks.begin(), report.remarks.end());
  return report;
}

}  // namespace penta::io::dicom
