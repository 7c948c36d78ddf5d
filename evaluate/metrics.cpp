#include "evaluate/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "image/morphology/morphology.h"

namespace penta::evaluate {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

struct Overlap {
  double a = 0, b = 0, both = 0;
};

Overlap overlap(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
  Overlap sum;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum.a += a[i] != 0;
    sum.b += b[i] != 0;
    sum.both += a[i] != 0 && b[i] != 0;
  }
  return sum;
}

Volume<std::uint8_t> border(VolumeView<const std::uint8_t> mask) {
  Volume<std::uint8_t> out(mask.grid);
  const Size3& n = mask.grid.size();
  // A single slice has no neighbours across it: its border is that of the plane.
  const std::size_t axes = n[2] == 1 ? 2 : 3;
  for (std::int64_t z = 0; z < n[2]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[0]; ++x) {
        if (mask.at(x, y, z) == 0) continue;
        bool edge = false;
        for (std::size_t k = 0; k < axes && !edge; ++k)
          for (const std::int64_t step : {-1, 1}) {
            std::array<std::int64_t, 3> p{x, y, z};
            p[k] += step;
            edge = edge || p[k] < 0 || p[k] >= n[k] || mask.at(p[0], p[1], p[2]) == 0;
          }
        out.at(x, y, z) = edge ? 1 : 0;
      }
  return out;
}

/// The 95th percentile (linearly interpolated) of the distances from the voxels of `from` to the nearest of `to`.
double directed_mm(const Volume<std::uint8_t>& from, const Volume<std::uint8_t>& to) {
  const Volume<float> squared = squared_distance_mm2(to.view());
  std::vector<double> distances;
  for (std::size_t i = 0; i < from.voxels().size(); ++i)
    if (from.voxels()[i] != 0) distances.push_back(std::sqrt(static_cast<double>(std::as_const(squared).voxels()[i])));
  const double place = 0.95 * static_cast<double>(distances.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(place);
  std::nth_element(distances.begin(), distances.begin() + below, distances.end());
  const double low = distances[static_cast<std::size_t>(below)];
  if (static_cast<std::size_t>(below) + 1 == distances.size()) return low;
  const double high = *std::min_element(distances.begin() + below + 1, distances.end());
  return low + (place - static_cast<double>(below)) * (high - low);
}

bool any(VolumeView<const std::uint8_t> mask) {
  return std::any_of(mask.voxels.begin(), mask.voxels.end(), [](std::uint8_t v) { return v != 0; });
}

template <class Fold>
void fold_differences(std::span<const float> a, std::span<const float> b, const Fold& fold) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    fold(std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
}

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

double figure(std::string_view metric, VolumeView<const std::uint8_t> a, VolumeView<const std::uint8_t> b) {
  if (metric == "dice") return dice(a.voxels, b.voxels);
  if (metric == "iou") return iou(a.voxels, b.voxels);
  if (metric == "hd95") return hd95_mm(a, b);
  const Overlap sum = overlap(a.voxels, b.voxels);
  return sum.b > 0 ? (sum.a - sum.b) / sum.b : undefined;
}

void check_known(std::span<const std::string> metrics, bool labels) {
  for (const std::string& name : metrics)
    if (labels ? !is_label_metric(name) : !is_image_metric(name))
      throw Error(Code::wrong_use, "the metric '" + name + "' is not one of " +
                                       (labels ? "labels: dice, iou, hd95, volume_error"
                                               : "images: max_abs, mean_abs, rmse, psnr"));
}

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

double dice(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
  const Overlap sum = overlap(a, b);
  return sum.a + sum.b > 0 ? 2 * sum.both / (sum.a + sum.b) : 1;
}

double iou(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
  const Overlap sum = overlap(a, b);
  return sum.a + sum.b > 0 ? sum.both / (sum.a + sum.b - sum.both) : 1;
}

double hd95_mm(VolumeView<const std::uint8_t> a, VolumeView<const std::uint8_t> b) {
  const bool has_a = any(a), has_b = any(b);
  if (!has_a || !has_b) return has_a == has_b ? 0 : undefined;
  const Volume<std::uint8_t> of_a = border(a), of_b = border(b);
  return std::max(directed_mm(of_a, of_b), directed_mm(of_b, of_a));
}

double max_abs(std::span<const float> a, std::span<const float> b) noexcept {
  if (a.empty()) return undefined;
  double most = 0;
  // A NaN on one side only must not vanish in a comparison.
  fold_differences(a, b, [&](double d) { most = d > most || std::isnan(d) ? d : most; });
  return most;
}

double mean_abs(std::span<const float> a, std::span<const float> b) noexcept {
  double sum = 0;
  fold_differences(a, b, [&](double d) { sum += d; });
  return a.empty() ? undefined : sum / static_cast<double>(a.size());
}

double rmse(std::span<const float> a, std::span<const float> b) noexcept {
  double sum = 0;
  fold_differences(a, b, [&](double d) { sum += d * d; });
  return a.empty() ? undefined : std::sqrt(sum / static_cast<double>(a.size()));
}

double psnr(std::span<const float> a, std::span<const float> b) noexcept {
  if (b.empty()) return undefined;
  const auto [low, high] = std::minmax_element(b.begin(), b.end());
  return 20 * std::log10((static_cast<double>(*high) - static_cast<double>(*low)) / rmse(a, b));
}

double auroc(std::span<const double> scores, std::span<const std::uint8_t> positive) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return scores[i] < scores[j]; });
  double rank_sum = 0, positives = 0;
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && scores[order[last + 1]] == scores[order[first]]) ++last;
    const double rank = (static_cast<double>(first) + static_cast<double>(last)) / 2 + 1;
    for (; first <= last; ++first)
      if (positive[order[first]] != 0) {
        rank_sum += rank;
        positives += 1;
      }
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0 || negatives == 0) return undefined;
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

