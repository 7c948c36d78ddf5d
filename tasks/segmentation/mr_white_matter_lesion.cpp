#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "image/components/components.h"
#include "image/morphology/morphology.h"
#include "nn/bundle.h"
#include "nn/segment.h"
#include "tasks/brain.h"
#include "tasks/finite.h"
#include "tasks/methods.h"

namespace penta {

namespace {

constexpr double smallest_head_mm = 90;
constexpr double largest_spacing_mm = 6;
constexpr std::uint16_t white_matter = 1;  // of the structures of mr.brain
constexpr double gap_mm = 2;               // gaps of the white matter up to twice that are closed

/// Ball-like growth or shrinking of a mask by `steps` voxels over faces, as scipy's binary_dilation and binary_erosion
/// with the cross (outside is 0 when growing; when shrinking it is 0 too).
Volume<std::uint8_t> stepped(const Volume<std::uint8_t>& from, std::int64_t steps, bool grow) {
  Volume<std::uint8_t> now = from.clone();
  const Size3 n = from.grid().size();
  for (std::int64_t step = 0; step < steps; ++step) {
    const Volume<std::uint8_t> last = now.clone();
    const auto at = [&](std::int64_t x, std::int64_t y, std::int64_t z) -> bool {
      const bool inside = x >= 0 && y >= 0 && z >= 0 && x < n[0] && y < n[1] && z < n[2];
      return inside && last.at(x, y, z) != 0;
    };
    for (std::int64_t z = 0; z < n[2]; ++z)
      for (std::int64_t y = 0; y < n[1]; ++y)
        for (std::int64_t x = 0; x < n[0]; ++x) {
          if ((last.at(x, y, z) != 0) == grow) continue;
          const int set = at(x - 1, y, z) + at(x + 1, y, z) + at(x, y - 1, z) + at(x, y + 1, z) + at(x, y, z - 1) + at(x, y, z + 1);
          if (grow ? set > 0 : set < 6) now.at(x, y, z) = grow ? 1 : 0;
        }
  }
  return now;
}

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
    const Json& network = bundle.card.whole.at("network");
    std::optional<Volume<std::uint8_t>> deep;
    if (const Image* t1 = request.find<Image>("t1"))
      deep = keep_in_white_matter(labels.layers.front(), made_finite(to_float(t1->volume()), card_.id, answer.remarks),
                                  network.at("depth_mm").number());
    else
      answer.remarks.push_back({Severity::warning, "no_t1",
                                "without a T1 of the same patient space lesions are looked for everywhere: fat, muscle and "
                                "bright cortex are taken for lesions too"});
    drop_parts(labels.layers.front(), network.at("smallest_ml").number(), deep);
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

  /// Lesions are kept in the cerebral white matter that mr.brain finds on the T1 (same patient coordinates). Gives what
  /// of it lies `depth_mm` deep: a lesion that does not reach it is rather the cortex at a border that is a voxel off.
  Volume<std::uint8_t> keep_in_white_matter(Volume<std::uint16_t>& labels, const Volume<float>& t1, double depth_mm) const {
    const Volume<std::uint16_t> structures = brain_labels(models_, t1, "structures", labels.grid());
    Volume<std::uint8_t> white(labels.grid());
    std::transform(structures.voxels().begin(), structures.voxels().end(), white.voxels().begin(),
                   [](std::uint16_t v) -> std::uint8_t { return v == white_matter ? 1 : 0; });
    const Vector3& mm = labels.grid().spacing_mm();
    const auto steps = [&](double by_mm) { return static_cast<std::int64_t>(std::lround(by_mm / std::max({mm[0], mm[1], mm[2]}))); };
    white = fill_holes(stepped(stepped(white, steps(gap_mm), true), steps(gap_mm), false).view());
    const std::span<const std::uint8_t> inside = std::as_const(white).voxels();
    for (std::size_t i = 0; i < inside.size(); ++i)
      if (inside[i] == 0) labels.voxels()[i] = 0;
    return stepped(white, steps(depth_mm), false);
  }

  static void drop_parts(Volume<std::uint16_t>& labels, double smallest_ml, const std::optional<Volume<std::uint8_t>>& deep) {
    Volume<std::uint8_t> mask(labels.grid());
    std::transform(labels.voxels().begin(), labels.voxels().end(), mask.voxels().begin(),
                   [](std::uint16_t v) -> std::uint8_t { return v != 0 ? 1 : 0; });
    const Components parts = connected_components(std::as_const(mask).view(), Connectivity::corners);
    const double voxel_ml = labels.grid().voxel_volume_ml();
    std::vector<bool> keep(parts.sizes.size(), !deep.has_value());
    if (deep)
      for (const Run& run : parts.runs)
        for (std::int64_t x = run.first_x; x <= run.last_x; ++x)
          if (deep->at(x, run.y, run.z) != 0) keep[static_cast<std::size_t>(run.component - 1)] = true;
    for (const Run& run : parts.runs) {
      const auto part = static_cast<std::size_t>(run.component - 1);
      if (keep[part] && static_cast<double>(parts.sizes[part]) * voxel_ml >= smallest_ml) continue;
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
