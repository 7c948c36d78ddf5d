#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "nn/bundle.h"
#include "nn/judge.h"
#include "tasks/methods.h"
#include "tasks/raw_values.h"
#include "tasks/slices.h"

namespace penta {

namespace {

constexpr double step_mm = 10;          // between the slices that are looked at
constexpr std::size_t slices_max = 40;  // of a long scan; then they lie farther apart
constexpr double present_min = 0.5;     // mean probability of a run of slices that says a region is covered
// Windows in HU through which a slice is looked at: soft tissue, and all. The same as LOOKS of train/ct.region/train.py.
constexpr std::array<std::array<double, 2>, 2> windows{{{-160, 240}, {-1000, 1000}}};

// Log odds of chest by the share of lung, LUNG of train/ct.region/train.py: fitted to drawn slices.
constexpr double lung_offset = 8.82, lung_slope = 2.86, lung_floor = 0.005, lung_odds_max = 6;
// A skull: the share of the body that bone shuts in, RING of train/ct.region/train.py, and what is left to other regions.
constexpr double ring_min = 0.45, ring_others = 0.02;
constexpr float bone_hu = 250, body_hu = -250, bone_grey = 216.75F, body_grey = 24;
// Regions follow each other from head to limb: of 10 mm to the next slice one in twenty crosses a border.
constexpr double leave_per_10_mm = 0.05, jump = 0.001;

/// One axial slice that was judged.
struct Judged {
  double place_mm = 0;  ///< along the patient's axis to the head; the number of the picture where there is no volume
  nn::Judgement judgement;
};

std::vector<CutSlice> looks_of(const CutSlice& slice, bool in_hu) {
  std::vector<CutSlice> looks;
  const auto copy = [&] { return CutSlice{slice.picture.clone(), slice.axis, slice.place}; };
  if (!in_hu) {
    looks.push_back(copy());
    to_grey(looks.back().picture);
    return looks;
  }
  for (const auto& [lower, upper] : windows) {
    looks.push_back(copy());
    to_grey_window(looks.back().picture, lower, upper);
  }
  return looks;
}

void to_unit_sum(std::vector<double>& p) {
  double sum = 0;
  for (const double v : p) sum += v;
  for (double& v : p) v /= sum;
}

/// What lungs and skull say besides the network (ruled() of train/ct.region/train.py); lungs need HU.
void apply_rules(const std::vector<std::string>& classes, const CutSlice& slice, bool in_hu, bool air_and_tissue, std::vector<double>& p) {
  double ring = 0;
  if (in_hu) {
    ring = bone_ring(slice, bone_hu, body_hu);
  } else {
    CutSlice grey{slice.picture.clone(), slice.axis, slice.place};
    to_grey(grey.picture);
    ring = bone_ring(grey, bone_grey, body_grey);
  }
  const double lung = air_and_tissue ? std::clamp(lung_offset + lung_slope * std::log(lung_share(slice) + lung_floor), -lung_odds_max, lung_odds_max) : 0;
  for (std::size_t c = 0; c < p.size(); ++c) {
    if (classes[c] == "chest") p[c] *= std::exp(lung);
    if (ring >= ring_min && classes[c] != "head") p[c] *= ring_others;
  }
  to_unit_sum(p);
}

/// The axial slices of a volume, from feet to head, as they are hung.
std::vector<CutSlice> axial_slices(const AnyVolume& volume) {
  const Grid& grid = grid_of(volume);
  const AxisOrder order = axis_order(grid);
  const int axis = order.index_axis[2];
  const Vector3 columns = grid.axis(axis == 0 ? 1 : 0), rows = grid.axis(axis == 2 ? 1 : 2);
  const std::int64_t n = grid.size()[static_cast<std::size_t>(axis)];
  const double length_mm = static_cast<double>(n) * grid.spacing_mm()[static_cast<std::size_t>(axis)];
  const auto wanted = static_cast<std::int64_t>(std::clamp(length_mm / step_mm, 1.0, static_cast<double>(slices_max)));
  const std::int64_t count = std::min(n, wanted);
  std::vector<CutSlice> slices;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto k = static_cast<std::int64_t>((static_cast<double>(i) + 0.5) * static_cast<double>(n) / static_cast<double>(count));
    const std::int64_t place = order.positive[2] ? k : n - 1 - k;
    slices.push_back({upright(cut(volume, axis, place), columns, rows), axis, place});
  }
  return slices;
}

/// The slices to look at: of a volume the axial ones, else the pictures themselves, turned where the header says how they lie.
std::vector<CutSlice> slices_of(const Image& image) {
  if (image.is_volume()) return axial_slices(image.volume());
  std::vector<CutSlice> slices = standing_slices(image);
  if (const auto* stack = std::get_if<SliceStack>(&image.pixels))
    for (CutSlice& slice : slices) slice.picture = upright(slice.picture, stack->row_axis, stack->column_axis);
  return slices;
}

double place_of(const Image& image, const CutSlice& slice) {
  if (!image.is_volume()) return static_cast<double>(slice.place);
  IndexPoint at{};
  const double k = static_cast<double>(slice.place);
  (slice.axis == 0 ? at.x : slice.axis == 1 ? at.y : at.z) = k;
  return grid_of(image.volume()).to_patient(at).z;
}

/// Chances to pass from region to region over a distance, [from][to]: classes in the order head .. limb.
std::vector<std::vector<double>> passages(std::size_t classes, double distance_mm) {
  const double stay = std::pow(1 - leave_per_10_mm, distance_mm / 10);
  std::vector<std::vector<double>> chance(classes, std::vector<double>(classes, jump));
  for (std::size_t a = 0; a < classes; ++a) {
    const double neighbours = a == 0 || a + 1 == classes ? 1 : 2;
    chance[a][a] = stay;
    if (a > 0) chance[a][a - 1] = (1 - stay) / neighbours;
    if (a + 1 < classes) chance[a][a + 1] = (1 - stay) / neighbours;
    to_unit_sum(chance[a]);
  }
  return chance;
}

/// Probabilities of each slice given all slices of the scan, [slice][class]: forward and backward through the chain of
/// regions (Rabiner, Proc. IEEE 77, 1989, III.A). Pictures that are no volume each stand alone.
std::vector<std::vector<double>> along_the_body(const std::vector<Judged>& slices, bool is_volume) {
  std::vector<std::vector<double>> p;
  for (const Judged& one : slices) p.push_back(one.judgement.probabilities);
  if (!is_volume) return p;
  const std::size_t n = p.size(), classes = p.front().size();
  std::vector<std::vector<double>> before = p, after(n, std::vector<double>(classes, 1));
  for (std::size_t i = 1; i < n; ++i) {
    const auto chance = passages(classes, std::abs(slices[i].place_mm - slices[i - 1].place_mm));
    for (std::size_t to = 0; to < classes; ++to) {
      double reached = 0;
      for (std::size_t from = 0; from < classes; ++from) reached += before[i - 1][from] * chance[from][to];
      before[i][to] = reached * p[i][to];
    }
    to_unit_sum(before[i]);
  }
  for (std::size_t i = n - 1; i-- > 0;) {
    const auto chance = passages(classes, std::abs(slices[i + 1].place_mm - slices[i].place_mm));
    for (std::size_t from = 0; from < classes; ++from) {
      after[i][from] = 0;
      for (std::size_t to = 0; to < classes; ++to) after[i][from] += chance[from][to] * after[i + 1][to] * p[i + 1][to];
    }
    to_unit_sum(after[i]);
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t c = 0; c < classes; ++c) p[i][c] = before[i][c] * after[i][c];
    to_unit_sum(p[i]);
  }
  return p;
}

