#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "modality/contrast.h"
#include "modality/mr/sequence.h"
#include "nn/bundle.h"
#include "nn/judge.h"
#include "tasks/methods.h"
#include "tasks/slices.h"

namespace penta {

namespace {

constexpr double conflict_min = 0.9;  // of the pixels' probability: below it the header alone counts
constexpr double said_min = 0.6;      // without a header: below it no sequence is said

/// The sequence of the header, or an empty one where there is none.
mr::Sequence header_sequence(const Acquisition& acquisition) {
  const auto* facts = facts_of<MrFacts>(acquisition);
  return facts == nullptr ? mr::Sequence{} : mr::classify(*facts, acquisition.image_type);
}

bool knows(const std::vector<std::string>& classes, const std::string& name) {
  return std::find(classes.begin(), classes.end(), name) != classes.end();
}

/// What the pixels say against a header that is decisive.
void compare(const mr::Sequence& header, const Score& top, Answer& answer) {
  if (!top.probability || *top.probability < conflict_min || top.label == header.name) return;
  std::array<char, 32> p{};
  std::snprintf(p.data(), p.size(), "%.2f", *top.probability);
  answer.remarks.push_back({Severity::warning, "sequence_conflict", "the header says " + header.name + ", " + header.why +
                                                                        ", and the pixels look like " + top.label + " (probability " +
                                                                        p.data() + ")"});
}

class MrSequence final : public Method {
 public:
  explicit MrSequence(const nn::ModelStore& models) : models_(models) {}
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    const auto& image = request.need<Image>("image");
    const nn::Bundle& bundle = models_.need("mr.sequence");
    const mr::Sequence header = header_sequence(image.acquisition);
    Answer answer;
    std::vector<CutSlice> slices = standing_slices(image);
    Scores scores;
    std::string name = header.name;
    if (!header.name.empty()) answer.remarks.push_back({Severity::note, "sequence_rule", header.name + ": " + header.why});
    if (!slices.empty()) scores = of_pixels(slices, bundle, header, answer);
    if (name.empty() && !scores.empty() && scores.front().probability.value_or(0) >= said_min) name = scores.front().label;
    if (!scores.empty()) answer.artifacts.push_back({"scores", std::move(scores)});
    answer.artifacts.push_back({"labels", labels(image, name)});
    return answer;
  }

 private:
  [[nodiscard]] Scores of_pixels(std::vector<CutSlice>& slices, const nn::Bundle& bundle, const mr::Sequence& header, Answer& answer) const {
    for (CutSlice& slice : slices) to_grey(slice.picture);
    const nn::Judgement judgement = judge_together(models_, bundle, slices);
    const auto abstained = nn::abstention(bundle.network, judgement);
    // Of a sequence that the pixels do not know, their probabilities would say something false.
    if (!header.name.empty() && (abstained || !knows(bundle.network.classes, header.name))) return {};
    Scores scores = scores_of(bundle.network.classes, judgement.probabilities, !abstained && bundle.network.temperature);
    if (abstained) answer.remarks.push_back({Severity::warning, abstained->code, abstained->why});
    if (!header.name.empty()) compare(header, scores.front(), answer);
    return scores;
  }

  static Scores labels(const Image& image, const std::string& sequence) {
    Scores made;
    const auto say = [&](std::string label) {
      if (!label.empty()) made.push_back({std::move(label), std::nullopt, {}});
    };
    say(sequence);
    if (image.is_volume()) say(mr::plane_of(grid_of(image.volume())));
    if (const auto* facts = facts_of<MrFacts>(image.acquisition); facts != nullptr && contrast_given(facts->contrast_agent))
      say("contrast agent");
    return made;
  }

  const nn::ModelStore& models_;
  Card card_ = built_in_card("recognition/mr.sequence");
};

}  // namespace

MethodPtr make_recognition_mr_sequence(const nn::ModelStore& models) { return std::make_unique<MrSequence>(models); }

}  // namespace penta
