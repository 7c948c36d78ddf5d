#include "recon/simulate/study.h"

#include "core/hash.h"

namespace penta::recon {

Acquisition synthetic_acquisition(const Patient& patient, const StudyText& text) {
  const std::string seed = std::to_string(patient.seed), key = std::string(text.method) + "|" + std::string(text.settings) + "|" + seed;
  Acquisition a;
  a.modality = text.modality;
  a.dicom_modality = text.dicom_modality;
  a.study_uid = uid_from("study|" + key);
  a.series_uid = uid_from("series|" + key);
  a.frame_of_reference_uid = uid_from("digital patient|" + seed);
  a.study_date = a.series_date = "20240101";
  a.study_time = a.series_time = "120000";
  a.study_id = "SYN" + seed;
  a.study_description = "SYNTHETIC " + std::string(text.description);
  a.series_description = "SYNTHETIC " + std::string(text.description);
  a.series_number = "1";
  a.body_part = text.body_part;
  a.manufacturer = "Pentascope (simulated)";
  a.model = text.method;
  a.patient_position = "HFS";
  a.image_type = text.image_type;
  a.character_set = "ISO_IR 192";
  a.synthetic = true;
  a.patient.id = "SYN-" + seed;
  a.patient.name = "SYNTHETIC^SEED " + seed;
  a.patient.sex = std::string(1, patient.sex);
  a.patient.age_years = {patient.age_years, "simulated"};
  a.patient.weight_kg = {patient.weight_kg, "simulated"};
  a.patient.height_m = {patient.height_m, "simulated"};
  return a;
}

}  // namespace penta::recon
