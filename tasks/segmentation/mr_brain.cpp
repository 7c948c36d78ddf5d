#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nn/bundle.h"
#include "nn/postprocess.h"
#include "tasks/brain.h"
#include "tasks/finite.h"
#include "tasks/methods.h"

namespace penta {

// mr.brain_mask, mr.brain_tissue and mr.brain_structures: one network (models/mr.brain) with three outputs (`network.heads`).

namespace {

constexpr double smallest_head_mm = 90;    // a brain is about 140 x 170 x 130 mm
constexpr double largest_spacing_mm = 3;   // beyond: nothing of a cortex is left to see
constexpr double spike_times = 1.6;        // a voxel brighter than that many times the 99.9th percentile is a spike
constexpr double most_brain_ml = 1900;
constexpr double least_brain_ml = 300;     // less than that is no T1-weighted head

struct Term {
  std::string_view name, scheme, value, meaning;
};

/// Of the classes (PS3.16 CID 7140; the whole brain: CID 4031). Tissues that join several of its terms have none.
constexpr std::array<Term, 18> terms{{{"brain", "SCT", "12738006", "Brain"},
                                      {"cerebral white matter", "SCT", "68523003", "Cerebral White Matter"},
                                      {"cerebral cortex", "SCT", "40146001", "Cerebral Gray Matter"},
                                      {"lateral ventricle", "SCT", "66720007", "Lateral Ventricle"},
                                      {"inferior lateral ventricle", "SCT", "53118009", "Inferior Horn of Lateral Ventricle"},
                                      {"cerebellar white matter", "SCT", "33060004", "Cerebellar White Matter"},
                                      {"cerebellar cortex", "SCT", "25991003", "Cerebellar Cortex"},
                                      {"thalamus", "SCT", "119406000", "Thalamus"},
                                      {"caudate", "SCT", "11000004", "Caudate Nucleus"},
                                      {"putamen", "SCT", "89278009", "Putamen"},
                                      {"pallidum", "SCT", "14738005", "Globus Pallidus"},
                                      {"third ventricle", "SCT", "49841001", "Third ventricle"},
                                      {"fourth ventricle", "SCT", "35918002", "Fourth Ventricle"},
                                      {"brain stem", "SCT", "119238007", "Brain Stem"},
                                      {"hippocampus", "SCT", "5366008", "Hippocampus"},
                                      {"amygdala", "SCT", "4958002", "Amygdala"},
                                      {"accumbens area", "SCT", "427667007", "Nucleus Accumbens"},
                                      {"ventral diencephalon", "DCM", "110700", "Ventral Diencephalon"}}};

CodedConcept code_of(const std::string& name) {
  const auto* const found = std::find_if(terms.begin(), terms.end(), [&](const Term& c) { return c.name == name; });
  if (found == terms.end()) return {};
  return {std::string(found->scheme), std::string(found->value), std::string(found->meaning)};
}

/// Spikes (vessels, artefacts) would press all else together: the network sees values from the least to the largest.
void clip_spikes(std::span<float> values, std::vector<Remark>& remarks) {
  const float top = static_cast<float>(spike_times) * value_at_share(values, 0.999);
  if (top <= 0) return;
  const auto count = std::count_if(values.begin(), values.end(), [top](float v) { return v > top; });
  if (count == 0) return;
  std::transform(values.begin(), values.end(), values.begin(), [top](float v) { return std::min(v, top); });
  remarks.push_back({Severity::note, "spikes_clipped",
                     std::to_string(count) + " voxels are over 1.6 times the 99.9th percentile and were clipped to it"});
}

void check_contrast(const std::string& id, std::span<const float> values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*low == *high) throw Error(Code::bad_input, id + ": no T1-weighted head: all voxels have the same value");
}

void check(const std::string& id, const Grid& grid, std::vector<Remark>& remarks) {
  double coarsest = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    const double spacing = grid.spacing_mm()[k], extent = static_cast<double>(grid.size()[k]) * spacing;
    coarsest = std::max(coarsest, spacing);
    if (extent < smallest_head_mm)
      throw Error(Code::bad_input, id + ": wants a whole head, at least 90 mm along each axis; this image has " +
                                       std::to_string(static_cast<int>(std::lround(extent))) + " mm along axis " +
                                       std::to_string(k));
  }
  if (coarsest > largest_spacing_mm)
    remarks.push_back({Severity::warning, "coarse_spacing",
                       "voxels of over 3 mm: made for about 1 mm, thin structures are not to be trusted"});
}

