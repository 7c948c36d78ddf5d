#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>
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

double distance(const PatientPoint& a, const PatientPoint& b) {
  return std::hypot(std::hypot(a.x - b.x, a.y - b.y), a.z - b.z);
}

// Candidates on one dense object, the best first.
using Group = std::vector<Candidate>;

constexpr double touching = 1.25, equal_share = 0.7;

// Best first; what touches the best of a group is of that group, and shapes it when its score comes near.
std::vector<Group> groups_of(std::vector<Candidate> candidates) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  std::vector<Group> groups;
  for (const Candidate& c : candidates) {
    const auto near = std::find_if(groups.begin(), groups.end(), [&](const Group& g) {
      return distance(g[0].centre, c.centre) < touching * (g[0].radius_mm + c.radius_mm);
    });
    if (near == groups.end())
      groups.push_back({c});
    else if (c.score >= equal_share * (*near)[0].score)
      near->push_back(c);
  }
  return groups;
}

// One candidate of a group: the centres' mean weighted by radius; its radius that of the members and their spread, as
// the root of the mean squares, so that spots of one place keep their size.
Candidate joined(const Group& group) {
  double weight = 0, x = 0, y = 0, z = 0;
  for (const Candidate& c : group) {
    weight += c.radius_mm;
    x += c.radius_mm * c.centre.x;
    y += c.radius_mm * c.centre.y;
    z += c.radius_mm * c.centre.z;
  }
  Candidate one{{x / weight, y / weight, z / weight}, 0, group[0].score};
  double square = 0;
  for (const Candidate& c : group) {
    const double away = distance(one.centre, c.centre);
    square += c.radius_mm * (c.radius_mm * c.radius_mm + away * away) / weight;
  }
  one.radius_mm = std::sqrt(square);
  return one;
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
    for (std::size_t k = 0; k < spots.size(); ++k) {
      if (2 * spots[k].radius_mm < params.number("smallest_mm")) continue;
      candidates.push_back(
          {spots[k].centre, spots[k].radius_mm, 1 / (1 + std::exp(-static_cast<double>(logits.values.at(k))))});
    }
    for (const Group& group : groups_of(std::move(candidates))) {
      if (group[0].score < params.number("score_min")) break;
      if (findings.size() >= static_cast<std::size_t>(params.integer("most"))) break;
      findings.push_back(finding_of(joined(group)));
    }
    return findings;
  }

  const nn::ModelStore& models_;
  Card card_ = built_in_card("detection/ct.nodule");
};

}  // namespace

MethodPtr make_detection_ct_nodule(const nn::ModelStore& models);
MethodPtr make_detection_ct_nodule(const nn::ModelStore& models) { return std::make_unique<CtNodule>(models); }

}  // namespace penta
