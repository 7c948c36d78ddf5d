#include "engine/dicom_out.h"

#include "core/error.h"
#include "core/hash.h"
#include "io/dicom/write_seg.h"

namespace penta::engine {

namespace {

using io::dicom::Provenance;

// The same inputs, method, version, parameters and seed give the same UIDs (with the same creation time).
Provenance provenance_of(const Produced& step, const Job& job, const std::string& purpose) {
  const Card& card = step.method->card();
  Sha256 hash;
  hash.add(card.key()).add(card.version).add(step.parameters.dump()).add(std::to_string(job.seed)).add(purpose);
  for (const InputRecord& input : step.inputs) hash.add(input.role).add(input.sha256);
  return {card.id, card.version, job.software_version, hash.hex(), job.creation_time, job.deidentified};
}

}  // namespace

std::vector<DicomFile> dicom_outputs(const Produced& step, const Image* source, const Job& job, Result& result) {
  std::vector<DicomFile> files;
  // Objects that refer to nothing would be orphans in an archive: a file that was no DICOM gets NIfTI and JSON only.
  if (source == nullptr || source->acquisition.instances.empty()) return files;
  for (const Artifact& artifact : step.answer.artifacts) {
    const auto* labels = std::get_if<LabelMap>(&artifact.value);
    if (labels == nullptr || labels->segments.empty()) continue;
    const Provenance provenance = provenance_of(step, job, artifact.role);
    try {
      const std::string name = artifact.role == "labels" ? "seg.dcm" : artifact.role + ".seg.dcm";
      files.push_back({"dicom_seg", artifact.role, name, io::dicom::write_seg(*labels, *source, provenance)});
    } catch (const Error& fault) {
      result.add(Remark{Severity::warning, "no_dicom_seg", fault.what(), step.method->card().id, source->acquisition.series_uid});
    }
  }
  return files;
}

}  // namespace penta::engine
