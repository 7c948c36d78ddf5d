#include "core/hash.h"
#include "recon/phantom/voxelise.h"
#include "recon/simulate/ct.h"
#include "recon/simulate/study.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

class CtSimulate final : public Method {
 public:
  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const Params& params = request.params;
    const recon::Patient patient = recon::digital_patient(request.control.seed, static_cast<int>(params.integer("lesions")));
    recon::CtProtocol protocol;
    protocol.portal_contrast = params.text("contrast") == "portal";
    protocol.photons *= params.number("dose");
    protocol.slices = params.integer("slices");

    Image image;
    VolumeSequence volumes;
    volumes.emplace_back(recon::simulate_ct(patient, protocol, [&](double share) { request.control.report(share, "simulating CT"); }));
    image.pixels = std::move(volumes);
    image.unit = "[hnsf'U]";
    image.acquisition = recon::synthetic_acquisition(
        patient, {"ct.simulate", params.json().dump(0), "CT", "CT", "CT of a drawn patient", "CHEST", "DERIVED\\SECONDARY\\AXIAL"});
    image.acquisition.facts = facts(protocol);
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
  static CtFacts facts(const recon::CtProtocol& protocol) {
    CtFacts ct;
    ct.tube_voltage_kv = {120.0, "simulated"};
    ct.slice_thickness_mm = {5.0, "simulated"};
    ct.kernel = {"SOFT", "simulated"};
    if (protocol.portal_contrast) ct.contrast_agent = {"IODINE", "simulated"};
    return ct;
  }

  Card card_ = built_in_card("generation/ct.simulate");
};

}  // namespace

MethodPtr make_generation_ct_simulate();
MethodPtr make_generation_ct_simulate() { return std::make_unique<CtSimulate>(); }

}  // namespace penta
