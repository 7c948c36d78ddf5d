#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include "image/resample/reorient.h"
#include "modality/ct/hounsfield.h"
#include "nn/bundle.h"
#include "nn/judge.h"
#include "tasks/finite.h"
#include "tasks/heat.h"
#include "tasks/methods.h"
#include "tasks/slices.h"

namespace penta {

namespace {

constexpr ct::Window brain = ct::windows[3];
constexpr double window_lower = brain.centre_hu - brain.width_hu / 2, window_upper = brain.centre_hu + brain.width_hu / 2;
// What an axial slice of a head shows, in cm2: brain, skull, and not more than a head.
constexpr double tissue_min_cm2 = 40, bone_min_cm2 = 5, body_max_cm2 = 450, bone_above_hu = 300, body_above_hu = -300;
constexpr std::size_t neighbours = 3, frames_max = 32;
constexpr std::size_t bleed = 0;  // the network's first class

/// One slice as the network is to see it, and where it lies in the patient.
struct Slab {
  Volume<float> picture;  ///< 0..255, one pixel a unit
  Grid place;             ///< the same pixels in the patient
};

/// What a slab said.
struct Verdict {
  const Slab* slab = nullptr;
  nn::Judgement judgement;
  std::optional<nn::Abstention> abstention;
};

bool shows_a_head(VolumeView<const float> hu) {
  const Vector3& mm = hu.grid.spacing_mm();
  const double cm2 = mm[0] * mm[1] / 100;
  double tissue = 0, bone = 0, body = 0;
  for (const float value : hu.voxels) {
    const auto v = static_cast<double>(value);
    tissue += v >= window_lower && v <= window_upper ? cm2 : 0;
    bone += v > bone_above_hu ? cm2 : 0;
    body += v > body_above_hu ? cm2 : 0;
  }
  return tissue >= tissue_min_cm2 && bone >= bone_min_cm2 && body <= body_max_cm2;
}

Slab shown(Volume<float> hu) {
  Volume<float> picture(Grid({hu.grid().size()[0], hu.grid().size()[1], 1}, {1, 1, 1}));
  std::copy(hu.voxels().begin(), hu.voxels().end(), picture.voxels().begin());
  to_grey_window(picture, window_lower, window_upper);
  return {std::move(picture), hu.grid()};
}

/// Means of `count` neighbouring slices each that show a head; what is left over at the end is one with fewer.
std::vector<Slab> slabs_of(const Volume<float>& volume, std::int64_t count) {
  const Size3& size = volume.grid().size();
  const auto plane = static_cast<std::size_t>(size[0] * size[1]);
  std::vector<Slab> slabs;
  for (std::int64_t first = 0; first < size[2]; first += count) {
    const std::int64_t n = std::min(count, size[2] - first);
    const Grid& grid = volume.grid();
    const PatientPoint origin = grid.to_patient({0, 0, static_cast<double>(first) + 0.5 * static_cast<double>(n - 1)});
    Volume<float> mean(Grid({size[0], size[1], 1}, {grid.spacing_mm()[0], grid.spacing_mm()[1], grid.spacing_mm()[2] * static_cast<double>(n)},
                            origin, grid.direction()));
    const auto to = mean.voxels();
    for (std::int64_t z = first; z < first + n; ++z) {
      const float* from = volume.voxels().data() + static_cast<std::size_t>(z) * plane;
      for (std::size_t i = 0; i < plane; ++i) to[i] += from[i] / static_cast<float>(n);
    }
    if (shows_a_head(std::as_const(mean).view())) slabs.push_back(shown(std::move(mean)));
  }
  return slabs;
}

/// Slices of a tilted or uneven series, each as it is.
std::vector<Slab> slabs_of(const SliceStack& stack) {
  std::vector<Slab> slabs;
  const Vector3 &x = stack.row_axis, &y = stack.column_axis;
  const Vector3 z{x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]};
  for (const SliceStack::Slice& slice : stack.slices) {
    Volume<float> hu(Grid({stack.width, stack.height, 1}, {stack.spacing_mm[0], stack.spacing_mm[1], 1}, slice.origin_mm,
                          Matrix3{{{x[0], y[0], z[0]}, {x[1], y[1], z[1]}, {x[2], y[2], z[2]}}}));
    std::copy(slice.pixels.begin(), slice.pixels.end(), hu.voxels().begin());
    if (shows_a_head(std::as_const(hu).view())) slabs.push_back(shown(std::move(hu)));
  }
  return slabs;
}

/// The box in mm of the pixels at half the highest heat or more, and its centre.
Finding finding_of(const Verdict& verdict, double score) {
  const Volume<float> heat = heat_on(verdict.judgement, bleed, verdict.slab->picture.grid());
  const Size3& size = heat.grid().size();
  std::array<std::int64_t, 4> box{size[0], size[1], 0, 0};
  for (std::int64_t y = 0; y < size[1]; ++y)
    for (std::int64_t x = 0; x < size[0]; ++x)
      if (heat.at(x, y, 0) >= 0.5F) box = {std::min(box[0], x), std::min(box[1], y), std::max(box[2], x), std::max(box[3], y)};
  const auto at = [&](double x, double y, double z) { return verdict.slab->place.to_patient({x, y, z}); };
  const PatientPoint a = at(static_cast<double>(box[0]) - 0.5, static_cast<double>(box[1]) - 0.5, -0.5);
  const PatientPoint b = at(static_cast<double>(box[2]) + 0.5, static_cast<double>(box[3]) + 0.5, 0.5);
  Finding finding;
  finding.label = "bleed";
  finding.score = score;
  finding.centre = {(a.x + b.x) / 2, (a.y + b.y) / 2, (a.z + b.z) / 2};
  finding.box = {std::min(a.x, b.x), std::min(a.y, b.y), std::min(a.z, b.z), std::max(a.x, b.x), std::max(a.y, b.y), std::max(a.z, b.z)};
  finding.size = std::max(finding.box[3] - finding.box[0], finding.box[4] - finding.box[1]);
  return finding;
}

Measurement measurement(const char* name, double value, const char* formula) {
  Measurement m;
  m.name = name;
  m.value = value;
  m.unit = "1";
  m.formula = formula;
  return m;
}

double bleed_of(const Verdict& verdict) { return verdict.judgement.probabilities[bleed]; }

/// The first of the run of neighbours with the highest mean, and that mean. `verdicts` is not empty.
std::pair<std::size_t, double> highest_run(const std::vector<Verdict>& verdicts) {
  const std::size_t length = std::min(neighbours, verdicts.size());
  std::pair<std::size_t, double> best{0, -1};
  for (std::size_t i = 0; i + length <= verdicts.size(); ++i) {
    double mean = 0;
    for (std::size_t k = i; k < i + length; ++k) mean += bleed_of(verdicts[k]) / static_cast<double>(length);
    if (mean > best.second) best = {i, mean};
  }
  return best;
}

class CtHeadBleed final : public Method {
 public:
  explicit CtHeadBleed(const nn::ModelStore& models) : models_(models) {}
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    const Image& image = request.need<Image>("image");
    const nn::Bundle& bundle = models_.need("ct.head_bleed");
    Answer answer;
    const std::vector<Slab> slabs = seen(image, request.params.number("slab_mm"), answer.remarks);
    std::vector<Verdict> verdicts;
    std::size_t strange = 0;
    std::string why;
    for (std::size_t i = 0; i < slabs.size(); ++i) {
      request.control.report(static_cast<double>(i) / static_cast<double>(slabs.size()), card_.id);
      Verdict verdict{&slabs[i], nn::judge(models_, bundle, slabs[i].picture.view()), std::nullopt};
      verdict.abstention = nn::abstention(bundle.network, verdict.judgement);
      if (verdict.abstention && strange++ == 0) why = verdict.abstention->why;
      if (!verdict.abstention || slabs.size() == 1) verdicts.push_back(std::move(verdict));
    }
    if (2 * strange > slabs.size() || verdicts.empty()) {
      answer.remarks.push_back({Severity::warning, "out_of_distribution", card_.id + " gives no probability: " + why});
      answer.artifacts.push_back({"scores", scores_of(bundle.network.classes, std::vector<double>(bundle.network.classes.size()), false)});
      return answer;
    }
    say(bundle, slabs.size(), verdicts, answer);
    if (image.is_frames()) std::erase_if(answer.artifacts, [](const Artifact& a) { return a.role == "findings"; });
    return answer;
  }

