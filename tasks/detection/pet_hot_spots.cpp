#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "modality/pet/suv.h"
#include "modality/pet/uptake.h"
#include "tasks/finite.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

// Three digits, whatever the locale.
std::string short_number(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 3).ptr;
  return {text.data(), end};
}

/// 0 to 1: how much uptake the part holds, then how hot the spot is within it.
double score_of(const pet::HotPart& part, const pet::HotSpot& spot) {
  const double amount = part.tlg() / (part.tlg() + 30);
  return amount * (0.8 + 0.2 * std::min(1.0, spot.suv / part.suv_max));
}

Finding finding_of(const pet::HotPart& part, const pet::HotSpot& spot, const std::string& region) {
  Finding finding;
  finding.label = "hot spot";
  finding.score = score_of(part, spot);
  finding.centre = spot.at;
  finding.box = part.box_mm;
  for (std::size_t k = 0; k < 3; ++k) finding.size = std::max(finding.size, part.box_mm[k + 3] - part.box_mm[k]);
  finding.region = region;
  return finding;
}

void measure(const pet::HotPart& part, const std::string& region, Measurements& out) {
  const auto add = [&](const char* name, double value, const char* unit, const char* formula) {
    Measurement m;
    m.name = name;
    m.value = value;
    m.unit = unit;
    m.region = region;
    m.formula = formula;
    out.push_back(std::move(m));
  };
  add("SUVmax", part.suv_max, "g/mL", "largest voxel of the part");
  add("SUVmean", part.suv_mean, "g/mL", "mean over the voxels at or above the threshold");
  add("volume", part.volume_ml, "mL", "voxels at or above the threshold");
}

void say_organs(const pet::Uptake& uptake, bool listed, std::vector<Remark>& remarks) {
  std::map<std::string, int> counts;
  for (const pet::HotPart& part : uptake.parts)
    if (!part.organ.empty()) ++counts[part.organ];
  std::string text;
  for (const auto& [organ, n] : counts) text += (text.empty() ? "" : ", ") + organ + " (" + std::to_string(n) + ")";
  if (!text.empty())
    remarks.push_back({Severity::note, "normal_uptake",
                       "taken for normal by its place" + std::string(listed ? ": " : ", and left out: ") + text +
                           "; a lesion in such a place would be among them"});
}

class PetHotSpots final : public Method {
 public:
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    Answer answer;
    const Image& given = request.need<Image>("pet");
    std::optional<Image> made;
    if (!pet::is_suv(given))
      made = pet::suv_image(given, pet::SuvType::bw, request.params.flag("assume_suv"), answer.remarks);
    const Volume<float> suv = to_float((made ? *made : given).volume());
    const std::int64_t holes = count_non_finite(suv.voxels());
    if (holes == static_cast<std::int64_t>(suv.voxels().size()))
      throw Error(Code::bad_input, "pet.hot_spots: no voxel of the image holds a finite value");
    say_non_finite(holes, "of the PET image", "left out of every hot spot", answer.remarks);
    request.control.report(0.1, "hot spots");
    const pet::HotSpotRules rules{request.params.number("threshold_suv"), request.params.number("min_volume_ml"),
                                  request.params.number("sigma_mm"), true};
    list(request, pet::uptake_of(suv, rules), answer);
    return answer;
  }

 private:
  static void list(const Request& request, const pet::Uptake& uptake, Answer& answer) {
    const bool all = request.params.flag("normal_uptake");
    Findings findings;
    Measurements measurements;
    std::vector<std::string> names(uptake.parts.size());
    int parts = 0;
    for (std::size_t k = 0; k < uptake.parts.size(); ++k) {
      const pet::HotPart& part = uptake.parts[k];
      if (!part.organ.empty() && !all) continue;
      names[k] = part.organ.empty() ? "hot part " + std::to_string(++parts) : "normal: " + part.organ;
      if (part.organ.empty()) measure(part, names[k], measurements);
    }
    for (const pet::HotSpot& spot : uptake.spots) {
      if (names[spot.part].empty()) continue;
      findings.push_back(finding_of(uptake.parts[spot.part], spot, names[spot.part]));
      if (!uptake.parts[spot.part].organ.empty()) findings.back().label = "normal uptake";
    }
    std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
      return (a.label == b.label && a.score > b.score) || (a.label != b.label && a.label == "hot spot");
    });
    const auto most = static_cast<std::size_t>(request.params.integer("most"));
    if (findings.size() > most) {
      answer.remarks.push_back(
          {Severity::note, "more_hot_spots",
           std::to_string(findings.size()) + " were found; the first " + std::to_string(most) + " are listed"});
      findings.resize(most);
    }
    say_organs(uptake, all, answer.remarks);
    if (findings.empty())
      answer.remarks.push_back(
          {Severity::note, "no_hot_spot",
           "nothing but normal uptake reaches SUV " + short_number(request.params.number("threshold_suv"))});
    answer.artifacts.push_back({"findings", std::move(findings)});
    answer.artifacts.push_back({"measurements", std::move(measurements)});
  }

  Card card_ = built_in_card("detection/pet.hot_spots");
};

}  // namespace

MethodPtr make_detection_pet_hot_spots();
MethodPtr make_detection_pet_hot_spots() { return std::make_unique<PetHotSpots>(); }

}  // namespace penta
