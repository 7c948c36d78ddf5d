#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>

#include "io/dicom/write_image_parts.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom::parts {

namespace {

// PS3.16 CID 4021, for a tracer that the source named. FDG is all that is told apart by its name alone.
std::optional<CodedConcept> tracer_code(const PetFacts& facts) {
  if (!facts.tracer) return std::nullopt;
  std::string name;
  for (const char c : *facts.tracer)
    name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (name.find("FDG") == std::string::npos && name.find("DEOXYGLUCOSE") == std::string::npos) return std::nullopt;
  return CodedConcept{"SCT", "35321007", "Fluorodeoxyglucose F^18^"};
}

// Half-life of F-18: 6586.2 s; the nearest of CID 4020 is Br-75 with 5802 s.
bool is_fluorine(const PetFacts& facts) { return facts.half_life_s && std::abs(*facts.half_life_s - 6586.2) < 60; }

}  // namespace

bool can_be_coded(const PetFacts& facts) {
  return tracer_code(facts) && is_fluorine(facts) && facts.injected_dose_bq && facts.injection_time_s;
}

void put_radiopharmaceutical(DcmDataset& data, const PetFacts& facts, bool coded) {
  DcmItem& row = add_item(data, DCM_RadiopharmaceuticalInformationSequence);
  if (is_fluorine(facts)) add_code(row, DCM_RadionuclideCodeSequence, {"SCT", "77004003", "^18^Fluorine"});
  else put_empty_sequence(row, DCM_RadionuclideCodeSequence);
  if (coded) {
    add_code(row, DCM_RadiopharmaceuticalCodeSequence, *tracer_code(facts));
    put_u16(row, DCM_RadiopharmaceuticalAgentNumber, 1);
    put_decimal(row, DCM_RadionuclidePositronFraction, 0.9686);  // of F-18 (DDEP evaluation)
  }
  if (facts.tracer) put_text(row, DCM_Radiopharmaceutical, *facts.tracer);
  if (facts.injected_dose_bq) put_decimal(row, DCM_RadionuclideTotalDose, *facts.injected_dose_bq);
  if (facts.half_life_s) put_decimal(row, DCM_RadionuclideHalfLife, *facts.half_life_s);
  if (!facts.injection_time_s) return;
  const Moment injected = moment_of(*facts.injection_time_s);
  if (!coded) put(row, DCM_RadiopharmaceuticalStartTime, injected.time);
  put(row, DCM_RadiopharmaceuticalStartDateTime, injected.date + injected.time);
}

}  // namespace penta::io::dicom::parts
