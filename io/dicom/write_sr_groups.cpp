#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "io/dicom/write_parts.h"
#include "io/dicom/write_seg.h"
#include "io/dicom/write_sr.h"
#include "io/dicom/write_sr_places.h"
#include "io/dicom/write_sr_tree.h"

namespace penta::io::dicom {

namespace {

using tree::dcm;

// All that the groups need to know.
struct Job {
  const Measurements& measurements;
  const LabelMap* labels;
  const std::string& seg_uid;
  const Acquisition& source;
  const Provenance& provenance;
  SegType seg_type;
};

// Rows of PS3.16 CID 7464, by the word of a quantity's name that says them.
struct Derivation {
  std::string_view word;
  const char *scheme, *value, *meaning;
};
constexpr std::array<Derivation, 9> derivations{{{"maximum", "SCT", "56851009", "Maximum"},
                                                 {"max", "SCT", "56851009", "Maximum"},
                                                 {"minimum", "SCT", "255605001", "Minimum"},
                                                 {"min", "SCT", "255605001", "Minimum"},
                                                 {"mean", "SCT", "373098007", "Mean"},
                                                 {"median", "SCT", "373099004", "Median"},
                                                 {"peak", "DCM", "126031", "Peak Value Within ROI"},
                                                 {"standard deviation", "SCT", "386136009", "Standard Deviation"},
                                                 {"total", "SCT", "255619001", "Total"}}};

bool is_letter(char c, char first) { return c >= first && c <= first + 25; }

const Derivation* derivation_of(std::string_view name) {
  for (const Derivation& row : derivations) {
    const auto at = name.find(row.word);
    if (at == std::string_view::npos) continue;
    // A word of its own, or the end of one such as SUVmax.
    const auto end = at + row.word.size();
    const bool starts = at == 0 || !is_letter(name[at - 1], 'a');
    if (starts && (end == name.size() || !(is_letter(name[end], 'a') || is_letter(name[end], 'A')))) return &row;
  }
  return nullptr;
}

Quantity quantity_of(const Measurement& measurement, const Provenance& provenance) {
  Quantity quantity;
  quantity.name = tree::code_or_private(measurement.code, measurement.name);
  if (std::isfinite(measurement.value)) quantity.value = measurement.value;
  quantity.unit = tree::unit_code(measurement.unit);
  quantity.equation = measurement.formula;
  quantity.algorithm = measurement.made_by.empty() ? provenance.method : measurement.made_by;
  // Another method's version is not known here; the software's is.
  const bool own = quantity.algorithm == provenance.method && !provenance.method_version.empty();
  if (!quantity.algorithm.empty())
    quantity.algorithm_version = own ? provenance.method_version : "Pentascope " + provenance.software_version;
  // One code may stand for several quantities (SUVmax, SUVmean): what tells them apart is said beside it.
  if (measurement.code.empty() || measurement.name.empty() || measurement.name == measurement.code.meaning)
    return quantity;
  quantity.label = measurement.name;
  if (const Derivation* row = derivation_of(measurement.name))
    quantity.derivation = {row->scheme, row->value, row->meaning};
  return quantity;
}

struct Region {
  std::string name;
  Side side = Side::none;
  std::vector<const Measurement*> measurements;
};

std::vector<Region> regions_of(const Measurements& measurements) {
  std::vector<Region> regions;
  for (const Measurement& m : measurements) {
    auto it = std::find_if(regions.begin(), regions.end(),
                           [&](const Region& r) { return r.name == m.region && r.side == m.side; });
    if (it == regions.end()) it = regions.insert(regions.end(), {m.region, m.side, {}});
    it->measurements.push_back(&m);
  }
  return regions;
}

// Row of the label map's table that a region was measured in.
std::optional<std::size_t> segment_row(const LabelMap* labels, const Region& region) {
  if (labels == nullptr || region.name.empty()) return std::nullopt;
  for (std::size_t s = 0; s < labels->segments.size(); ++s)
    if (labels->segments[s].name == region.name && labels->segments[s].side == region.side) return s;
  for (std::size_t s = 0; s < labels->segments.size(); ++s)
    if (labels->segments[s].name == region.name &&
        (region.side == Side::none || labels->segments[s].side == Side::none))
      return s;
  // "lung" of the right side may be the segment "right lung".
  const std::string sided = std::string(name_of(region.side)) + " " + region.name;
  for (std::size_t s = 0; s < labels->segments.size(); ++s)
    if (region.side != Side::none && labels->segments[s].name == sided) return s;
  return std::nullopt;
}

MeasurementGroup group_of(const Job& job, const Region& region, std::int64_t index) {
  const auto row = segment_row(job.labels, region);
  const bool volumetric = row && !job.seg_uid.empty() && !job.source.series_uid.empty();
  MeasurementGroup group;
  group.template_id = volumetric ? "1411" : "1501";
  group.tracking_id = (region.name.empty() ? "whole image" : region.name) +
                      (region.side == Side::none ? "" : " (" + std::string(name_of(region.side)) + ")");
  group.tracking_uid = row ? tracking_uid(job.provenance, *row) : parts::uid_for(job.provenance, "region", index);
  if (!region.name.empty())
    group.finding = group.site =
        tree::code_or_private(row ? job.labels->segments[*row].type : CodedConcept{}, region.name);
  group.side = region.side;
  if (volumetric) {
    group.segmentation = {seg_class_uid(job.seg_type), job.seg_uid, 0};
    group.segments = {segment_number(*job.labels, *row, job.seg_type)};
    group.source_series_uid = job.source.series_uid;
  }
  for (const Measurement* m : region.measurements) group.quantities.push_back(quantity_of(*m, job.provenance));
  return group;
}

enum class Place { none, volume, frame };

Place place_of(const Finding& finding, const Acquisition& source) {
  const auto& b = finding.box;
  const bool flat = !(b[3] > b[0] && b[4] > b[1]);
  // A single-frame or still unnamed multi-frame instance serves all frames that it may have.
  const auto known = finding.frame >= 0 && static_cast<std::size_t>(finding.frame) < source.instances.size() &&
                     !source.instances[static_cast<std::size_t>(finding.frame)].sop_instance_uid.empty();
  if (finding.in_pixels) return flat || !known ? Place::none : Place::frame;
  return flat || !(b[5] > b[2]) || source.frame_of_reference_uid.empty() || source.series_uid.empty() ? Place::none
                                                                                                      : Place::volume;
}

// In SCOORD the centre of the first pixel is 0.5, 0.5; ours is 0, 0.
PlanarRegion drawn(const Finding& finding, const SourceInstance& frame, const std::string& tracking_id) {
  PlanarRegion region;
  region.tracking_id = tracking_id;
  region.image = frame;
  if (finding.ellipse_px.size() == 4) {
    region.shape = PlanarRegion::Shape::ellipse;
    for (const auto& p : finding.ellipse_px) region.points_px.push_back({p[0] + 0.5, p[1] + 0.5});
    return region;
  }
  const double x0 = finding.box[0] + 0.5, y0 = finding.box[1] + 0.5, x1 = finding.box[3] + 0.5,
               y1 = finding.box[4] + 0.5;
  region.points_px = {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}, {x0, y0}};
  return region;
}

// The ellipsoid that touches the faces of a box.
SpatialRegion ellipsoid(const std::array<double, 6>& box, const std::string& frame_of_reference_uid) {
  SpatialRegion region;
  region.shape = SpatialRegion::Shape::ellipsoid;
  region.frame_of_reference_uid = frame_of_reference_uid;
  for (std::size_t axis = 0; axis < 3; ++axis)
    for (std::size_t end = 0; end < 2; ++end) {
      std::array<double, 3> p{};
      for (std::size_t k = 0; k < 3; ++k) p[k] = k == axis ? box[k + 3 * end] : (box[k] + box[k + 3]) / 2;
      region.points_mm.push_back({p[0], p[1], p[2]});
    }
  return region;
}

bool takes(const Finding& finding, const Measurement& m, const Acquisition& source) {
  return !finding.region.empty() && m.region == finding.region && place_of(finding, source) == Place::frame;
}

MeasurementGroup group_of(const Job& job, const Finding& finding, std::int64_t index) {
  const Place place = place_of(finding, job.source);
  MeasurementGroup group;
  group.template_id = place == Place::volume ? "1411" : place == Place::frame ? "1410" : "1501";
  group.tracking_id = finding.region.empty() ? finding.label + " " + std::to_string(index + 1) : finding.region;
  group.tracking_uid = parts::uid_for(job.provenance, "finding", index);
  group.finding = tree::code_or_private(finding.code, finding.label);
  if (place == Place::volume) {
    group.spatial = {ellipsoid(finding.box, job.source.frame_of_reference_uid)};
    group.source_series_uid = job.source.series_uid;
  }
  if (place == Place::frame)
    group.planar = {drawn(finding, job.source.instances[static_cast<std::size_t>(finding.frame)], group.tracking_id)};
  for (const Measurement& m : job.measurements)
    if (takes(finding, m, job.source)) group.quantities.push_back(quantity_of(m, job.provenance));
  Measurement score{"score", finding.score, "1", {}};
  score.made_by = finding.made_by;
  group.quantities.push_back(quantity_of(score, job.provenance));
  if (!(finding.size > 0)) return group;
  Measurement size{"Length", finding.size, finding.in_pixels ? "{pixels}" : "mm", {"SCT", "410668003", "Length"}};
  size.made_by = finding.made_by;
  group.quantities.push_back(quantity_of(size, job.provenance));
  return group;
}

// Puts a group behind the one that says where it is, if that is known.
void add_group(StructuredReport& report, MeasurementGroup group, const std::optional<PatientPoint>& place_mm, const Job& job) {
  if (place_mm && !job.source.frame_of_reference_uid.empty())
    report.groups.push_back(place_group(group, *place_mm, job.source.frame_of_reference_uid));
  report.groups.push_back(std::move(group));
}

PatientPoint centre_of(const Finding& finding) {
  const auto& b = finding.box;
  return {(b[0] + b[3]) / 2, (b[1] + b[4]) / 2, (b[2] + b[5]) / 2};
}

void add_regions(StructuredReport& report, const Job& job, const Measurements& alone, const Findings& findings) {
  const bool in_space = job.labels != nullptr && !job.labels->planar;
  const auto points = in_space ? inner_points(*job.labels) : std::vector<std::optional<PatientPoint>>{};
  std::int64_t index = 0;
  for (const Region& region : regions_of(alone)) {
    const auto row = segment_row(job.labels, region);
    std::optional<PatientPoint> place_mm = row && in_space ? points[*row] : std::nullopt;
    const auto found = std::find_if(findings.begin(), findings.end(), [&](const Finding& f) {
      return !region.name.empty() && f.region == region.name && place_of(f, job.source) == Place::volume;
    });
    if (!place_mm && found != findings.end()) place_mm = centre_of(*found);
    add_group(report, group_of(job, region, index++), place_mm, job);
  }
}

void add_findings(StructuredReport& report, const Job& job, const Findings& findings) {
  std::int64_t index = 0;
  for (const Finding& finding : findings) {
    const bool in_space = place_of(finding, job.source) == Place::volume;
    add_group(report, group_of(job, finding, index++), in_space ? std::optional(centre_of(finding)) : std::nullopt, job);
  }
}

}  // namespace

