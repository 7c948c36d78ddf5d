#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "modality/spect/motion.h"
#include "modality/spect/study.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

// One decimal, whatever the locale.
std::string short_number(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 1).ptr;
  return {text.data(), end};
}

void say_motion(const Projections& views, std::vector<std::string>& labels, std::vector<Remark>& remarks) {
  if (views.angle_deg.size() < 8) return;
  const std::vector<spect::Motion> motions = spect::motion_of(views);
  if (!motions.empty()) labels.emplace_back("patient motion");
  for (const spect::Motion& m : motions) {
    const double px = m.axial_px != 0 ? m.axial_px : m.lateral_px;
    const double mm = std::abs(px) * views.spacing_mm[m.axial_px != 0 ? 1 : 0];
    remarks.push_back({Severity::warning, "patient_motion",
                       (m.one_view ? "view " : "from view ") + std::to_string(m.view + 1) + " of " +
                           std::to_string(views.angle_deg.size()) + (m.one_view ? " alone" : " on") +
                           " the counts lie " + short_number(std::abs(px)) + " pixels (" + short_number(mm) +
                           " mm) further " + (m.axial_px != 0 ? "along the patient" : "to one side") +
                           " than in the views beside"});
  }
}

class SpectStudy final : public Method {
 public:
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    const auto* image = request.find<Image>("image");
    const auto* raw = request.find<RawData>("raw");
    if (image == nullptr && raw == nullptr)
      throw Error(Code::bad_input, "spect.study: neither an image nor projections were given");
    const Acquisition& acquisition = image != nullptr ? image->acquisition : raw->acquisition;
    if (!acquisition.modality.empty() && acquisition.modality != "SPECT" && acquisition.modality != "NM")
      throw Error(Code::bad_input, "spect.study reads nuclear medicine, and this is " + acquisition.modality +
                                       "; recognition/any.header reads it");
    Answer answer;
    std::vector<std::string> labels = labels_of(acquisition, image != nullptr, answer.remarks);
    if (raw != nullptr) {
      if (const auto* views = std::get_if<Projections>(&raw->value)) say_motion(*views, labels, answer.remarks);
    }
    Scores scores;
    for (std::string& label : labels) scores.push_back({std::move(label), std::nullopt, {}});
    answer.artifacts.push_back({"labels", std::move(scores)});
    return answer;
  }

 private:
  static std::vector<std::string> labels_of(const Acquisition& acquisition, bool is_image,
                                            std::vector<Remark>& remarks) {
    const auto* facts = facts_of<SpectFacts>(acquisition);
    if (facts == nullptr) {
      remarks.push_back(
          {Severity::note, "no_header", "this file has no nuclear medicine header: isotope and kind are not known"});
      return {};
    }
    spect::Study study = spect::study_of(*facts, acquisition);
    // Projections that were read as such need no word for it (Interfile has none).
    const auto missing = std::find_if(study.remarks.begin(), study.remarks.end(),
                                      [](const Remark& r) { return r.code == "kind_missing"; });
    if (!is_image && missing != study.remarks.end()) {
      study.remarks.erase(missing);
      study.labels.insert(study.labels.begin(), "tomographic projections");
    }
    remarks = std::move(study.remarks);
    return std::move(study.labels);
  }

  Card card_ = built_in_card("recognition/spect.study");
};

}  // namespace

MethodPtr make_recognition_spect_study();
MethodPtr make_recognition_spect_study() { return std::make_unique<SpectStudy>(); }

}  // namespace penta
