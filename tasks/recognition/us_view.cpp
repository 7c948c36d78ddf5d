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
  /// Mean of the frames' probabilities of the one view that the network knows, and of the rest.
  [[nodiscard]] Scores view(const FrameSequence& frames, const Control& control, Answer& answer) const {
    const nn::Bundle& bundle = models_.need("us.view");
    const std::size_t count = std::min(frames.size(), frames_max);
    std::vector<double> mean(2);
    std::int64_t replaced = 0;
    for (std::size_t i = 0; i < count; ++i) {
      control.report(static_cast<double>(i) / static_cast<double>(count), "us.view");
      const Frame2d& frame = frames[i * frames.size() / count];
      Volume<float> picture(Grid({frame.width, frame.height, 1}, {1, 1, 1}));
      const std::vector<float> grey = frame.grey();
      std::copy(grey.begin(), grey.end(), picture.voxels().begin());
      replaced += replace_non_finite(picture.voxels(), "us.view");
      const nn::Judgement judgement = nn::judge(models_, bundle, picture.view());
      for (std::size_t c = 0; c < 2; ++c) mean[c] += judgement.probabilities[c] / static_cast<double>(count);
    }
    say_non_finite(replaced, "of the image", "the smallest finite value is taken there", answer.remarks);
    return scores_of({bundle.network.classes.front(), "other"}, mean, bundle.network.temperature.has_value());
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
      answer.remarks.push_back({Severity::note, "burned_in", std::to_string(screen.text_lines.size()) + " lines of text and " +
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
