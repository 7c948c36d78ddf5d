#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "image/components/components.h"
#include "nn/bundle.h"
#include "nn/segment.h"
#include "tasks/finite.h"
#include "tasks/methods.h"

namespace penta {

namespace {

constexpr double smallest_head_mm = 90;
constexpr double largest_spacing_mm = 6;

class MrWhiteMatterLesion final : public Method {
 public:
  explicit MrWhiteMatterLesion(const nn::ModelStore& models) : models_(models) {}
  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const Image& image = request.need<Image>("image");
    Answer answer;
    const Volume<float> flair = made_finite(to_float(image.volume()), card_.id, answer.remarks);
    check(flair.grid(), answer.remarks);
    const nn::Bundle& bundle = models_.need(card_.id);
    const std::array<VolumeView<const float>, 1> channels{flair.view()};
    LabelMap labels;
    labels.acquisition = image.acquisition;
    labels.layers.push_back(nn::segment(models_, bundle, channels, request.control));
    drop_small(labels.layers.front(), bundle.card.whole.at("network").at("smallest_ml").number());
    Segment segment;
    segment.value = 1;
    segment.name = "white matter lesion";
    segment.category = {"SCT", "49755003", "Morphologically Abnormal Structure"};
    segment.colour = label_colour(1);
    labels.segments.push_back(segment);
    Measurements volumes = measured(labels);
    answer.artifacts.push_back({"labels", std::move(labels)});
    answer.artifacts.push_back({"volumes", std::move(volumes)});
    return answer;
  }

 private:
  void check(const Grid& grid, std::vector<Remark>& remarks) const {
    double coarsest = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const double spacing = grid.spacing_mm()[k];
      coarsest = std::max(coarsest, spacing);
      if (static_cast<double>(grid.size()[k]) * spacing < smallest_head_mm)
        throw Error(Code::bad_input, card_.id + ": wants a whole head, at least 90 mm along each axis");
    }
    if (coarsest > largest_spacing_mm)
      remarks.push_back({Severity::warning, "coarse_spacing", "slices of over 6 mm: most lesions are thinner than that"});
  }

  static void drop_small(Volume<std::uint16_t>& labels, double smallest_ml) {
    Volume<std::uint8_t> mask(labels.grid());
    std::transform(labels.voxels().begin(), labels.voxels().end(), mask.voxels().begin(),
                   [](std::uint16_t v) -> std::uint8_t { return v != 0 ? 1 : 0; });
    const Components parts = connected_components(std::as_const(mask).view(), Connectivity::corners);
    const double voxel_ml = labels.grid().voxel_volume_ml();
    for (const Run& run : parts.runs) {
      if (static_cast<double>(parts.sizes[static_cast<std::size_t>(run.component - 1)]) * voxel_ml >= smallest_ml) continue;
      for (std::int64_t x = run.first_x; x <= run.last_x; ++x) labels.at(x, run.y, run.z) = 0;
    }
  }

  static Measurements measured(const LabelMap& labels) {
    Measurement m;
    m.name = "volume";
    m.value = volume_ml(labels, labels.segments.front());
    m.unit = "mL";
    m.code = {"SCT", "118565006", "Volume"};
    m.region = labels.segments.front().name;
    m.formula = "number of voxels x volume of a voxel";
    return {m};
  }

  const nn::ModelStore& models_;
  Card card_ = built_in_card("segmentation/mr.white_matter_lesion");
};

}  // namespace

MethodPtr make_segmentation_mr_white_matter_lesion(const nn::ModelStore& models);
MethodPtr make_segmentation_mr_white_matter_lesion(const nn::ModelStore& models) {
  return std::make_unique<MrWhiteMatterLesion>(models);
}

}  // namespace penta