StructuredReport report_of(const Measurements& measurements, const Findings& findings, const LabelMap* labels,
                           const std::string& seg_uid, const Acquisition& source, const Provenance& provenance,
                           SegType asked) {
  const SegType seg_type = labels == nullptr ? SegType::binary : seg_type_of(*labels, asked);
  const Job job{measurements, labels, seg_uid, source, provenance, seg_type};
  StructuredReport report;
  Measurements alone;
  for (const Measurement& m : measurements)
    if (std::none_of(findings.begin(), findings.end(), [&](const Finding& f) { return takes(f, m, source); }))
      alone.push_back(m);
  add_regions(report, job, alone, findings);
  add_findings(report, job, findings);
  if (!seg_uid.empty())
    report.evidence.push_back({parts::study_uid_of(source, provenance), seg_series_uid(provenance),
                               {{seg_class_uid(seg_type), seg_uid, 0}}});
  report.statements.push_back({dcm("121106", "Comment"), {}, "Research use, not a medical device."});
  return report;
}

std::vector<std::byte> write_sr(const Measurements& measurements, const Findings& findings, const LabelMap* labels,
                                const std::string& seg_uid, const Acquisition& source, const Provenance& provenance,
                                SegType seg_type) {
  if (measurements.empty() && findings.empty())
    throw Error(Code::nothing_to_do, "writing an SR: there is neither a measurement nor a finding");
  return write_sr(report_of(measurements, findings, labels, seg_uid, source, provenance, seg_type), source, provenance);
}

}  // namespace penta::io::dicom
