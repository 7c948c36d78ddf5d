#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/hash.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom::parts {

namespace {

std::string first_hex(std::string_view text) { return Sha256().add(text).hex().substr(0, 8); }

void put_identity(DcmDataset& data, const Acquisition& source, const Provenance& provenance) {
  const PatientFacts& patient = source.patient;
  std::string id = patient.id;
  if (source.synthetic && !id.starts_with("SYN-"))
    id = id.empty() ? "SYN-" + first_hex(provenance.uid_seed) : "SYN-" + id;
  const bool hidden = provenance.deidentified;
  if (hidden) {
    id = "ANON-" + first_hex(study_uid_of(source, provenance));
    put(data, DCM_PatientIdentityRemoved, "YES");
    put(data, DCM_DeidentificationMethod, "Pentascope: name, id, birth date, physician, accession");
  }
  put(data, DCM_PatientName, hidden ? "" : patient.name);
  put(data, DCM_PatientID, id);
  put(data, DCM_PatientBirthDate, hidden ? "" : patient.birth_date);
  put(data, DCM_PatientSex, patient.sex);
  put(data, DCM_ReferringPhysicianName, hidden ? "" : source.referring_physician);
  put_text(data, DCM_AccessionNumber, hidden ? "" : source.accession_number, 16);
}

// PS3.16 table L-1: the body parts that have no left and right of their own.
constexpr std::array<std::string_view, 65> unpaired_parts{
    "ABDOMEN",      "ABDOMENPELVIS", "AORTA",            "BACK",     "BLADDER",          "BRAIN",
    "CEREBELLUM",   "CERVIX",        "CHEST",            "CHESTABDOMEN", "CHESTABDPELVIS", "CIRCLEOFWILLIS",
    "COCCYX",       "COLON",         "CORONARYARTERY",   "CSPINE",   "CTSPINE",          "DUODENUM",
    "ESOPHAGUS",    "FACE",          "GALLBLADDER",      "HEAD",     "HEADNECK",         "HEART",
    "ILEUM",        "ILIUM",         "JAW",              "JEJUNUM",  "LARYNX",           "LIVER",
    "LSPINE",       "LSSPINE",       "MAXILLA",          "MEDIASTINUM", "MOUTH",         "NECK",
    "NECKCHEST",    "NECKCHESTABDOMEN", "NECKCHESTABDPELV", "NOSE",  "PANCREAS",         "PELVIS",
    "PENIS",        "PHARYNX",       "PROSTATE",         "RECTUM",   "SCALP",            "SKULL",
    "SPINE",        "SPLEEN",        "SSPINE",           "STERNUM",  "STOMACH",          "THYMUS",
    "THYROID",      "TLSPINE",       "TONGUE",           "TRACHEA",  "TSPINE",           "URETER",
    "URETHRA",      "UTERUS",        "VAGINA",           "VULVA",    "WHOLEBODY"};

}  // namespace

void put_body_part(DcmDataset& data, const Acquisition& source) {
  const std::string& part = source.body_part;
  if (!part.empty()) put(data, DCM_BodyPartExamined, part);
  if (std::find(unpaired_parts.begin(), unpaired_parts.end(), part) == unpaired_parts.end())
    put(data, DCM_Laterality, "");
}

void put_patient_and_study(DcmDataset& data, const Acquisition& source, const Provenance& provenance) {
  put_identity(data, source, provenance);
  put(data, DCM_StudyInstanceUID, study_uid_of(source, provenance));
  put(data, DCM_StudyDate, source.study_uid.empty() ? provenance.creation_time.substr(0, 8) : source.study_date);
  put(data, DCM_StudyTime, source.study_uid.empty() ? provenance.creation_time.substr(8) : source.study_time);
  // Longer ones than the 16 bytes of SH are met, and are no reason to write them so.
  put_text(data, DCM_StudyID, source.study_id, 16);
  if (!source.study_description.empty()) put(data, DCM_StudyDescription, source.study_description);
  // An Acquisition holds its texts as UTF-8, whatever the source's character set was.
  put(data, DCM_SpecificCharacterSet, "ISO_IR 192");
}

void put_moment(DcmDataset& data, const DcmTagKey& date, const DcmTagKey& time, const Provenance& provenance) {
  put(data, date, provenance.creation_time.substr(0, 8));
  put(data, time, provenance.creation_time.substr(8));
}

void put_equipment_and_sop(DcmDataset& data, const char* sop_class, const std::string& sop_instance_uid,
                           const Acquisition& source, const Provenance& provenance) {
  put(data, DCM_SOPClassUID, sop_class);
  put(data, DCM_SOPInstanceUID, sop_instance_uid);
  put_moment(data, DCM_InstanceCreationDate, DCM_InstanceCreationTime, provenance);
  put(data, DCM_Manufacturer, "Pentascope");
  put(data, DCM_ManufacturerModelName, "Pentascope");
  put(data, DCM_DeviceSerialNumber, "1");
  put_text(data, DCM_SoftwareVersions, provenance.software_version.empty() ? "unknown" : provenance.software_version);
  // (0008,001C) came with PS3.3 2023b: newer than DCMTK's dictionary, so its VR is said here.
  if (source.synthetic) data.putAndInsertString(DcmTag(0x0008, 0x001C, DcmVR(EVR_CS)), "YES");
}

void put_series(DcmDataset& data, std::string_view modality, const std::string& series_uid, int number,
                std::string_view description, const Acquisition& source, const Provenance& provenance) {
  put(data, DCM_Modality, modality);
  put(data, DCM_SeriesInstanceUID, series_uid);
  put_integer(data, DCM_SeriesNumber, number);
  std::string text(description);
  if (source.synthetic && !text.starts_with("SYNTHETIC")) text = "SYNTHETIC " + text;
  put_text(data, DCM_SeriesDescription, text);
  put_moment(data, DCM_SeriesDate, DCM_SeriesTime, provenance);
}

void put_contributing_equipment(DcmDataset& data, const Provenance& provenance) {
  DcmItem& row = add_item(data, DCM_ContributingEquipmentSequence);
  put(row, DCM_Manufacturer, "Pentascope");
  put(row, DCM_ManufacturerModelName, "Pentascope");
  put_text(row, DCM_SoftwareVersions, provenance.software_version.empty() ? "unknown" : provenance.software_version);
  put_text(row, DCM_ContributionDescription, "method " + provenance.method + ", version " + provenance.method_version,
           1024);
  put(row, DCM_ContributionDateTime, provenance.creation_time);
  add_code(row, DCM_PurposeOfReferenceCodeSequence, {"DCM", "109102", "Processing Equipment"});
}

void put_frame_of_reference(DcmDataset& data, const Acquisition& source, const Provenance& provenance) {
  put(data, DCM_FrameOfReferenceUID,
      source.frame_of_reference_uid.empty() ? uid_for(provenance, "frame of reference")
                                            : source.frame_of_reference_uid);
  put(data, DCM_PositionReferenceIndicator, "");
}

}  // namespace penta::io::dicom::parts
