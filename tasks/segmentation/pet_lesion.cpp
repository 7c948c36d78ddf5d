#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "image/components/components.h"
#include "modality/pet/suv.h"
#include "modality/pet/uptake.h"
#include "tasks/finite.h"
#include "tasks/method.h"
#include "tasks/methods.h"
#include "tasks/segmentation/pet_finder.h"
#include "tasks/segmentation/pet_outline.h"

namespace penta {

namespace {

constexpr double reach_mm = 60;  // how far from its peak a region of a relative threshold may grow
constexpr double snap_mm = 10;   // how far from a click its peak is looked for

// The level, as a part of the maximum, whose surface lies on the steepest slope.
std::vector<std::int64_t> steepest_region(Finder& finder, std::int64_t peak, const Box& box) {
  std::vector<std::int64_t> best;
  double steepest = -1;
  for (int percent = 25; percent <= 70; percent += 3) {
    auto region = finder.grow(peak, finder.value(peak) * percent / 100, box);
    const double slope = finder.edge_slope(region);
    if (slope <= steepest) continue;
    steepest = slope;
    best = std::move(region);
  }
  return best;
}

// What lies above the background by a share of the contrast: the background is the median of the voxels on the surface
// of a box 12 mm beyond the region at 41 % of the maximum.
std::vector<std::int64_t> contrast_region(Finder& finder, std::int64_t peak, const Box& box, double share) {
  const std::vector<std::int64_t> first = finder.grow(peak, 0.41 * finder.value(peak), box);
  const std::vector<std::int64_t> shell = finder.shell_around(first, 12);
  std::vector<double> values;
  for (const std::int64_t at : shell)
    if (!std::isnan(finder.value(at))) values.push_back(finder.value(at));
  if (values.empty()) return first;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return finder.grow(peak, *middle + share * (finder.value(peak) - *middle), box);
}

// The hottest voxel of each component at or above the threshold, hottest first.
std::vector<std::int64_t> peaks_above(const Volume<float>& suv, double threshold) {
  Volume<std::uint8_t> hot(suv.grid());
  std::transform(suv.voxels().begin(), suv.voxels().end(), hot.voxels().begin(),
                 [&](float v) { return static_cast<std::uint8_t>(static_cast<double>(v) >= threshold); });
  const Components parts = connected_components(hot.view(), Connectivity::corners);
  std::vector<std::int64_t> peaks(parts.sizes.size(), -1);
  for (const Run& run : parts.runs)
    for (std::int64_t x = run.first_x; x <= run.last_x; ++x) {
      const std::int64_t at = suv.grid().offset(x, run.y, run.z);
      std::int64_t& peak = peaks[static_cast<std::size_t>(run.component - 1)];
      if (peak < 0 || suv.voxels()[static_cast<std::size_t>(at)] > suv.voxels()[static_cast<std::size_t>(peak)])
        peak = at;
    }
  std::stable_sort(peaks.begin(), peaks.end(), [&](std::int64_t a, std::int64_t b) {
    return suv.voxels()[static_cast<std::size_t>(a)] > suv.voxels()[static_cast<std::size_t>(b)];
  });
  return peaks;
}

std::optional<std::int64_t> voxel_at(const Grid& grid, const PatientPoint& point) {
  const IndexPoint index = grid.to_index(point);
  const std::array<double, 3> at{index.x, index.y, index.z};
  for (std::size_t k = 0; k < 3; ++k)
    if (!(at[k] > -0.5) || !(at[k] < static_cast<double>(grid.size()[k]) - 0.5)) return {};
  return grid.offset(std::llround(at[0]), std::llround(at[1]), std::llround(at[2]));
}

// The hottest voxel near each positive click, in the order of the clicks.
std::vector<std::int64_t> peaks_at(const Volume<float>& suv, std::span<const Mark> marks, const Finder& finder,
                                   std::vector<Remark>& remarks) {
  std::vector<std::int64_t> peaks;
  for (const Mark& mark : marks) {
    if (!mark.positive || mark.in_pixels || mark.points.empty()) continue;
    const auto click = voxel_at(suv.grid(), mark.points.front());
    if (!click) {
      remarks.push_back({Severity::warning, "mark_outside", "a mark lies outside the image and was left out"});
      continue;
    }
    const Box box = finder.box_around(*click, snap_mm);
    std::int64_t peak = *click;
    for (std::int64_t z = box.low[2]; z <= box.high[2]; ++z)
      for (std::int64_t y = box.low[1]; y <= box.high[1]; ++y)
        for (std::int64_t x = box.low[0]; x <= box.high[0]; ++x) {
          const std::int64_t at = suv.grid().offset(x, y, z);
          if (std::isnan(finder.value(peak)) || finder.value(at) > finder.value(peak)) peak = at;
        }
    if (std::isnan(finder.value(peak)))
      remarks.push_back(
          {Severity::warning, "mark_without_value", "no voxel near a mark holds a finite value; it was left out"});
    else
      peaks.push_back(peak);
  }
  return peaks;
}

// Whatever is not finite becomes NaN, which belongs to no lesion; it is said how much that is.
void leave_out_non_finite(Volume<float>& suv, std::vector<Remark>& remarks) {
  const std::int64_t count = count_non_finite(suv.voxels());
  if (count == static_cast<std::int64_t>(suv.voxels().size()))
    throw Error(Code::bad_input, "pet.lesion: no voxel of the image holds a finite value");
  if (count == 0) return;
  for (float& v : suv.voxels())
    if (!std::isfinite(v)) v = std::numeric_limits<float>::quiet_NaN();
  say_non_finite(count, "of the PET image", "left out of every lesion", remarks);
}

bool holds_a_negative_mark(const Lesion& lesion, const Grid& grid, std::span<const Mark> marks) {
  return std::any_of(marks.begin(), marks.end(), [&](const Mark& mark) {
    if (mark.positive || mark.in_pixels || mark.points.empty()) return false;
    const auto at = voxel_at(grid, mark.points.front());
    return at && std::binary_search(lesion.voxels.begin(), lesion.voxels.end(), *at);
  });
}

std::vector<Lesion> find_lesions(const Request& request, const Volume<float>& suv, std::vector<Remark>& remarks) {
  const std::string& method = request.params.text("method");
  const double threshold = request.params.number("threshold_suv"), part = request.params.number("percent") / 100;
  Finder finder(suv);
  const bool by_marks =
      std::any_of(request.marks.begin(), request.marks.end(), [](const Mark& m) { return m.positive; });
  const auto peaks = by_marks ? peaks_at(suv, request.marks, finder, remarks) : peaks_above(suv, threshold);
  const Size3& size = suv.grid().size();
  const Box everywhere{{0, 0, 0}, {size[0] - 1, size[1] - 1, size[2] - 1}};
  std::vector<Lesion> lesions;
  for (std::size_t i = 0; i < peaks.size(); ++i) {
    request.control.report(static_cast<double>(i) / static_cast<double>(peaks.size()), "lesions");
    if (finder.is_taken(peaks[i])) continue;
    const Box near = finder.box_around(peaks[i], reach_mm);
    Lesion lesion =
        finder.take(method == "fixed" ? finder.grow(peaks[i], std::min(threshold, finder.value(peaks[i])), everywhere)
                    : method == "percent41" ? finder.grow(peaks[i], part * finder.value(peaks[i]), near)
                    : method == "contrast"  ? contrast_region(finder, peaks[i], near, part)
                                            : steepest_region(finder, peaks[i], near));
    const double ml = static_cast<double>(lesion.voxels.size()) * suv.grid().voxel_volume_ml();
    if (ml >= request.params.number("min_volume_ml") && !holds_a_negative_mark(lesion, suv.grid(), request.marks))
      lesions.push_back(std::move(lesion));
  }
  std::stable_sort(lesions.begin(), lesions.end(), [](const Lesion& a, const Lesion& b) { return a.sum > b.sum; });
  return lesions;
}

// ---- learned: the network outlines what a mark, a crop or the search points at

double extent_mm(const Grid& grid, std::size_t axis) {
  return static_cast<double>(grid.size()[axis]) * grid.spacing_mm()[axis];
}

/// The box of voxels, in mm.
BoxMm box_of(const Finder& finder, const Grid& grid, const std::vector<std::int64_t>& voxels) {
  BoxMm box{{1e300, 1e300, 1e300}, {-1e300, -1e300, -1e300}};
  for (const std::int64_t at : voxels) {
    const auto p = finder.place(at);
    for (std::size_t k = 0; k < 3; ++k) {
      box.low[k] = std::min(box.low[k], static_cast<double>(p[k]) * grid.spacing_mm()[k]);
      box.high[k] = std::max(box.high[k], static_cast<double>(p[k] + 1) * grid.spacing_mm()[k]);
    }
  }
  return box;
}

/// Where a lesion is to be outlined; `region` (of a search only) is what a threshold makes of it.
struct Place {
  BoxMm box;
  std::vector<std::int64_t> region{};
};
// A network that was taught on large tumours spreads a small spot beyond all measure: then its region stands.
constexpr std::size_t spread_most = 8;

/// About the hottest voxel: what reaches a share of it and `floor`, at most 100 mm away.
Place place_about(Finder& finder, const Grid& grid, std::int64_t peak, double share, double floor) {
  const double level = std::max(share * finder.value(peak), std::min(floor, finder.value(peak)));
  std::vector<std::int64_t> region = finder.grow(peak, level, finder.box_around(peak, 100));
  const BoxMm box = box_of(finder, grid, region);
  return {box, std::move(region)};
}

BoxMm box_of_mark(const Grid& grid, const Mark& mark) {
  BoxMm box{{1e300, 1e300, 1e300}, {-1e300, -1e300, -1e300}};
  for (const PatientPoint& point : mark.points) {
    const IndexPoint index = grid.to_index(point);
    const std::array<double, 3> at{index.x, index.y, index.z};
    for (std::size_t k = 0; k < 3; ++k) {
      const double mm = (at[k] + 0.5) * grid.spacing_mm()[k];
      box.low[k] = std::min(box.low[k], mm);
      box.high[k] = std::max(box.high[k], mm);
    }
  }
  return box;
}

/// Places in the order in which they are outlined: of marks, of the crop, or of what the search finds beside normal
/// uptake.
std::vector<Place> places_for(const Request& request, const Volume<float>& suv, Finder& finder,
                              std::vector<Remark>& remarks) {
  const Grid& grid = suv.grid();
  std::vector<Place> places;
  for (const Mark& mark : request.marks)
    if (mark.positive && !mark.in_pixels && mark.kind == Mark::Kind::box && mark.points.size() > 1)
      places.push_back({box_of_mark(grid, mark)});
  std::vector<Mark> clicks;
  for (const Mark& mark : request.marks)
    if (mark.kind != Mark::Kind::box) clicks.push_back(mark);
  for (const std::int64_t peak : peaks_at(suv, clicks, finder, remarks))
    places.push_back({place_about(finder, grid, peak, 0.25, 0).box});
  const bool by_marks =
      std::any_of(request.marks.begin(), request.marks.end(), [](const Mark& m) { return m.positive; });
  if (by_marks) return places;
  if (request.params.is_set("crop_margin_mm")) {
    const double margin = request.params.number("crop_margin_mm");
    BoxMm box;
    for (std::size_t k = 0; k < 3; ++k) {
      if (extent_mm(grid, k) <= 2 * margin)
        throw Error(Code::bad_input, "pet.lesion: crop_margin_mm leaves nothing of the image");
      box.low[k] = margin;
      box.high[k] = extent_mm(grid, k) - margin;
    }
    return {{box}};
  }
  const pet::Uptake uptake = pet::uptake_of(suv, {request.params.number("threshold_suv"), 0.3, 5, true});
  int normal = 0;
  for (const pet::HotPart& part : uptake.parts) {
    if (!part.organ.empty()) {
      ++normal;
      continue;
    }
    const auto peak = *std::max_element(part.voxels.begin(), part.voxels.end(), [&](std::int64_t a, std::int64_t b) {
      return finder.value(a) < finder.value(b);
    });
    places.push_back(place_about(finder, grid, peak, 0.41, 2.5));
  }
  if (normal > 0)
    remarks.push_back({Severity::note, "normal_uptake",
                       std::to_string(normal) + " hot parts lie where brain, heart, kidneys, ureters or "
                                                "bladder are, and were left out (detection/pet.hot_spots names them)"});
  return places;
}

std::vector<Lesion> learned_lesions(const Request& request, const nn::ModelStore& models, const Volume<float>& suv,
                                    std::vector<Remark>& remarks) {
  Volume<float> finite = suv.clone();
  for (float& v : finite.voxels())
    if (!std::isfinite(v)) v = 0;
  Finder finder(suv);
  const std::vector<Place> places = places_for(request, finite, finder, remarks);
  std::vector<Lesion> lesions;
  for (std::size_t i = 0; i < places.size(); ++i) {
    request.control.report(static_cast<double>(i) / static_cast<double>(places.size()), "lesions");
    // What an earlier box already covers is not outlined again.
    const bool covered = std::any_of(lesions.begin(), lesions.end(), [&](const Lesion& lesion) {
      const BoxMm have = box_of(finder, suv.grid(), lesion.voxels);
      for (std::size_t k = 0; k < 3; ++k)
        if (places[i].box.low[k] < have.low[k] - 10 || places[i].box.high[k] > have.high[k] + 10) return false;
      return true;
    });
    if (covered && request.marks.empty()) continue;
    std::vector<std::int64_t> voxels = outlined(models, finite, places[i].box);
    if (!places[i].region.empty() && voxels.size() > spread_most * places[i].region.size()) voxels = places[i].region;
    std::erase_if(voxels, [&](std::int64_t at) { return finder.is_taken(at) || std::isnan(finder.value(at)); });
    Lesion lesion = finder.take(std::move(voxels));
    const double ml = static_cast<double>(lesion.voxels.size()) * suv.grid().voxel_volume_ml();
    if (ml >= request.params.number("min_volume_ml") && !lesion.voxels.empty() &&
        !holds_a_negative_mark(lesion, suv.grid(), request.marks))
      lesions.push_back(std::move(lesion));
  }
  std::stable_sort(lesions.begin(), lesions.end(), [](const Lesion& a, const Lesion& b) { return a.sum > b.sum; });
  return lesions;
}

void say_how_many(const Request& request, const Grid& grid, std::vector<Lesion>& lesions,
                  std::vector<Remark>& remarks) {
  const auto most = static_cast<std::size_t>(request.params.integer("most"));
  if (lesions.size() > most) {
    remarks.push_back({Severity::warning, "lesions_left_out",
                       std::to_string(lesions.size()) + " regions were found; the " + std::to_string(most) +
                           " with the highest TLG are kept"});
    lesions.resize(most);
  }
  if (lesions.empty())
    return remarks.push_back({Severity::note, "no_lesion", "no region reaches the threshold and the volume asked for"});
  if (!request.marks.empty() || request.params.text("method") == "learned") return;
  const AxisOrder order = axis_order(grid);
  const auto head_feet = static_cast<std::size_t>(order.index_axis[2]);
  const bool whole_body = static_cast<double>(grid.size()[head_feet]) * grid.spacing_mm()[head_feet] > 700;
  remarks.push_back(
      {Severity::warning, "physiologic_uptake",
       std::string("regions of high uptake, not sorted into disease and normal") +
           (whole_body
                ? ": brain, heart, kidneys, ureters, bladder, gut and muscle of this whole-body scan are among them"
                : "; normal organs in the field of view are among them")});
}

LabelMap labels_of(const std::vector<Lesion>& lesions, const Image& image, const Grid& grid) {
  LabelMap labels;
  labels.layers.emplace_back(grid);
  labels.acquisition = image.acquisition;
  for (const Lesion& lesion : lesions) {
    Segment segment;
    segment.value = static_cast<int>(labels.segments.size()) + 1;
    segment.name = "lesion " + std::to_string(segment.value);
    segment.type = {"SCT", "52988006", "Lesion"};
    segment.category = {"SCT", "49755003", "Morphologically Abnormal Structure"};
    for (const std::int64_t at : lesion.voxels)
      labels.layers[0].voxels()[static_cast<std::size_t>(at)] = static_cast<std::uint16_t>(segment.value);
    labels.segments.push_back(std::move(segment));
  }
  return labels;
}

class PetLesion final : public Method {
 public:
  explicit PetLesion(const nn::ModelStore& models) : models_(models) {}
  [[nodiscard]] const Card& card() const noexcept override { return card_; }

  [[nodiscard]] Answer run(const Request& request) const override {
    Answer answer;
    const Image& given = request.need<Image>("pet");
    std::optional<Image> made;
    if (!pet::is_suv(given))
      made = pet::suv_image(given, pet::SuvType::bw, request.params.flag("assume_suv"), answer.remarks);
    const Image& image = made ? *made : given;
    Volume<float> suv = to_float(image.volume());
    leave_out_non_finite(suv, answer.remarks);
    const bool learned = request.params.text("method") == "learned";
    auto lesions =
        learned ? learned_lesions(request, models_, suv, answer.remarks) : find_lesions(request, suv, answer.remarks);
    say_how_many(request, suv.grid(), lesions, answer.remarks);
    answer.artifacts.push_back({"labels", labels_of(lesions, image, suv.grid())});
    return answer;
  }

 private:
  const nn::ModelStore& models_;
  Card card_ = built_in_card("segmentation/pet.lesion");
};

}  // namespace

MethodPtr make_segmentation_pet_lesion(const nn::ModelStore& models);
MethodPtr make_segmentation_pet_lesion(const nn::ModelStore& models) { return std::make_unique<PetLesion>(models); }

}  // namespace penta
