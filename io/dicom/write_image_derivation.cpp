#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <array>

#include "io/dicom/write_image_parts.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom::parts {

namespace {

struct Region {
  std::string_view body_part, code, meaning;
};

// PS3.16 annex L: Body Part Examined and its SNOMED CT concept.
constexpr std::array<Region, 23> regions{{{"ABDOMEN", "818981001", "Abdomen"},
                                          {"ABDOMENPELVIS", "818982008", "Abdomen and Pelvis"},
                                          {"BRAIN", "12738006", "Brain"},
                                          {"BREAST", "76752008", "Breast"},
                                          {"CHEST", "816094009", "Chest"},
                                          {"CHESTABDPELVIS", "416775004", "Chest, Abdomen and Pelvis"},
                                          {"FOOT", "56459004", "Foot"},
                                          {"HAND", "85562004", "Hand"},
                                          {"HEAD", "69536005", "Head"},
                                          {"HEADNECK", "774007", "Head and Neck"},
                                          {"HEART", "80891009", "Heart"},
                                          {"HIP", "29836001", "Hip"},
                                          {"KIDNEY", "64033007", "Kidney"},
                                          {"KNEE", "72696002", "Knee"},
                                          {"LIVER", "10200004", "Liver"},
                                          {"NECK", "45048000", "Neck"},
                                          {"PANCREAS", "15776009", "Pancreas"},
                                          {"PELVIS", "816092008", "Pelvis"},
                                          {"PROSTATE", "41216001", "Prostate"},
                                          {"SHOULDER", "16982005", "Shoulder"},
                                          {"SPINE", "421060004", "Spine"},
                                          {"THORAX", "816094009", "Chest"},
                                          {"WHOLEBODY", "38266002", "Entire body"}}};

}  // namespace

std::span<const SourceInstance> sources_of(const Image& image, std::int64_t index, std::int64_t count) {
  const auto& all = image.acquisition.instances;
  if (static_cast<std::int64_t>(all.size()) != count) return all;
  return std::span(all).subspan(static_cast<std::size_t>(index), 1);
}

std::string derivation_text(const Job& job, const std::string& rounding) {
  const Provenance& made = job.provenance;
  std::string text = job.derivation.description;
  if (text.empty()) text = made.method + " " + made.method_version;
  if (!rounding.empty()) text += "; " + rounding;
  if (!job.derivation.primary) text += "; research use, not a medical device";
  return text;
}

void put_derivation(DcmItem& item, const Job& job, std::span<const SourceInstance> sources,
                    const std::string& rounding) {
  put_text(item, DCM_DerivationDescription, derivation_text(job, rounding), 1024);
  for (const CodedConcept& code : job.derivation.codes) add_code(item, DCM_DerivationCodeSequence, code);
  if (job.derivation.codes.empty())
    add_code(item, DCM_DerivationCodeSequence,
             {"99PENTA", job.provenance.method, "method " + job.provenance.method});
  for (const SourceInstance& source : sources) {
    if (source.sop_instance_uid.empty() || source.sop_class_uid.empty()) continue;
    add_reference(item, DCM_SourceImageSequence, source);
    DcmItem* row = nullptr;
    item.findOrCreateSequenceItem(DCM_SourceImageSequence, row, -1);
    add_code(*row, DCM_PurposeOfReferenceCodeSequence,
             {"DCM", "121322", "Source image for image processing operation"});
  }
}

void put_common_references(DcmDataset& data, const Image& image) {
  const Acquisition& source = image.acquisition;
  std::vector<std::string> seen;
  DcmItem* series = nullptr;
  for (SourceInstance instance : source.instances) {
    if (instance.sop_instance_uid.empty() || instance.sop_class_uid.empty() || source.series_uid.empty()) continue;
    if (std::find(seen.begin(), seen.end(), instance.sop_instance_uid) != seen.end()) continue;
    seen.push_back(instance.sop_instance_uid);
    if (series == nullptr) {
      series = &add_item(data, DCM_ReferencedSeriesSequence);
      put(*series, DCM_SeriesInstanceUID, source.series_uid);
    }
    instance.frame = 0;
    add_reference(*series, DCM_ReferencedInstanceSequence, instance);
  }
}

CodedConcept region_code(const std::string& body_part) {
  for (const Region& region : regions)
    if (region.body_part == body_part)
      return {"SCT", std::string(region.code), std::string(region.meaning)};
  return {"SCT", "261665006", "Unknown"};
}

}  // namespace penta::io::dicom::parts
