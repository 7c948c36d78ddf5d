#include "io/dicom/write_sr.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "core/error.h"
#include "io/dicom/write_parts.h"
#include "io/dicom/write_seg.h"
#include "io/dicom/write_sr_tree.h"

namespace penta::io::dicom {

namespace {

using tree::dcm;

// All that the groups need to know.
struct Report {
  const LabelMap* labels;
  const std::string& seg_uid;
  const Acquisition& source;
  const Provenance& provenance;
};

// Rows of PS3.16 CID 100 and CID 29.
struct Procedure {
  std::string_view modality;
  const char* dicom_modality;
  const char* meaning;
  const char* procedure;
  const char* procedure_meaning;
};
constexpr std::array<Procedure, 6> procedures{
    {{"CT", "CT", "Computed Tomography", "25045-6", "CT unspecified body region"},
     {"MR", "MR", "Magnetic Resonance", "25056-3", "MRI unspecified body region"},
     {"PET", "PT", "Positron emission tomography", "44136-0", "PET unspecified body region"},
     {"SPECT", "NM", "Nuclear Medicine", "49118-3", "NM unspecified body region"},
     {"NM", "NM", "Nuclear Medicine", "49118-3", "NM unspecified body region"},
     {"US", "US", "Ultrasound", nullptr, nullptr}}};

const Procedure* procedure_of(const Acquisition& source) {
  for (const Procedure& row : procedures)
    if (row.modality == source.modality) return &row;
  return nullptr;
}

void add_observer(DcmItem& root, const Provenance& provenance) {
  tree::add_code_item(root, tree::observed, dcm("121005", "Observer Type"), dcm("121007", "Device"));
  tree::add_uid(root, tree::observed, dcm("121012", "Device Observer UID"), parts::uid_for(provenance, "device"));
  tree::add_text(root, tree::observed, dcm("121013", "Device Observer Name"), "Pentascope");
  tree::add_text(root, tree::observed, dcm("121014", "Device Observer Manufacturer"), "Pentascope");
  tree::add_text(root, tree::observed, dcm("121015", "Device Observer Model Name"),
                 "Pentascope " + provenance.software_version);
}

void add_procedure(DcmItem& root, const Acquisition& source) {
  const Procedure* row = procedure_of(source);
  const CodedConcept any{"SCT", "363679005", "Imaging procedure"};
  const bool known = row != nullptr && row->procedure != nullptr;
  tree::add_code_item(root, tree::modifies, dcm("121058", "Procedure reported"),
                      known ? CodedConcept{"LN", row->procedure, row->procedure_meaning} : any);
}

// One entry an instance, whatever the number of its frames.
std::vector<SourceInstance> distinct(const std::vector<SourceInstance>& instances) {
  std::vector<SourceInstance> once;
  std::set<std::string> seen;
  for (const SourceInstance& instance : instances)
    // Files without a SOP Instance UID are met: nothing can refer to them.
    if (!instance.sop_instance_uid.empty() && !instance.sop_class_uid.empty() &&
        seen.insert(instance.sop_instance_uid).second)
      once.push_back({instance.sop_class_uid, instance.sop_instance_uid, 0});
  return once;
}

// TID 1600, 1602.
void add_image_library(DcmItem& root, const Acquisition& source) {
  const auto instances = distinct(source.instances);
  if (instances.empty()) return;
  DcmItem& library = tree::add_container(root, dcm("111028", "Image Library"), "1600");
  DcmItem& group = tree::add_container(library, dcm("126200", "Image Library Group"));
  if (const Procedure* row = procedure_of(source))
    tree::add_code_item(group, tree::acquired, dcm("121139", "Modality"), dcm(row->dicom_modality, row->meaning));
  for (const SourceInstance& instance : instances) tree::add_image(group, tree::contains, nullptr, instance);
}

void add_side(DcmItem& site, Side side) {
  if (side == Side::none) return;
  const bool left = side == Side::left;
  tree::add_code_item(site, tree::modifies, {"SCT", "272741003", "Laterality"},
                      left ? CodedConcept{"SCT", "7771000", "Left"} : CodedConcept{"SCT", "24028007", "Right"});
}

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

// One code may stand for several quantities (SUVmax, SUVmean): what tells them apart is said beside it.
void add_name(DcmItem& number, const Measurement& measurement) {
  if (measurement.code.empty() || measurement.name.empty() || measurement.name == measurement.code.meaning) return;
  tree::add_text(number, tree::observed, dcm("112039", "Tracking Identifier"), measurement.name);
  if (const Derivation* row = derivation_of(measurement.name))
    tree::add_code_item(number, tree::modifies, dcm("121401", "Derivation"), {row->scheme, row->value, row->meaning});
}

// TID 1419 row by row: the number, its algorithm (TID 4019) and its formula (TID 315).
void add_measurement(DcmItem& group, const Measurement& measurement, const Provenance& provenance) {
  const CodedConcept name = tree::code_or_private(measurement.code, measurement.name);
  // PS3.3 C.18.1 allows a NUM without a value, but the readers in use stop at one, so its place is taken by a text.
  DcmItem& number = std::isfinite(measurement.value)
                        ? tree::add_number(group, name, measurement.value, measurement.unit)
                        : tree::add_text(group, tree::contains, name, "not a number");
  add_name(number, measurement);
  const std::string& method = measurement.made_by.empty() ? provenance.method : measurement.made_by;
  if (!method.empty()) {
    tree::add_text(number, tree::modifies, dcm("111001", "Algorithm Name"), method);
    // Another method's version is not known here; the software's is.
    const bool own = method == provenance.method && !provenance.method_version.empty();
    tree::add_text(number, tree::modifies, dcm("111003", "Algorithm Version"),
                   own ? provenance.method_version : "Pentascope " + provenance.software_version);
  }
  if (!measurement.formula.empty())
    tree::add_text(number, tree::inferred, dcm("121420", "Equation"), measurement.formula);
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
  return std::nullopt;
}

void add_segment_reference(DcmItem& group, const Report& report, std::size_t row) {
  const CodedConcept name = dcm("121191", "Referenced Segment");
  tree::add_image(group, tree::contains, &name, {UID_SegmentationStorage, report.seg_uid, 0},
                  static_cast<int>(row) + 1);
  if (!report.source.series_uid.empty())
    tree::add_uid(group, tree::contains, dcm("121232", "Source series for segmentation"), report.source.series_uid);
}

void add_region(DcmItem& parent, const Report& report, const Region& region, std::int64_t index) {
  const auto row = segment_row(report.labels, region);
  const bool volumetric = row && !report.seg_uid.empty() && !report.source.series_uid.empty();
  DcmItem& group = tree::add_container(parent, dcm("125007", "Measurement Group"), volumetric ? "1411" : "1501");
  const std::string side = region.side == Side::none ? "" : " (" + std::string(name_of(region.side)) + ")";
  tree::add_text(group, tree::observed, dcm("112039", "Tracking Identifier"),
                 (region.name.empty() ? "whole image" : region.name) + side);
  tree::add_uid(group, tree::observed, dcm("112040", "Tracking Unique Identifier"),
                row ? tracking_uid(report.provenance, *row) : parts::uid_for(report.provenance, "region", index));
  const CodedConcept given = row ? report.labels->segments[*row].type : CodedConcept{};
  const CodedConcept what = tree::code_or_private(given, region.name);
  if (!region.name.empty()) tree::add_code_item(group, tree::contains, dcm("121071", "Finding"), what);
  if (volumetric) add_segment_reference(group, report, *row);
  if (!region.name.empty())
    add_side(tree::add_code_item(group, tree::modifies, {"SCT", "363698007", "Finding Site"}, what), region.side);
  for (const Measurement* m : region.measurements) add_measurement(group, *m, report.provenance);
}

enum class Place { none, volume, frame };

Place place_of(const Finding& finding, const Acquisition& source) {
  const auto& b = finding.box;
  const bool flat = !(b[3] > b[0] && b[4] > b[1]);
  const auto known = finding.frame >= 0 && static_cast<std::size_t>(finding.frame) < source.instances.size() &&
                     !source.instances[static_cast<std::size_t>(finding.frame)].sop_instance_uid.empty();
  if (finding.in_pixels) return flat || !known ? Place::none : Place::frame;
  return flat || !(b[5] > b[2]) || source.frame_of_reference_uid.empty() || source.series_uid.empty() ? Place::none
                                                                                                      : Place::volume;
}

void add_place(DcmItem& group, const Finding& finding, Place place, const Acquisition& source) {
  if (place == Place::volume) {
    tree::add_ellipsoid(group, dcm("121231", "Volume Surface"), finding.box, source.frame_of_reference_uid);
    tree::add_uid(group, tree::contains, dcm("121232", "Source series for segmentation"), source.series_uid);
  }
  if (place == Place::frame) {
    DcmItem& drawn = tree::add_rectangle(group, dcm("111030", "Image Region"), finding.box);
    tree::add_image(drawn, tree::selected, nullptr, source.instances[static_cast<std::size_t>(finding.frame)]);
  }
}

void add_finding(DcmItem& parent, const Report& report, const Finding& finding, std::int64_t index) {
  const Place place = place_of(finding, report.source);
  const char* const id = place == Place::volume ? "1411" : place == Place::frame ? "1410" : "1501";
  DcmItem& group = tree::add_container(parent, dcm("125007", "Measurement Group"), id);
  tree::add_text(group, tree::observed, dcm("112039", "Tracking Identifier"),
                 finding.label + " " + std::to_string(index + 1));
  tree::add_uid(group, tree::observed, dcm("112040", "Tracking Unique Identifier"),
                parts::uid_for(report.provenance, "finding", index));
  tree::add_code_item(group, tree::contains, dcm("121071", "Finding"),
                      tree::code_or_private(finding.code, finding.label));
  add_place(group, finding, place, report.source);
  Measurement score{"score", finding.score, "1", {}};
  score.made_by = finding.made_by;
  add_measurement(group, score, report.provenance);
  if (!(finding.size > 0)) return;
  Measurement size{"Length", finding.size, finding.in_pixels ? "{pixels}" : "mm", {"SCT", "410668003", "Length"}};
  size.made_by = finding.made_by;
  add_measurement(group, size, report.provenance);
}

void add_evidence(DcmDataset& data, const Report& report) {
  const auto instances = distinct(report.source.instances);
  const bool from_source = !instances.empty() && !report.source.series_uid.empty();
  if (!from_source && report.seg_uid.empty()) return;
  DcmItem& study = parts::add_item(data, DCM_CurrentRequestedProcedureEvidenceSequence);
  parts::put(study, DCM_StudyInstanceUID, parts::study_uid_of(report.source, report.provenance));
  if (from_source) {
    DcmItem& series = parts::add_item(study, DCM_ReferencedSeriesSequence);
    parts::put(series, DCM_SeriesInstanceUID, report.source.series_uid);
    for (const SourceInstance& instance : instances) parts::add_reference(series, DCM_ReferencedSOPSequence, instance);
  }
  if (report.seg_uid.empty()) return;
  DcmItem& series = parts::add_item(study, DCM_ReferencedSeriesSequence);
  parts::put(series, DCM_SeriesInstanceUID, seg_series_uid(report.provenance));
  parts::add_reference(series, DCM_ReferencedSOPSequence, {UID_SegmentationStorage, report.seg_uid, 0});
}

void put_document(DcmDataset& data, const Report& report) {
  const Provenance& provenance = report.provenance;
  parts::put_patient_and_study(data, report.source, provenance);
  parts::put_series(data, "SR", parts::uid_for(provenance, "sr series"), 101, "Measurements " + provenance.method,
                    report.source, provenance);
  parts::put_equipment_and_sop(data, UID_Comprehensive3DSRStorage, sr_instance_uid(provenance), report.source,
                               provenance);
  parts::put_contributing_equipment(data, provenance);
  parts::put_moment(data, DCM_ContentDate, DCM_ContentTime, provenance);
  parts::put_integer(data, DCM_InstanceNumber, 1);
  parts::put(data, DCM_PreliminaryFlag, "PRELIMINARY");
  parts::put(data, DCM_CompletionFlag, "COMPLETE");
  parts::put(data, DCM_VerificationFlag, "UNVERIFIED");
  parts::put_empty_sequence(data, DCM_ReferencedPerformedProcedureStepSequence);
  parts::put_empty_sequence(data, DCM_PerformedProcedureCodeSequence);
  add_evidence(data, report);
  DcmItem& scheme = parts::add_item(data, DCM_CodingSchemeIdentificationSequence);
  parts::put(scheme, DCM_CodingSchemeDesignator, "99PENTA");
  parts::put(scheme, DCM_CodingSchemeName, "Pentascope: names of results that have no code");
}

void put_root(DcmDataset& data) {
  parts::put(data, DCM_ValueType, "CONTAINER");
  parts::put(data, DCM_ContinuityOfContent, "SEPARATE");
  parts::add_code(data, DCM_ConceptNameCodeSequence, dcm("126000", "Imaging Measurement Report"));
  DcmItem& row = parts::add_item(data, DCM_ContentTemplateSequence);
  parts::put(row, DCM_MappingResource, "DCMR");
  parts::put(row, DCM_TemplateIdentifier, "1500");
}

}  // namespace

std::string sr_instance_uid(const Provenance& provenance) { return parts::uid_for(provenance, "sr instance"); }

std::vector<std::byte> write_sr(const Measurements& measurements, const Findings& findings, const LabelMap* labels,
                                const std::string& seg_uid, const Acquisition& source, const Provenance& provenance) {
  if (measurements.empty() && findings.empty())
    throw Error(Code::nothing_to_do, "writing an SR: there is neither a measurement nor a finding");
  const Report report{labels, seg_uid, source, provenance};
  DcmDataset data;
  put_document(data, report);
  put_root(data);
  tree::add_code_item(data, tree::modifies, dcm("121049", "Language of Content Item and Descendants"),
                      {"RFC5646", "en", "English"});
  add_observer(data, provenance);
  add_procedure(data, source);
  add_image_library(data, source);
  DcmItem& imaging = tree::add_container(data, dcm("126010", "Imaging Measurements"));
  std::int64_t index = 0;
  for (const Region& region : regions_of(measurements)) add_region(imaging, report, region, index++);
  index = 0;
  for (const Finding& finding : findings) add_finding(imaging, report, finding, index++);
  tree::add_text(data, tree::contains, dcm("121106", "Comment"), "Research use, not a medical device.");
  return parts::to_bytes(data);
}

}  // namespace penta::io::dicom