bool is_label_metric(std::string_view name) noexcept {
  return name == "dice" || name == "iou" || name == "hd95" || name == "volume_error";
}

bool is_image_metric(std::string_view name) noexcept {
  return name == "max_abs" || name == "mean_abs" || name == "rmse" || name == "psnr";
}

std::vector<Figure> compare(const LabelMap& a, const LabelMap& reference, std::span<const std::string> metrics) {
  check_known(metrics, true);
  if (!a.grid().same_as(reference.grid()))
    throw Error(Code::bad_input, "comparing labels: the two lie on different grids");
  std::vector<Figure> figures;
  for (const Segment& segment : all_segments(a, reference)) {
    const Volume<std::uint8_t> mine = mask_or_empty(a, segment), theirs = mask_or_empty(reference, segment);
    for (const std::string& metric : metrics) {
      // Without millimetres a distance is one of pixels, which UCUM writes as a count.
      const char* unit = metric != "hd95" ? "1" : a.planar ? "{pixels}" : "mm";
      figures.push_back({metric, segment.name, figure(metric, mine.view(), theirs.view()), unit});
    }
  }
  return figures;
}

std::vector<Figure> compare(const Image& a, const Image& reference, std::span<const std::string> metrics) {
  check_known(metrics, false);
  if (!same_place(a, reference))
    throw Error(Code::bad_input, "comparing images: the two differ in size or place: " + a.shape_text() + " and " +
                                     reference.shape_text());
  const std::vector<float> mine = values_of(a), theirs = values_of(reference);
  if (mine.size() != theirs.size()) throw Error(Code::bad_input, "comparing images: the two differ in size");
  std::vector<Figure> figures;
  for (const std::string& metric : metrics) {
    const double value = metric == "max_abs"    ? max_abs(mine, theirs)
                         : metric == "mean_abs" ? mean_abs(mine, theirs)
                         : metric == "rmse"     ? rmse(mine, theirs)
                                                : psnr(mine, theirs);
    figures.push_back({metric, "", value, metric == "psnr" ? "dB" : reference.unit});
  }
  return figures;
}

}  // namespace penta::evaluate
