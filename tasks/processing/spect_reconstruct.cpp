#include <algorithm>
#include <cmath>
#include <string>

#include "core/image.h"
#include "image/smooth/gaussian.h"
#include "recon/spect/reconstruct.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

Acquisition acquisition_of(const RawData& raw) {
  Acquisition acquisition = raw.acquisition;
  acquisition.modality = "SPECT";
  acquisition.image_type = "DERIVED\\PRIMARY\\RECON TOMO\\EMISSION";
  acquisition.instances.clear();  // no slice is one of the stored views
  if (auto* facts = std::get_if<SpectFacts>(&acquisition.facts)) facts->kind = {"RECON TOMO", "spect.reconstruct"};
  return acquisition;
}

double arc_deg(const std::vector<double>& angles) {
  const auto [low, high] = std::minmax_element(angles.begin(), angles.end());
  return (*high - *low) * static_cast<double>(angles.size()) / std::max(1.0, static_cast<double>(angles.size() - 1));
}

std::vector<Remark> remarks_on(const Projections& views, bool modelled) {
  std::vector<Remark> remarks{{Severity::note, "not_corrected",
                               std::string("neither attenuation nor scatter") + (modelled ? "" : " nor collimator blur") +
                                   " is corrected: deep regions look too cold"}};
  if (!views.axial_known)
    remarks.push_back({Severity::note, "axial_place_assumed",
                       "the header does not say where the rows lie: the first row is taken as the one nearest the head"});
  if (arc_deg(views.angle_deg) < 179)
    remarks.push_back({Severity::warning, "short_arc", "the views cover less than 180 degrees: shapes are distorted"});
  if (views.windows > 1)
    remarks.push_back({Severity::note, "one_energy_window",
                       "only one of " + std::to_string(views.windows) + " energy windows is used (parameter energy_window)"});
  return remarks;
}

class SpectReconstruct final : public Method {
 public:
  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const RawData& raw = request.need<RawData>("projections");
    const auto* views = std::get_if<Projections>(&raw.value);
    if (views == nullptr) throw Error(Code::bad_input, "spect.reconstruct: the raw data are no camera projections");
    const recon::SpectOptions options = options_from(request.params);
    if (options.sigma_slope > 0 && views->radius_mm.empty())
      throw Error(Code::bad_input, "spect.reconstruct: collimator_slope needs the camera's radius, and the header has none");

    const bool each = request.params.text("gates") == "each" && views->gates > 1;
    const int window = static_cast<int>(request.params.integer("energy_window")) - 1;
    const int volumes = each ? views->gates : 1;
    Image image;
    VolumeSequence sequence;
    for (int gate = 0; gate < volumes; ++gate) {
      const auto progress = [&](int done, int all) {
        request.control.report((gate + static_cast<double>(done) / all) / volumes, "reconstructing");
      };
      const auto counts = recon::counts_of(*views, window, each ? std::optional(gate) : std::nullopt);
      const Volume<float> volume = recon::reconstruct(*views, counts, options, progress);
      sequence.emplace_back(gaussian_smoothed(volume.view(), request.params.number("fwhm_mm")));
    }
    image.pixels = std::move(sequence);
    image.axis = each ? SequenceAxis::gate : SequenceAxis::none;
    image.unit = "{counts}";
    image.acquisition = acquisition_of(raw);
    image.sha256 = hash_of(image);
    Answer answer;
    answer.remarks = remarks_on(*views, options.sigma_mm > 0 || options.sigma_slope > 0);
    answer.artifacts.push_back({"image", std::move(image)});
    return answer;
  }

 private:
  static recon::SpectOptions options_from(const Params& params) {
    return {static_cast<int>(params.integer("iterations")), static_cast<int>(params.integer("subsets")),
            params.number("collimator_sigma_mm"), params.number("collimator_slope")};
  }

  Card card_ = built_in_card("processing/spect.reconstruct");
};

}  // namespace

MethodPtr make_processing_spect_reconstruct();
MethodPtr make_processing_spect_reconstruct() { return std::make_unique<SpectReconstruct>(); }

}  // namespace penta