 private:
  /// The slices that will be judged. Throws Error{bad_input} where none shows a head.
  [[nodiscard]] std::vector<Slab> seen(const Image& image, double slab_mm, std::vector<Remark>& remarks) const {
    if (image.is_frames()) return pictures(image.frames(), remarks);
    if (!image.unit.empty() && image.unit != "[hnsf'U]")
      throw Error(Code::bad_input, card_.id + ": the values are in '" + image.unit + "', and HU are needed");
    std::vector<Slab> slabs;
    if (const auto* stack = std::get_if<SliceStack>(&image.pixels)) {
      slabs = slabs_of(*stack);
    } else {
      const Volume<float> finite = made_finite(to_float(image.volume()), card_.id, remarks);
      const Volume<float> volume = reoriented(finite.view(), "LPS");
      slabs = slabs_of(volume, std::max<std::int64_t>(1, std::llround(slab_mm / volume.grid().spacing_mm()[2])));
    }
    if (slabs.empty())
      throw Error(Code::bad_input, card_.id + ": no axial slice shows a head in HU (brain, skull, and not more than a head)");
    return slabs;
  }

  [[nodiscard]] std::vector<Slab> pictures(const FrameSequence& frames, std::vector<Remark>& remarks) const {
    if (frames.empty()) throw Error(Code::bad_input, card_.id + ": the image has no frame");
    std::vector<Slab> slabs;
    const std::size_t count = std::min(frames.size(), frames_max);
    for (std::size_t i = 0; i < count; ++i) {
      Volume<float> picture = made_finite(picture_volume(frames[i * frames.size() / count]), card_.id, remarks);
      const Grid place = picture.grid();
      slabs.push_back({std::move(picture), place});
    }
    remarks.push_back({Severity::note, "taken_as_windowed", "a plain picture is taken as a slice that already shows a brain window"});
    return slabs;
  }