std::string text_of(double value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

/// From where to where each region is covered: runs of slices that it is the likeliest of.
Table places_table(const std::vector<Judged>& slices, const std::vector<std::vector<double>>& p, const std::vector<std::string>& names,
                   bool in_mm) {
  Table table{{"region", in_mm ? "from [mm]" : "from [picture]", in_mm ? "to [mm]" : "to [picture]", "slices", "probability"}, {}};
  const auto top = [&](std::size_t i) { return static_cast<std::size_t>(std::max_element(p[i].begin(), p[i].end()) - p[i].begin()); };
  for (std::size_t first = 0; first < p.size();) {
    const std::size_t region = top(first);
    std::size_t end = first;
    double sum = 0;
    while (end < p.size() && top(end) == region) sum += p[end++][region];
    const double mean = sum / static_cast<double>(end - first);
    if (mean >= present_min)
      table.rows.push_back({names[region], text_of(slices[first].place_mm, in_mm ? 1 : 0), text_of(slices[end - 1].place_mm, in_mm ? 1 : 0),
                            std::to_string(end - first), text_of(mean, 3)});
    first = end;
  }
  return table;
}

class CtRegion final : public Method {
 public:
  explicit CtRegion(const nn::ModelStore& models) : models_(models) {}
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    const auto& image = request.need<Image>("image");
    const nn::Bundle& bundle = models_.need("ct.region");
    const std::vector<Judged> slices = judged(image, bundle, request.control);
    const auto p = along_the_body(slices, image.is_volume());
    nn::Judgement highest;  // of each region over the slices: what the scan covers
    highest.probabilities.assign(bundle.network.classes.size(), 0);
    for (const auto& one : p)
      for (std::size_t c = 0; c < one.size(); ++c) highest.probabilities[c] = std::max(highest.probabilities[c], one[c]);
    for (const Judged& one : slices)
      if (one.judgement.strangeness)
        highest.strangeness = highest.strangeness.value_or(0) + *one.judgement.strangeness / static_cast<double>(slices.size());
    const auto abstained = nn::abstention(bundle.network, highest);
    Answer answer;
    if (abstained) answer.remarks.push_back({Severity::warning, abstained->code, abstained->why});
    answer.artifacts.push_back({"scores", scores_of(bundle.network.classes, highest.probabilities, !abstained && bundle.network.temperature)});
    answer.artifacts.push_back({"where", places_table(slices, p, bundle.network.classes, image.is_volume())});
    return answer;
  }

 private:
  [[nodiscard]] std::vector<Judged> judged(const Image& image, const nn::Bundle& bundle, const Control& control) const {
    const std::vector<CutSlice> slices = slices_of(image);
    if (slices.empty()) throw Error(Code::bad_input, "recognising the CT region: the image has no axial slice");
    // Hounsfield units have air below zero; what has not is a picture of grey values.
    const bool in_hu = std::any_of(slices.begin(), slices.end(), [](const CutSlice& s) {
      return std::any_of(s.picture.voxels().begin(), s.picture.voxels().end(), [](float v) { return v < -300; });
    });
    const bool air_and_tissue = in_hounsfield_units(slices);
    std::vector<Judged> made;
    for (const CutSlice& slice : slices) {
      control.report(static_cast<double>(made.size()) / static_cast<double>(slices.size()), "ct.region");
      made.push_back({place_of(image, slice), judge_together(models_, bundle, looks_of(slice, in_hu))});
      apply_rules(bundle.network.classes, slice, in_hu, air_and_tissue, made.back().judgement.probabilities);
    }
    return made;
  }

  const nn::ModelStore& models_;
  Card card_ = built_in_card("recognition/ct.region");
};

}  // namespace

MethodPtr make_recognition_ct_region(const nn::ModelStore& models) { return std::make_unique<CtRegion>(models); }

}  // namespace penta
