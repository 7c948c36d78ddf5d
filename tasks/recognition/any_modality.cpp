#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "nn/bundle.h"
#include "nn/judge.h"
#include "tasks/methods.h"
#include "tasks/raw_values.h"
#include "tasks/slices.h"

namespace penta {

namespace {

constexpr double conflict_min = 0.9;  // of the pixels' probability

// Planar pictures of a gamma camera are SPECT's to the eye.
std::string as_class(const std::string& modality) { return modality == "NM" ? "SPECT" : modality; }

std::vector<CutSlice> slices_of(const Request& request) {
  if (const auto* image = request.find<Image>("image")) return standing_slices(*image);
  const auto* raw = request.find<RawData>("raw");
  if (raw == nullptr) throw Error(Code::bad_input, "recognising the modality: neither an image nor projections were given");
  const auto* projections = std::get_if<Projections>(&raw->value);
  if (projections == nullptr) throw Error(Code::bad_input, "recognising the modality: of raw data only projections can be looked at");
  return standing_slices(*projections);
}

/// What the values and the grid say besides the pictures (ruled() of train/any.modality/train.py): HU are CT's; where a
/// voxel is no cube, what the head gives to SPECT is PET's.
void apply_rules(const std::vector<std::string>& classes, bool in_hu, bool cube, std::vector<double>& p) {
  const auto of = [&](const char* name) -> double& {
    return p.at(static_cast<std::size_t>(std::find(classes.begin(), classes.end(), name) - classes.begin()));
  };
  if (in_hu) {
    const double rest = std::max(1 - of("CT"), 1e-12);
    for (double& v : p) v *= 0.01 / rest;
    of("CT") = 0.99;
  }
  if (cube) return;
  const double both = of("PET") + of("SPECT");
  of("PET") = 0.95 * both;
  of("SPECT") = 0.05 * both;
}

/// What the header says against what the pixels look like.
void compare(const std::string& header, const Score& top, Answer& answer) {
  if (header.empty() || top.probability.value_or(0) < conflict_min || as_class(header) == top.label) return;
  std::array<char, 32> p{};
  std::snprintf(p.data(), p.size(), "%.2f", *top.probability);
  answer.remarks.push_back({Severity::warning, "modality_conflict", "the header says " + header + ", and the pixels look like " +
                                                                        top.label + " (probability " + p.data() + ")"});
}

class AnyModality final : public Method {
 public:
  explicit AnyModality(const nn::ModelStore& models) : models_(models) {}
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    std::vector<CutSlice> slices = slices_of(request);
    const bool in_hu = in_hounsfield_units(slices);
    for (CutSlice& slice : slices) to_grey(slice.picture);
    const nn::Bundle& bundle = models_.need("any.modality");
    nn::Judgement judgement = judge_together(models_, bundle, slices);
    const auto* image = request.find<Image>("image");
    const bool cube = image == nullptr || !image->is_volume() || is_cube(grid_of(image->volume()).spacing_mm());
    apply_rules(bundle.network.classes, in_hu, cube, judgement.probabilities);
    const auto abstained = nn::abstention(bundle.network, judgement);
    Answer answer;
    if (in_hu) answer.remarks.push_back({Severity::note, "hounsfield_units", "air near -1000 and soft tissue near 0: the values are Hounsfield units"});
    Scores scores = scores_of(bundle.network.classes, judgement.probabilities, !abstained && bundle.network.temperature);
    if (abstained) {
      answer.remarks.push_back({Severity::warning, abstained->code, abstained->why});
    } else {
      const Acquisition& acquisition = image != nullptr ? image->acquisition : request.need<RawData>("raw").acquisition;
      compare(acquisition.modality, scores.front(), answer);
    }
    answer.artifacts.push_back({"scores", std::move(scores)});
    return answer;
  }

 private:
  const nn::ModelStore& models_;
  Card card_ = built_in_card("recognition/any.modality");
};

}  // namespace

MethodPtr make_recognition_any_modality(const nn::ModelStore& models) { return std::make_unique<AnyModality>(models); }

}  // namespace penta
