#include "core/hash.h"
#include "recon/phantom/voxelise.h"
#include "recon/simulate/spect.h"
#include "recon/simulate/study.h"
#include "recon/spect/reconstruct.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

std::string hash_of_counts(const Projections& views) {
  Sha256 hash;
  for (const auto& layer : views.layers) hash.add(std::as_bytes(std::span(layer)));
  hash.add(std::as_bytes(std::span(views.angle_deg)));
  return hash.hex();
}

class SpectSimulate final : public Method {
 public:
  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const Params& params = request.params;
    const recon::Patient patient = recon::digital_patient(request.control.seed);
    recon::SpectProtocol protocol;
    protocol.views = static_cast<int>(params.integer("views"));
    protocol.arc_deg = params.text("arc") == "360" ? 360 : 180;
    protocol.counts = params.number("counts_million") * 1e6;
    protocol.scatter_fraction = params.number("scatter_fraction");

    RawData raw;
    raw.acquisition = recon::synthetic_acquisition(
        patient, {"spect.simulate", params.json().dump(0), "SPECT", "NM", "Tc-99m myocardial perfusion of a drawn patient", "HEART",
                  "DERIVED\\PRIMARY\\TOMO\\EMISSION"});
    raw.acquisition.facts = facts(protocol);
    Projections views = recon::simulate_spect(patient, protocol, [&](double share) { request.control.report(share, "simulating SPECT"); });
    LabelMap labels = recon::labels_of(patient, recon::reconstruction_grid(views));
    labels.acquisition = raw.acquisition;
    raw.sha256 = hash_of_counts(views);
    raw.value = std::move(views);

    Answer answer;
    answer.remarks.push_back({Severity::note, "simulated", "a drawn body of adult proportions, not a person: for trying things out, not for evidence"});
    answer.artifacts.push_back({"projections", std::move(raw)});
    answer.artifacts.push_back({"labels", std::move(labels)});
    return answer;
  }

 private:
  static SpectFacts facts(const recon::SpectProtocol& protocol) {
    const std::string by = "simulated";
    SpectFacts spect;
    spect.tracer = {"Technetium Tc^99m^ sestamibi", by};
    spect.isotope = {"^99m^Technetium", by};
    spect.collimator = {"LEHR", by};
    spect.kind = {"TOMO", by};
    spect.energy_windows = {{"Tc99m", 126.4, 154.6}};
    spect.gates = {1, by};
    spect.detectors = {1, by};
    spect.rotations = {1, by};
    spect.frame_duration_ms = {1200e3 / protocol.views, by};
    return spect;
  }

  Card card_ = built_in_card("generation/spect.simulate");
};

}  // namespace

MethodPtr make_generation_spect_simulate();
MethodPtr make_generation_spect_simulate() { return std::make_unique<SpectSimulate>(); }

}  // namespace penta
