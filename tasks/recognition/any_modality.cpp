#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "nn/bundle.h"
#include "nn/judge.h"
#include "tasks/methods.h"
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
    for (CutSlice& slice : slices) to_grey(slice.picture);
    const nn::Bundle& bundle = models_.need("any.modality");
    const nn::Judgement judgement = judge_together(models_, bundle, slices);
    const auto abstained = nn::abstention(bundle.network, judgement);
    Answer answer;
    Scores scores = scores_of(bundle.network.classes, judgement.probabilities, !abstained && bundle.network.temperature);
    if (abstained) {
      answer.remarks.push_back({Severity::warning, abstained->code, abstained->why});
    } else {
      const auto* image = request.find<Image>("image");
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
