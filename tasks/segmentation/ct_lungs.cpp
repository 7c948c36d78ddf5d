#include <algorithm>
#include <array>

#include "modality/ct/lungs.h"
#include "modality/plausible.h"
#include "tasks/ct_input.h"
#include "tasks/finite.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

constexpr auto* doing = "finding the lungs in CT";

void say(const ct::Lungs& lungs, std::vector<Remark>& remarks) {
  if (!lungs.any) {
    remarks.push_back(
        {Severity::note, "no_lungs", "no lung in the field of view: no air space of 40 mL with tissue in it"});
    return;
  }
  if (!lungs.spine_seen)
    remarks.push_back({Severity::warning, "no_spine",
                       "the spine is not in the field of view: left and right are told by the middle of the body"});
  if (lungs.cut_apart)
    remarks.push_back({Severity::warning, "lungs_cut",
                       "left and right lung could not be told apart by their shape: cut at the spine"});
}

class CtLungs final : public Method {
 public:
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    const Image& image = request.need<Image>("image");
    need_hounsfield(image, doing);
    Answer answer;
    const Volume<float> hu = made_finite(to_float(image.volume()), card_.id, answer.remarks);
    const Volume<std::uint8_t> body = mask_on(request.need<LabelMap>("body"), hu.grid(),
                                              std::string(doing) + ": the body is");
    request.control.report(0.1, "lungs");
    const ct::Lungs lungs = ct::find_lungs(hu, body);
    request.control.report(0.9, "lungs");
    say(lungs, answer.remarks);

    LabelMap labels;
    labels.layers.emplace_back(hu.grid());
    std::copy(lungs.labels.voxels().begin(), lungs.labels.voxels().end(), labels.layers[0].voxels().begin());
    labels.acquisition = image.acquisition;
    Measurements volumes;
    for (const Side side : {Side::right, Side::left}) {
      const int value = side == Side::right ? 1 : 2;
      const auto colour =
          side == Side::right ? std::array<std::uint8_t, 3>{110, 220, 255} : std::array<std::uint8_t, 3>{120, 140, 255};
      Segment segment{value,
                      0,
                      side == Side::right ? "right lung" : "left lung",
                      {"SCT", "39607008", "Lung"},
                      {"SCT", "91723000", "Anatomical Structure"},
                      side,
                      colour};
      if (voxel_count_of(labels, value) == 0) continue;
      labels.segments.push_back(segment);
      volumes.push_back({"volume",
                         volume_ml(labels, segment),
                         "mL",
                         {"SCT", "118565006", "Volume"},
                         "lung",
                         side,
                         "voxels * voxel volume",
                         plausible_range("lung volume"),
                         {}});
    }
    answer.artifacts.push_back({"labels", std::move(labels)});
    answer.artifacts.push_back({"measurements", std::move(volumes)});
    return answer;
  }

 private:
  static std::int64_t voxel_count_of(const LabelMap& labels, int value) {
    const auto voxels = labels.layers[0].voxels();
    return std::count(voxels.begin(), voxels.end(), static_cast<std::uint16_t>(value));
  }

  Card card_ = built_in_card("segmentation/ct.lungs");
};

}  // namespace

MethodPtr make_segmentation_ct_lungs();
MethodPtr make_segmentation_ct_lungs() { return std::make_unique<CtLungs>(); }

}  // namespace penta
