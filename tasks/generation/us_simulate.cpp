#include <cmath>

#include "core/hash.h"
#include "recon/simulate/study.h"
#include "recon/simulate/us.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

class UsSimulate final : public Method {
 public:
  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const Params& params = request.params;
    request.control.report(0.05, "simulating ultrasound");
    recon::UsStudy study = recon::simulate_us(
        request.control.seed, {params.number("head_circumference_mm"), params.integer("width"), params.integer("height")});

    recon::Patient patient = recon::digital_patient(request.control.seed);
    patient.sex = 'F';
    Image image;
    image.acquisition = recon::synthetic_acquisition(
        patient, {"us.simulate", params.json().dump(0), "US", "US", "speckle on a drawn fetal head", "HEAD", "DERIVED\\PRIMARY"});
    image.acquisition.patient.age_years = {30.0, "simulated"};
    image.acquisition.patient.weight_kg = {};
    image.acquisition.patient.height_m = {};
    image.acquisition.frame_of_reference_uid.clear();
    image.acquisition.patient_position.clear();
    UsFacts facts;
    facts.transducer = {"CURVED LINEAR", "simulated"};
    image.acquisition.facts = facts;
    FrameSequence frames;
    frames.push_back(std::move(study.frame));
    image.pixels = std::move(frames);
    image.sha256 = hash_of(image);
    study.labels.acquisition = image.acquisition;

    Measurement truth;
    truth.name = "head circumference";
    truth.value = std::round(study.head_circumference_mm * 10) / 10;
    truth.unit = "mm";
    truth.region = "fetal head";
    truth.formula = "perimeter of the drawn ellipse, outside of the skull (Ramanujan 1914)";
    Answer answer;
    answer.remarks.push_back({Severity::note, "simulated", "speckle on a drawn fetal head, not a recorded sound field and not a fetus"});
    answer.artifacts.push_back({"image", std::move(image)});
    answer.artifacts.push_back({"labels", std::move(study.labels)});
    answer.artifacts.push_back({"truth", Measurements{truth}});
    return answer;
  }

 private:
  Card card_ = built_in_card("generation/us.simulate");
};

}  // namespace

MethodPtr make_generation_us_simulate();
MethodPtr make_generation_us_simulate() { return std::make_unique<UsSimulate>(); }

}  // namespace penta
