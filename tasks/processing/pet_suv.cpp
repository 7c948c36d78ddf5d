#include <cstdio>

#include "modality/pet/suv.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

void replace(const Params& params, std::string_view name, double unit, Fact<double>& fact, std::vector<Remark>& remarks) {
  if (!params.is_set(name)) return;
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%s = %.9g, the header says %.9g", std::string(name).c_str(), params.number(name),
                fact.value.value_or(0) / unit);
  remarks.push_back({Severity::warning, "fact_replaced", std::string("set by the caller: ") + text.data()});
  fact = {params.number(name) * unit, "set by the caller"};
}

Acquisition with_settings(const Acquisition& header, const Params& params, std::vector<Remark>& remarks) {
  Acquisition acquisition = header;
  replace(params, "weight_kg", 1, acquisition.patient.weight_kg, remarks);
  replace(params, "height_m", 1, acquisition.patient.height_m, remarks);
  if (auto* pet = std::get_if<PetFacts>(&acquisition.facts)) replace(params, "dose_mbq", 1e6, pet->injected_dose_bq, remarks);
  return acquisition;
}

class PetSuv final : public Method {
 public:
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    request.control.report(0, "SUV");
    const Image& image = request.need<Image>("image");
    Answer answer;
    const Acquisition acquisition = with_settings(image.acquisition, request.params, answer.remarks);
    Image suv = pet::suv_image(image, acquisition, pet::suv_type_named(request.params.text("type")),
                               request.params.flag("assume_suv"), answer.remarks);
    answer.artifacts.push_back({"suv", std::move(suv)});
    return answer;
  }

 private:
  Card card_ = built_in_card("processing/pet.suv");
};

}  // namespace

MethodPtr make_processing_pet_suv() { return std::make_unique<PetSuv>(); }

}  // namespace penta