  void say(const nn::Bundle& bundle, std::size_t judged, const std::vector<Verdict>& verdicts, Answer& answer) const {
    const bool one = judged == 1;
    const auto [first, mean] = highest_run(verdicts);
    answer.artifacts.push_back({"scores", scores_of(bundle.network.classes, {mean, 1 - mean}, one && bundle.network.temperature)});
    const auto last = verdicts.begin() + static_cast<std::ptrdiff_t>(std::min(first + neighbours, verdicts.size()));
    const Verdict& hottest = *std::max_element(verdicts.begin() + static_cast<std::ptrdiff_t>(first), last,
                                               [](const Verdict& a, const Verdict& b) { return bleed_of(a) < bleed_of(b); });
    if (!one) {
      const auto over = std::count_if(verdicts.begin(), verdicts.end(), [](const Verdict& v) { return bleed_of(v) >= 0.5; });
      answer.artifacts.push_back(
          {"measurements",
           Measurements{measurement("bleed probability of slices", mean, "highest mean of three neighbouring slices"),
                        measurement("slices judged", static_cast<double>(verdicts.size()), "slices that show a head and are like the training set"),
                        measurement("slices of bleed", static_cast<double>(over), "slices judged with a probability of 0.5 or more")}});
      if (mean >= 0.5) answer.artifacts.push_back({"findings", Findings{finding_of(hottest, mean)}});
      std::array<char, 160> text{};
      std::snprintf(text.data(), text.size(), "%zu of %zu slices were judged; the highest mean of three neighbours is %.2f, which no series has calibrated",
                    verdicts.size(), judged, mean);
      answer.remarks.push_back({Severity::note, "rule_over_slices", text.data()});
    }
    std::vector<Artifact> heat = heat_artifacts(hottest.judgement, bleed, hottest.slab->picture);
    std::move(heat.begin(), heat.end(), std::back_inserter(answer.artifacts));
  }

  const nn::ModelStore& models_;
  Card card_ = built_in_card("classification/ct.head_bleed");
};

}  // namespace

MethodPtr make_classification_ct_head_bleed(const nn::ModelStore& models);
MethodPtr make_classification_ct_head_bleed(const nn::ModelStore& models) { return std::make_unique<CtHeadBleed>(models); }

}  // namespace penta