Measurement volume(std::string region, double ml) {
  Measurement m;
  m.name = "volume";
  m.value = ml;
  m.unit = "mL";
  m.code = {"SCT", "118565006", "Volume"};
  m.region = std::move(region);
  m.formula = "number of voxels x volume of a voxel";
  return m;
}

class MrBrain final : public Method {
 public:
  /// `output`: name in the network's file, and in `network.heads` of its card.
  MrBrain(const nn::ModelStore& models, const char* key, const char* output)
      : models_(models), output_(output), card_(built_in_card(key)) {}
  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const Image& image = request.need<Image>("image");
    Answer answer;
    Volume<float> volume = made_finite(to_float(image.volume()), card_.id, answer.remarks);
    check(card_.id, volume.grid(), answer.remarks);
    check_contrast(card_.id, volume.voxels());
    request.control.report(0, card_.title);
    clip_spikes(volume.voxels(), answer.remarks);
    LabelMap labels;
    labels.acquisition = image.acquisition;
    labels.layers.push_back(brain_labels(models_, volume, output_, volume.grid()));
    nn::keep_largest(labels.layers.front(), output_ == "mask");
    add_segments(labels, answer);
    answer.artifacts.insert(answer.artifacts.begin(), {"labels", std::move(labels)});
    return answer;
  }

 private:
  void add_segments(LabelMap& labels, Answer& answer) const {
    const std::vector<std::string> names = brain_classes(models_, output_);
    Measurements volumes;
    double all = 0;
    for (std::size_t c = 1; c < names.size(); ++c) {
      Segment s;
      s.value = static_cast<int>(c);
      s.name = names[c];
      s.type = code_of(names[c]);
      s.colour = label_colour(s.value);
      labels.segments.push_back(s);
      volumes.push_back(volume(names[c], volume_ml(labels, s)));
      all += volumes.back().value;
    }
    if (all < least_brain_ml)
      throw Error(Code::bad_input, card_.id + ": no T1-weighted head: only " + std::to_string(std::lround(all)) +
                                       " ml of brain were found in this image");
    if (all > most_brain_ml)
      answer.remarks.push_back({Severity::warning, "implausible_volume",
                                std::to_string(std::lround(all)) + " ml are more than a brain has: skull or scalp was taken for it"});
    answer.artifacts.push_back({"volumes", std::move(volumes)});
  }

  const nn::ModelStore& models_;
  std::string output_;
  Card card_;
};

}  // namespace

MethodPtr make_segmentation_mr_brain_mask(const nn::ModelStore& models);
MethodPtr make_segmentation_mr_brain_mask(const nn::ModelStore& models) {
  return std::make_unique<MrBrain>(models, "segmentation/mr.brain_mask", "mask");
}

MethodPtr make_segmentation_mr_brain_tissue(const nn::ModelStore& models);
MethodPtr make_segmentation_mr_brain_tissue(const nn::ModelStore& models) {
  return std::make_unique<MrBrain>(models, "segmentation/mr.brain_tissue", "tissue");
}

MethodPtr make_segmentation_mr_brain_structures(const nn::ModelStore& models);
MethodPtr make_segmentation_mr_brain_structures(const nn::ModelStore& models) {
  return std::make_unique<MrBrain>(models, "segmentation/mr.brain_structures", "structures");
}

}  // namespace penta
