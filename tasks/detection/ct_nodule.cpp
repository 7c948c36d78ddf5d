#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "modality/ct/nodule.h"
#include "nn/bundle.h"
#include "tasks/ct_input.h"
#include "tasks/finite.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

namespace {

constexpr std::size_t most_spots = 600;

// 1 right lung, 2 left lung; any other label counts as lung.
constexpr std::uint8_t as_lung(std::uint16_t value) noexcept { return value == 2 ? 2 : any_label(value); }

std::string text_of(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 7).ptr};
}

Table table_of(const std::vector<ct::Spot>& spots) {
  Table table{{"x_mm", "y_mm", "z_mm", "radius_mm"}, {}};
  for (std::size_t k = 0; k < ct::spot_numbers; ++k) table.columns.push_back("n" + std::to_string(k));
  for (const ct::Spot& spot : spots) {
    std::vector<std::string> row{text_of(spot.centre.x), text_of(spot.centre.y), text_of(spot.centre.z),
                                 text_of(spot.radius_mm)};
    for (const float v : spot.numbers) row.push_back(text_of(static_cast<double>(v)));
    table.rows.push_back(std::move(row));
  }
  return table;
}

struct Candidate {
  PatientPoint centre;
  double radius_mm = 0, score = 0;
};

Finding finding_of(const Candidate& c) {
  Finding finding;
  finding.label = "lung nodule candidate";
  finding.code = {"SCT", "27925004", "Nodule"};
  finding.score = c.score;
  finding.centre = c.centre;
  finding.size = 2 * c.radius_mm;
  finding.box = {c.centre.x - c.radius_mm, c.centre.y - c.radius_mm, c.centre.z - c.radius_mm,
                 c.centre.x + c.radius_mm, c.centre.y + c.radius_mm, c.centre.z + c.radius_mm};
  return finding;
}

bool overlap(const Candidate& a, const Candidate& b) {
  return std::hypot(std::hypot(a.centre.x - b.centre.x, a.centre.y - b.centre.y), a.centre.z - b.centre.z) <
         std::max({a.radius_mm, b.radius_mm, 4.0});
}

class CtNodule final : public Method {
 public:
  explicit CtNodule(const nn::ModelStore& models) : models_(models) {}
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    const Image& image = request.need<Image>("image");
    need_hounsfield(image, "looking for lung nodules");
    Answer answer;
    const Volume<float> hu = made_finite(to_float(image.volume()), card_.id, answer.remarks);
    const Volume<std::uint8_t> lungs = mask_on(request.need<LabelMap>("lungs"), hu.grid(),
                                               "looking for lung nodules: the lungs are", as_lung);
    if (std::none_of(lungs.voxels().begin(), lungs.voxels().end(), [](auto v) { return v != 0; }))
      answer.remarks.push_back({Severity::note, "no_lungs", "no lung in the field of view: nothing was looked for"});
    const Vector3& mm = hu.grid().spacing_mm();
    if (std::max({mm[0], mm[1], mm[2]}) > 3.5)
      answer.remarks.push_back(
          {Severity::warning, "thick_slices", "voxels longer than 3.5 mm: nodules below 6 mm do not show"});
    request.control.report(0.1, "nodules");
    const std::vector<ct::Spot> spots = ct::dense_spots(hu, lungs, most_spots);
    request.control.report(0.8, "nodules");
    Findings findings;
    if (request.params.flag("numbers"))
      answer.artifacts.push_back({"numbers", table_of(spots)});
    else
      findings = judged(spots, request.params);
    answer.artifacts.push_back({"findings", std::move(findings)});
    return answer;
  }

 private:
  [[nodiscard]] Findings judged(const std::vector<ct::Spot>& spots, const Params& params) const {
    Findings findings;
    if (spots.empty()) return findings;
    const nn::Bundle& bundle = models_.need("ct.nodule");
    nn::Tensor input{{static_cast<std::int64_t>(spots.size()), static_cast<std::int64_t>(ct::spot_numbers)}, {}};
    for (const ct::Spot& spot : spots)
      input.values.insert(input.values.end(), spot.numbers.begin(), spot.numbers.end());
    const nn::Tensor logits = models_.network(bundle).run(input);
    std::vector<Candidate> candidates;
    for (std::size_t k = 0; k < spots.size(); ++k)
      candidates.push_back(
          {spots[k].centre, spots[k].radius_mm, 1 / (1 + std::exp(-static_cast<double>(logits.values.at(k))))});
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    std::vector<Candidate> kept;
    for (const Candidate& c : candidates) {
      if (c.score < params.number("score_min") || kept.size() >= static_cast<std::size_t>(params.integer("most")))
        break;
      if (2 * c.radius_mm < params.number("smallest_mm")) continue;
      if (std::any_of(kept.begin(), kept.end(), [&](const Candidate& k) { return overlap(c, k); })) continue;
      kept.push_back(c);
    }
    for (const Candidate& c : kept) findings.push_back(finding_of(c));
    return findings;
  }

  const nn::ModelStore& models_;
  Card card_ = built_in_card("detection/ct.nodule");
};

}  // namespace

MethodPtr make_detection_ct_nodule(const nn::ModelStore& models);
MethodPtr make_detection_ct_nodule(const nn::ModelStore& models) { return std::make_unique<CtNodule>(models); }

}  // namespace penta
