#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "modality/us/screen.h"
#include "nn/bundle.h"
#include "nn/judge.h"
#include "tasks/finite.h"
#include "tasks/methods.h"
#include "tasks/slices.h"

namespace penta {

namespace {

/// Frames of a long cine that are looked at, evenly spread: neighbours hardly differ.
constexpr std::size_t frames_max = 32;

void add_once(std::vector<std::string>& list, const std::string& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

std::vector<std::string> row_of(const char* what, const us::PixelBox& box) {
  return {what, std::to_string(box.x0), std::to_string(box.y0), std::to_string(box.x1), std::to_string(box.y1)};
}

class UsView final : public Method {
 public:
  explicit UsView(const nn::ModelStore& models) : models_(models) {}
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    const auto& image = request.need<Image>("image");
    const FrameSequence& frames = image.frames();
    if (frames.empty()) throw Error(Code::bad_input, "recognising the view: the image has no frame");
    Answer answer;
    answer.artifacts.push_back({"scores", view(frames, request.control, answer)});
    drawn(frames, answer);
    return answer;
  }

 private:
  /// The fetal head plane by its own network; the rest is shared out as the organ network says, where that may be used
  /// (BUSI taught it). Means of the frames.
  [[nodiscard]] Scores view(const FrameSequence& frames, const Control& control, Answer& answer) const {
    const nn::Bundle& plane = models_.need("us.view");
    std::vector<CutSlice> pictures = pictures_of(frames, answer);
    double head = 0;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      control.report(static_cast<double>(i) / static_cast<double>(2 * pictures.size()), "us.view");
      head += nn::judge(models_, plane, pictures[i].picture.view()).probabilities[0];
    }
    head /= static_cast<double>(pictures.size());
    std::vector<std::string> labels = {plane.network.classes.front()};
    std::vector<double> p = {head};
    bool calibrated = plane.network.temperature.has_value();
    if (const nn::Bundle* organ = models_.find("us.organ")) {
      control.report(0.5, organ->id);
      for (CutSlice& slice : pictures) to_grey(slice.picture);
      calibrated = calibrated && organ->network.temperature;
      name_organs(*organ, judge_together(models_, *organ, pictures), labels, p, answer);
    }
    double named = 0;
    for (const double one : p) named += one;
    labels.emplace_back("other");
    p.push_back(std::max(0.0, 1 - named));
    return scores_of(labels, p, calibrated);
  }

  /// Adds the organs that only the organ network knows: what p[0] leaves, times their probability; 0 for strange
  /// pictures.
  static void name_organs(const nn::Bundle& organ, const nn::Judgement& judgement, std::vector<std::string>& labels,
                          std::vector<double>& p, Answer& answer) {
    const auto strange = nn::abstention(organ.network, judgement);
    if (strange && p.front() < 0.5)  // a named head needs no other organ
      answer.remarks.push_back({Severity::note, "organ_not_named", strange->why + ": only a fetal head is named"});
    for (std::size_t c = 0; c < organ.network.classes.size(); ++c) {
      const std::string& label = organ.network.classes[c];
      if (label == labels.front() || label == "other") continue;
      labels.push_back(label);
      p.push_back(strange ? 0 : (1 - p.front()) * judgement.probabilities[c]);
    }
  }

  /// Up to frames_max frames, evenly spread, of finite values.
  static std::vector<CutSlice> pictures_of(const FrameSequence& frames, Answer& answer) {
    const std::size_t count = std::min(frames.size(), frames_max);
    std::vector<CutSlice> made;
    std::int64_t replaced = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = i * frames.size() / count;
      Volume<float> picture(Grid({frames[at].width, frames[at].height, 1}, {1, 1, 1}));
      const std::vector<float> grey = frames[at].grey();
      std::copy(grey.begin(), grey.end(), picture.voxels().begin());
      replaced += replace_non_finite(picture.voxels(), "us.view");
      made.push_back({std::move(picture), 2, static_cast<std::int64_t>(at)});
    }
    say_non_finite(replaced, "of the image", "the smallest finite value is taken there", answer.remarks);
    return made;
  }

  /// Modes, and what a machine or a hand drew onto the first frame.
  static void drawn(const FrameSequence& frames, Answer& answer) {
    std::vector<std::string> labels = us::modes_of_regions(frames);
    const us::Screen screen = us::screen_of(frames.front());
    if (screen.colour_flow) add_once(labels, "colour Doppler");
    if (screen.tinted) add_once(labels, "tinted");
    if (frames.size() > 1) add_once(labels, "cine");
    if (!screen.text_lines.empty()) add_once(labels, "text");
    if (!screen.callipers.empty()) add_once(labels, "callipers");
    Table found{{"what", "first column", "first row", "last column", "last row"}, {}};
    for (const us::PixelBox& box : screen.text_lines) found.rows.push_back(row_of("text", box));
    for (const us::PixelBox& box : screen.callipers) found.rows.push_back(row_of("calliper", box));
    if (!found.rows.empty())
      answer.remarks.push_back({Severity::note, "burned_in",
                                std::to_string(screen.text_lines.size()) + " lines of text and " +
                                    std::to_string(screen.callipers.size()) + " callipers are part of the pixels"});
    Scores modes;
    for (std::string& label : labels) modes.push_back({std::move(label), std::nullopt, {}});
    answer.artifacts.push_back({"labels", std::move(modes)});
    answer.artifacts.push_back({"drawn", std::move(found)});
  }

  const nn::ModelStore& models_;
  Card card_ = built_in_card("recognition/us.view");
};

}  // namespace

MethodPtr make_recognition_us_view(const nn::ModelStore& models) { return std::make_unique<UsView>(models); }

}  // namespace penta
