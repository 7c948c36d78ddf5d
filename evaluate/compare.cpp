#include "evaluate/compare.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "core/error.h"
#include "evaluate/difference.h"
#include "evaluate/overlap.h"
#include "evaluate/surface.h"

namespace penta::evaluate {

namespace {

constexpr std::array<std::string_view, 7> of_labels{"dice", "iou", "volume_error", "hd", "hd95", "assd", "nsd"};

struct ImageMetric {
  std::string_view name;
  double (*of)(std::span<const float>, std::span<const float>) noexcept;
  std::string_view unit;  ///< empty: that of the images
};
constexpr std::array<ImageMetric, 6> of_images{{{"max_abs", max_abs, ""},
                                                {"mean_abs", mean_abs, ""},
                                                {"bias", bias, ""},
                                                {"rmse", rmse, ""},
                                                {"nrmse", nrmse, "1"},
                                                {"psnr", psnr, "dB"}}};
constexpr auto image_names = [] {
  std::array<std::string_view, of_images.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = of_images[i].name;
  return names;
}();

bool holds(std::span<const std::string_view> names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_distance(std::string_view metric) noexcept { return metric == "hd" || metric == "hd95" || metric == "assd"; }

Volume<std::uint8_t> mask_of(const LabelMap& labels, const Segment& segment) {
  const auto& layer = labels.layers.at(static_cast<std::size_t>(segment.layer));
  Volume<std::uint8_t> mask(layer.grid());
  std::transform(layer.voxels().begin(), layer.voxels().end(), mask.voxels().begin(),
                 [&](std::uint16_t v) { return v == segment.value ? 1 : 0; });
  return mask;
}

/// The segments of both, one a layer and value, with the reference's name where it has one.
std::vector<Segment> all_segments(const LabelMap& a, const LabelMap& reference) {
  std::map<std::pair<int, int>, Segment> all;
  for (const Segment& s : reference.segments) all.emplace(std::pair(s.layer, s.value), s);
  for (const Segment& s : a.segments) all.emplace(std::pair(s.layer, s.value), s);
  std::vector<Segment> list;
  for (auto& [key, segment] : all) list.push_back(std::move(segment));
  return list;
}

Volume<std::uint8_t> mask_or_empty(const LabelMap& labels, const Segment& segment) {
  if (static_cast<std::size_t>(segment.layer) < labels.layers.size()) return mask_of(labels, segment);
  return Volume<std::uint8_t>(labels.grid());
}

/// The metrics of one pair of masks; distances are computed once, and only where one asks for them.
class Pair {
 public:
  Pair(Volume<std::uint8_t> a, Volume<std::uint8_t> b) : a_(std::move(a)), b_(std::move(b)) {}

  double figure(std::string_view metric) {
    if (metric == "dice") return dice(a_.view().voxels, b_.view().voxels);
    if (metric == "iou") return iou(a_.view().voxels, b_.view().voxels);
    if (metric == "volume_error") return volume_error(a_.view().voxels, b_.view().voxels);
    if (!distances_) distances_ = surface_distances(a_.view(), b_.view());
    if (metric == "hd") return hausdorff_mm(*distances_);
    if (metric == "hd95") return hd95_mm(*distances_);
    return metric == "assd" ? assd_mm(*distances_) : nsd(*distances_, 1);
  }

 private:
  Volume<std::uint8_t> a_, b_;
  std::optional<SurfaceDistances> distances_;
};

std::vector<float> values_of(const Image& image) {
  std::vector<float> all;
  const auto add = [&](const auto& values) { all.insert(all.end(), values.begin(), values.end()); };
  if (const auto* volumes = std::get_if<VolumeSequence>(&image.pixels))
    for (const AnyVolume& volume : *volumes) {
      const Volume<float> one = to_float(volume);
      add(one.voxels());
    }
  else if (const auto* frames = std::get_if<FrameSequence>(&image.pixels))
    for (const Frame2d& frame : *frames) add(frame.grey());
  else
    for (const auto& slice : std::get<SliceStack>(image.pixels).slices) add(slice.pixels);
  return all;
}

bool same_place(const Image& a, const Image& b) {
  if (a.pixels.index() != b.pixels.index()) return false;
  if (const auto* volumes = std::get_if<VolumeSequence>(&a.pixels)) {
    const auto& others = std::get<VolumeSequence>(b.pixels);
    return std::equal(volumes->begin(), volumes->end(), others.begin(), others.end(),
                      [](const AnyVolume& v, const AnyVolume& w) { return grid_of(v).same_as(grid_of(w)); });
  }
  return a.shape_text() == b.shape_text();
}

}  // namespace

void check_known(std::span<const std::string> metrics, std::span<const std::string_view> known, const char* of) {
  for (const std::string& metric : metrics) {
    if (holds(known, metric)) continue;
    std::string list;
    for (const std::string_view name : known) list += (list.empty() ? "" : ", ") + std::string(name);
    throw Error(Code::wrong_use, "the metric '" + metric + "' is not one of " + of + ": " + list);
  }
}

std::span<const std::string_view> label_metrics() noexcept { return of_labels; }
std::span<const std::string_view> image_metrics() noexcept { return image_names; }
bool is_label_metric(std::string_view name) noexcept { return holds(of_labels, name); }
bool is_image_metric(std::string_view name) noexcept { return holds(image_names, name); }

std::vector<Figure> compare(const LabelMap& a, const LabelMap& reference, std::span<const std::string> metrics) {
  check_known(metrics, of_labels, "labels");
  if (!a.grid().same_as(reference.grid()))
    throw Error(Code::bad_input, "comparing labels: the two lie on different grids");
  std::vector<Figure> figures;
  for (const Segment& segment : all_segments(a, reference)) {
    Pair pair(mask_or_empty(a, segment), mask_or_empty(reference, segment));
    for (const std::string& metric : metrics) {
      // Without millimetres a distance is one of pixels, which UCUM writes as a count.
      const char* unit = !is_distance(metric) ? "1" : a.planar ? "{pixels}" : "mm";
      figures.push_back({metric, segment.name, pair.figure(metric), unit, {}, 0});
    }
  }
  return figures;
}

std::vector<Figure> compare(const Image& a, const Image& reference, std::span<const std::string> metrics) {
  check_known(metrics, image_names, "images");
  if (!same_place(a, reference))
    throw Error(Code::bad_input, "comparing images: the two differ in size or place: " + a.shape_text() + " and " +
                                     reference.shape_text());
  const std::vector<float> mine = values_of(a), theirs = values_of(reference);
  if (mine.size() != theirs.size()) throw Error(Code::bad_input, "comparing images: the two differ in size");
  std::vector<Figure> figures;
  for (const std::string& metric : metrics) {
    const auto it = std::find_if(of_images.begin(), of_images.end(), [&](const ImageMetric& m) { return m.name == metric; });
    figures.push_back({metric, "", it->of(mine, theirs), it->unit.empty() ? reference.unit : std::string(it->unit), {}, 0});
  }
  return figures;
}

}  // namespace penta::evaluate
