#include "core/hash.h"
#include "recon/phantom/voxelise.h"
#include "recon/simulate/pet.h"
#include "recon/simulate/study.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

class PetSimulate final : public Method {
 public:
  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const Params& params = request.params;
    const recon::Patient patient = recon::digital_patient(request.control.seed, static_cast<int>(params.integer("lesions")));
    recon::PetProtocol protocol;
    protocol.dose_bq = params.number("dose_mbq") * 1e6;
    protocol.bed_s = params.number("bed_s");
    protocol.resolution_fwhm_mm = params.number("resolution_mm");
    protocol.slices = params.integer("slices");
    request.control.report(0.1, "simulating PET");

    Image image;
    VolumeSequence volumes;
    volumes.emplace_back(recon::simulate_pet(patient, protocol));
    image.pixels = std::move(volumes);
    image.unit = "Bq/mL";
    image.acquisition = recon::synthetic_acquisition(
        patient, {"pet.simulate", params.json().dump(0), "PET", "PT", "FDG PET of a drawn patient", "WHOLEBODY", "DERIVED\\SECONDARY"});
    image.acquisition.facts = facts(patient, protocol);
    image.sha256 = hash_of(image);

    LabelMap labels = recon::labels_of(patient, grid_of(image.volume()));
    labels.acquisition = image.acquisition;
    Answer answer;
    answer.remarks.push_back({Severity::note, "simulated", "a drawn body of adult proportions, not a person: for trying things out, not for evidence"});
    answer.artifacts.push_back({"image", std::move(image)});
    answer.artifacts.push_back({"labels", std::move(labels)});
    return answer;
  }

 private:
  static PetFacts facts(const recon::Patient& patient, const recon::PetProtocol& protocol) {
    const std::string by = "simulated";
    PetFacts pet;
    pet.units = {"BQML", by};
    pet.decay_correction = {"START", by};
    pet.corrections = {"DECY\\ATTN\\SCAT", by};
    pet.tracer = {"Fluorodeoxyglucose F^18^", by};
    pet.injected_dose_bq = {recon::pet_dose_bq(patient, protocol), by};
    pet.half_life_s = {recon::f18_half_life_s, by};
    pet.injection_time_s = {recon::synthetic_noon_s - protocol.uptake_s, by};
    pet.series_time_s = pet.acquisition_time_s = {recon::synthetic_noon_s, by};
    pet.frame_reference_time_ms = {0.0, by};
    pet.frame_duration_ms = {protocol.bed_s * 1000, by};
    return pet;
  }

  Card card_ = built_in_card("generation/pet.simulate");
};

}  // namespace

MethodPtr make_generation_pet_simulate();
MethodPtr make_generation_pet_simulate() { return std::make_unique<PetSimulate>(); }

}  // namespace penta
