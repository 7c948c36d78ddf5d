#include "engine/dicom_out.h"

#include "core/error.h"
#include "core/hash.h"
#include "io/dicom/write_image.h"
#include "io/dicom/write_parametric.h"
#include "io/dicom/write_seg.h"
#include "io/dicom/write_sr.h"

namespace penta::engine {

namespace {

using io::dicom::Provenance;

// The same inputs, method, version, parameters and seed give the same UIDs (with the same creation time).
Provenance provenance_of(const Produced& step, const Job& job) {
  const Card& card = step.method->card();
  Sha256 hash;
  hash.add(card.key()).add(card.version).add(step.parameters.dump()).add(std::to_string(job.seed));
  for (const InputRecord& input : step.inputs) hash.add(input.role).add(input.sha256);
  return {card.id, card.version, job.software_version, hash.hex(), job.creation_time, job.deidentified};
}

class Outputs {
 public:
  Outputs(const Produced& step, const Acquisition& source, const Job& job, Result& result)
      : step_(step), source_(source), result_(result), provenance_(provenance_of(step, job)), seg_(job.seg) {}

  void seg(const LabelMap& labels, const std::string& role, const Image& image) {
    Provenance provenance = provenance_;
    const bool is_first = labels_ == nullptr;
    if (!is_first) provenance.uid_seed += role;
    attempt("no_dicom_seg", [&] {
      files.push_back({"dicom_seg", role, is_first ? "seg.dcm" : role + ".seg.dcm", io::dicom::write_seg(labels, image, provenance, seg_)});
      if (is_first) labels_ = &labels;
    });
  }

  void sr(const Measurements& measurements, const Findings& findings) {
    if (measurements.empty() && findings.empty()) return;
    attempt("no_dicom_sr", [&] {
      const std::string seg_uid = labels_ == nullptr ? std::string() : io::dicom::seg_instance_uid(provenance_);
      files.push_back({"dicom_sr", "report", "sr.dcm",
                       io::dicom::write_sr(measurements, findings, labels_, seg_uid, source_, provenance_, seg_)});
    });
  }

  // A probability is the certainty (PS3.16, DCM 111012) of what it is of.
  void add(const Scores& scores, Measurements& measurements) const {
    for (const Score& score : scores) {
      if (!score.probability) continue;
      Measurement m;
      m.name = "Certainty of Finding";
      m.code = {"DCM", "111012", "Certainty of Finding"};
      m.value = 100 * *score.probability;
      m.unit = "%";
      m.region = score.label;
      m.made_by = step_.method->card().id;
      measurements.push_back(std::move(m));
    }
  }

  // Values of another meaning than the source's (an SUV map of activities) are a parametric map, else a derived image.
  void derived(const Image& image, const std::string& role, const Image& source) {
    if (!image.is_volume()) return;
    Provenance provenance = provenance_;
    provenance.uid_seed += role;
    attempt("no_dicom_image", [&] {
      if (image.unit != source.unit) {
        files.push_back({"dicom_parametric_map", role, role + ".dcm",
                         io::dicom::write_parametric_map(image, {{}, role}, source, provenance)});
        return;
      }
      std::vector<Remark> remarks;
      for (DicomFile& file : dicom_images(image, true, provenance, remarks)) {
        file.file = "dicom/" + role + "-" + file.file;
        files.push_back(std::move(file));
      }
      for (Remark& remark : remarks) {
        remark.made_by = step_.method->card().id;
        remark.series_uid = source_.series_uid;
        result_.add(std::move(remark));
      }
    });
  }

  std::vector<DicomFile> files;

 private:
  // A result that DICOM cannot say is still a result: NIfTI and JSON hold it, and a remark says what is missing.
  template <class Write>
  void attempt(const char* code, Write&& write) {
    try {
      write();
    } catch (const Error& fault) {
      result_.add(Remark{Severity::warning, code, fault.what(), step_.method->card().id, source_.series_uid});
    }
  }

  const Produced& step_;
  const Acquisition& source_;
  Result& result_;
  Provenance provenance_;
  io::dicom::SegType seg_;
  const LabelMap* labels_ = nullptr;
};

}  // namespace

namespace {

DicomFile file_of(io::dicom::WrittenInstance& instance, std::size_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
  return {"dicom_image", "dicom", digits + ".dcm", std::move(instance.bytes)};
}

// What was generated is a study of its own.
std::vector<DicomFile> generated_images(const Produced& step, const Job& job, Result& result) {
  std::vector<DicomFile> files;
  for (const Artifact& artifact : step.answer.artifacts) {
    Provenance provenance = provenance_of(step, job);
    provenance.uid_seed += artifact.role;
    std::vector<DicomFile> some;
    std::vector<Remark> remarks;
    if (const auto* image = std::get_if<Image>(&artifact.value)) some = dicom_images(*image, false, provenance, remarks);
    if (const auto* raw = std::get_if<RawData>(&artifact.value)) some = dicom_images(*raw, provenance);
    for (Remark& remark : remarks) {
      remark.made_by = step.method->card().id;
      result.add(std::move(remark));
    }
    for (DicomFile& file : some) {
      file.file = "dicom/" + artifact.role + "-" + file.file;
      files.push_back(std::move(file));
    }
  }
  return files;
}

}  // namespace

std::vector<DicomFile> dicom_images(const Image& image, bool enhanced, const Provenance& provenance,
                                    std::vector<Remark>& remarks) {
  io::dicom::Derivation derivation;
  if (enhanced) derivation.form = io::dicom::ImageForm::enhanced;
  io::dicom::WrittenImage written = io::dicom::write_derived_image(image, derivation, provenance);
  remarks.insert(remarks.end(), written.remarks.begin(), written.remarks.end());
  std::vector<DicomFile> files;
  for (io::dicom::WrittenInstance& instance : written.instances) files.push_back(file_of(instance, files.size() + 1));
  return files;
}

std::vector<DicomFile> dicom_images(const RawData& raw, const Provenance& provenance) {
  io::dicom::WrittenInstance instance = io::dicom::write_projections(raw, provenance);
  std::vector<DicomFile> files;
  files.push_back(file_of(instance, 1));
  return files;
}

std::vector<DicomFile> dicom_outputs(const Produced& step, const Image* source, const Job& job, Result& result) {
  if (step.method->card().task == Task::generation) return generated_images(step, job, result);
  // Objects that refer to nothing would be orphans in an archive: a file that was no DICOM gets NIfTI and JSON only.
  if (source == nullptr || source->acquisition.instances.empty()) return {};
  Outputs outputs(step, source->acquisition, job, result);
  Measurements measurements;
  Findings findings;
  for (const Artifact& artifact : step.answer.artifacts) {
    if (const auto* labels = std::get_if<LabelMap>(&artifact.value); labels != nullptr && !labels->segments.empty())
      outputs.seg(*labels, artifact.role, *source);
    if (const auto* image = std::get_if<Image>(&artifact.value)) outputs.derived(*image, artifact.role, *source);
    if (const auto* list = std::get_if<Measurements>(&artifact.value))
      measurements.insert(measurements.end(), list->begin(), list->end());
    if (const auto* scores = std::get_if<Scores>(&artifact.value)) outputs.add(*scores, measurements);
    if (const auto* list = std::get_if<Findings>(&artifact.value)) findings.insert(findings.end(), list->begin(), list->end());
  }
  outputs.sr(measurements, findings);
  return std::move(outputs.files);
}

}  // namespace penta::engine
