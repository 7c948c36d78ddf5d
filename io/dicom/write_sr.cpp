#include "io/dicom/write_sr.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/error.h"
#include "io/dicom/write_parts.h"
#include "io/dicom/write_sr_tree.h"

namespace penta::io::dicom {

namespace {

using tree::dcm;

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

void add_procedures(DcmItem& root, const StructuredReport& report, const Acquisition& source) {
  const CodedConcept name = dcm("121058", "Procedure reported");
  for (const CodedConcept& procedure : report.procedures) tree::add_code_item(root, tree::modifies, name, procedure);
  if (!report.procedures.empty()) return;
  const Procedure* row = procedure_of(source);
  const bool known = row != nullptr && row->procedure != nullptr;
  tree::add_code_item(root, tree::modifies, name,
                      known ? CodedConcept{"LN", row->procedure, row->procedure_meaning}
                            : CodedConcept{"SCT", "363679005", "Imaging procedure"});
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

void add_site(DcmItem& parent, const CodedConcept& site, Side side) {
  if (site.empty()) return;
  DcmItem& item = tree::add_code_item(parent, tree::modifies, {"SCT", "363698007", "Finding Site"}, site);
  if (side == Side::none) return;
  tree::add_code_item(item, tree::modifies, {"SCT", "272741003", "Laterality"},
                      side == Side::left ? CodedConcept{"SCT", "7771000", "Left"}
                                         : CodedConcept{"SCT", "24028007", "Right"});
}

void add_statement(DcmItem& parent, std::string_view relation, const Statement& statement) {
  if (statement.value.empty()) tree::add_text(parent, relation, statement.name, statement.text);
  else tree::add_code_item(parent, relation, statement.name, statement.value);
}

// TID 1419 row by row: the number, its method and derivation, its algorithm (TID 4019) and its formula (TID 315).
void add_quantity(DcmItem& group, const Quantity& quantity) {
  // PS3.3 C.18.1 allows a NUM without a value, but the readers in use stop at one, so its place is taken by a text.
  DcmItem& number = quantity.value ? tree::add_number(group, quantity.name, *quantity.value, quantity.unit)
                                   : tree::add_text(group, tree::contains, quantity.name, "not a number");
  if (!quantity.label.empty())
    tree::add_text(number, tree::observed, dcm("112039", "Tracking Identifier"), quantity.label);
  if (!quantity.method.empty())
    tree::add_code_item(number, tree::modifies, {"SCT", "370129005", "Measurement Method"}, quantity.method);
  if (!quantity.derivation.empty())
    tree::add_code_item(number, tree::modifies, dcm("121401", "Derivation"), quantity.derivation);
  add_site(number, quantity.site, quantity.side);
  for (const Statement& modifier : quantity.modifiers) add_statement(number, tree::modifies, modifier);
  if (!quantity.algorithm.empty())
    tree::add_text(number, tree::modifies, dcm("111001", "Algorithm Name"), quantity.algorithm);
  if (!quantity.algorithm_version.empty())
    tree::add_text(number, tree::modifies, dcm("111003", "Algorithm Version"), quantity.algorithm_version);
  if (!quantity.equation.empty())
    tree::add_text(number, tree::inferred, dcm("121420", "Equation"), quantity.equation);
}

std::string template_of(const MeasurementGroup& group) {
  if (!group.template_id.empty()) return group.template_id;
  if (!group.planar.empty()) return "1410";
  return group.spatial.empty() && group.segmentation.sop_instance_uid.empty() ? "1501" : "1411";
}

// Rows of TID 1410 and 1411 that say where the region is.
void add_place(DcmItem& item, const MeasurementGroup& group, bool planar) {
  for (const PlanarRegion& region : group.planar) tree::add_planar(item, dcm("111030", "Image Region"), region);
  for (const SpatialRegion& region : group.spatial)
    tree::add_spatial(item, planar ? dcm("111030", "Image Region") : dcm("121231", "Volume Surface"), region);
  const bool segmented = !group.segmentation.sop_instance_uid.empty();
  if (segmented) {
    const CodedConcept name =
        planar ? dcm("121214", "Referenced Segmentation Frame") : dcm("121191", "Referenced Segment");
    tree::add_image(item, tree::contains, &name, group.segmentation, group.segments);
  }
  const CodedConcept source = segmented || !group.spatial.empty() ? dcm("121233", "Source image for segmentation")
                                                                  : dcm("121112", "Source of Measurement");
  for (const SourceInstance& instance : group.sources) tree::add_image(item, tree::contains, &source, instance);
  if (!group.source_series_uid.empty())
    tree::add_uid(item, tree::contains, dcm("121232", "Source series for segmentation"), group.source_series_uid);
}

void add_group(DcmItem& parent, const MeasurementGroup& group, const Provenance& provenance, std::int64_t index) {
  const std::string id = template_of(group);
  DcmItem& item = tree::add_container(parent, dcm("125007", "Measurement Group"), id.c_str());
  tree::add_text(item, tree::observed, dcm("112039", "Tracking Identifier"),
                 group.tracking_id.empty() ? "group " + std::to_string(index + 1) : group.tracking_id);
  tree::add_uid(item, tree::observed, dcm("112040", "Tracking Unique Identifier"),
                group.tracking_uid.empty() ? parts::uid_for(provenance, "group", index) : group.tracking_uid);
  if (!group.category.empty())
    tree::add_code_item(item, tree::contains, {"SCT", "276214006", "Finding category"}, group.category);
  if (!group.finding.empty()) tree::add_code_item(item, tree::contains, dcm("121071", "Finding"), group.finding);
  add_place(item, group, id == "1410");
  if (!group.method.empty())
    tree::add_code_item(item, tree::modifies, {"SCT", "370129005", "Measurement Method"}, group.method);
  add_site(item, group.site, group.side);
  for (const Quantity& quantity : group.quantities) add_quantity(item, quantity);
  for (const Statement& evaluation : group.evaluations) add_statement(item, tree::contains, evaluation);
}

void add_evidence(DcmDataset& data, const std::string& study_uid, const std::vector<EvidenceSeries>& rows) {
  DcmItem& study = parts::add_item(data, DCM_CurrentRequestedProcedureEvidenceSequence);
  parts::put(study, DCM_StudyInstanceUID, study_uid);
  for (const EvidenceSeries& row : rows) {
    DcmItem& series = parts::add_item(study, DCM_ReferencedSeriesSequence);
    parts::put(series, DCM_SeriesInstanceUID, row.series_uid);
    for (const SourceInstance& instance : row.instances)
      parts::add_reference(series, DCM_ReferencedSOPSequence, {instance.sop_class_uid, instance.sop_instance_uid, 0});
  }
}

// The images that were measured, then what else the report refers to; each series once, by study.
void put_evidence(DcmDataset& data, const StructuredReport& report, const Acquisition& source,
                  const Provenance& provenance) {
  std::vector<EvidenceSeries> rows;
  const auto instances = distinct(source.instances);
  if (!instances.empty() && !source.series_uid.empty())
    rows.push_back({parts::study_uid_of(source, provenance), source.series_uid, instances});
  for (const EvidenceSeries& row : report.evidence)
    if (!row.instances.empty() && std::none_of(rows.begin(), rows.end(), [&](const EvidenceSeries& other) {
          return other.series_uid == row.series_uid;
        }))
      rows.push_back(row);
  while (!rows.empty()) {
    const std::string study_uid = rows.front().study_uid;
    const auto rest = std::stable_partition(rows.begin(), rows.end(),
                                            [&](const EvidenceSeries& row) { return row.study_uid == study_uid; });
    add_evidence(data, study_uid, {rows.begin(), rest});
    rows.erase(rows.begin(), rest);
  }
}

void put_document(DcmDataset& data, const StructuredReport& report, const Acquisition& source,
                  const Provenance& provenance) {
  parts::put_patient_and_study(data, source, provenance);
  parts::put_series(data, "SR", parts::uid_for(provenance, "sr series"), 101, "Measurements " + provenance.method,
                    source, provenance);
  parts::put_equipment_and_sop(data, UID_Comprehensive3DSRStorage, sr_instance_uid(provenance), source, provenance);
  parts::put_contributing_equipment(data, provenance);
  parts::put_moment(data, DCM_ContentDate, DCM_ContentTime, provenance);
  parts::put_integer(data, DCM_InstanceNumber, 1);
  parts::put(data, DCM_PreliminaryFlag, "PRELIMINARY");
  parts::put(data, DCM_CompletionFlag, "COMPLETE");
  parts::put(data, DCM_VerificationFlag, "UNVERIFIED");
  parts::put_empty_sequence(data, DCM_ReferencedPerformedProcedureStepSequence);
  parts::put_empty_sequence(data, DCM_PerformedProcedureCodeSequence);
  put_evidence(data, report, source, provenance);
  DcmItem& scheme = parts::add_item(data, DCM_CodingSchemeIdentificationSequence);
  parts::put(scheme, DCM_CodingSchemeDesignator, "99PENTA");
  parts::put(scheme, DCM_CodingSchemeName, "Pentascope: names of results that have no code");
}

void put_root(DcmDataset& data, const CodedConcept& title) {
  parts::put(data, DCM_ValueType, "CONTAINER");
  parts::put(data, DCM_ContinuityOfContent, "SEPARATE");
  parts::add_code(data, DCM_ConceptNameCodeSequence,
                  title.empty() ? dcm("126000", "Imaging Measurement Report") : title);
  DcmItem& row = parts::add_item(data, DCM_ContentTemplateSequence);
  parts::put(row, DCM_MappingResource, "DCMR");
  parts::put(row, DCM_TemplateIdentifier, "1500");
}

}  // namespace

std::string sr_instance_uid(const Provenance& provenance) { return parts::uid_for(provenance, "sr instance"); }

std::vector<std::byte> write_sr(const StructuredReport& report, const Acquisition& source,
                                const Provenance& provenance) {
  if (report.groups.empty()) throw Error(Code::nothing_to_do, "writing an SR: there are no groups of measurements");
  DcmDataset data;
  put_document(data, report, source, provenance);
  put_root(data, report.title);
  tree::add_code_item(data, tree::modifies, dcm("121049", "Language of Content Item and Descendants"),
                      report.language.empty() ? CodedConcept{"RFC5646", "en", "English"} : report.language);
  add_observer(data, provenance);
  add_procedures(data, report, source);
  add_image_library(data, source);
  DcmItem& imaging = tree::add_container(data, dcm("126010", "Imaging Measurements"));
  std::int64_t index = 0;
  for (const MeasurementGroup& group : report.groups) add_group(imaging, group, provenance, index++);
  for (const Statement& statement : report.statements) add_statement(data, tree::contains, statement);
  return parts::to_bytes(data);
}

}  // namespace penta::io::dicom
