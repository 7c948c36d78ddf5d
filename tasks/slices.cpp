#include "tasks/slices.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <utility>

#include "core/error.h"
#include "nn/preprocess.h"

namespace penta {

namespace {

constexpr std::array<double, 3> places = {0.3, 0.5, 0.7};
constexpr std::int64_t side_min = 16;
constexpr std::size_t frames_max = 9;

float value_of(std::complex<float> v) noexcept { return std::abs(v); }
float value_of(Rgb8 v) noexcept {
  return 0.299F * static_cast<float>(v.red) + 0.587F * static_cast<float>(v.green) + 0.114F * static_cast<float>(v.blue);
}
template <class T>
float value_of(T v) noexcept { return static_cast<float>(v); }

Volume<float> blank(std::int64_t width, std::int64_t height) { return Volume<float>(Grid({width, height, 1}, {1, 1, 1})); }

Volume<float> picture_of(std::int64_t width, std::int64_t height, const float* values) {
  Volume<float> picture = blank(width, height);
  std::copy_n(values, picture.voxels().size(), picture.voxels().begin());
  return picture;
}

bool shows_something(const Volume<float>& picture) {
  const auto [low, high] = std::minmax_element(picture.voxels().begin(), picture.voxels().end());
  return std::min(picture.grid().size()[0], picture.grid().size()[1]) >= side_min && *high > *low;
}

std::vector<std::int64_t> places_of(std::int64_t n) {
  if (n == 1) return {0};
  std::vector<std::int64_t> made;
  for (const double p : places) {
    const auto k = static_cast<std::int64_t>(p * static_cast<double>(n));
    if (made.empty() || made.back() != k) made.push_back(k);
  }
  return made;
}

std::vector<CutSlice> of_volume(const AnyVolume& volume) {
  std::vector<CutSlice> made;
  for (const int axis : {2, 1, 0})
    for (const std::int64_t place : places_of(grid_of(volume).size()[static_cast<std::size_t>(axis)])) {
      CutSlice slice{cut(volume, axis, place), axis, place};
      if (shows_something(slice.picture)) made.push_back(std::move(slice));
    }
  return made;
}

/// Up to frames_max of `count`, evenly spread.
std::vector<std::size_t> spread(std::size_t count) {
  const std::size_t n = std::min(count, frames_max);
  std::vector<std::size_t> made(n);
  for (std::size_t i = 0; i < n; ++i) made[i] = i * count / n;
  return made;
}

}  // namespace

Volume<float> cut(const AnyVolume& volume, int axis, std::int64_t place) {
  const Size3& size = grid_of(volume).size();
  const std::size_t columns = axis == 0 ? 1 : 0, rows = axis == 2 ? 1 : 2;
  Volume<float> picture = blank(size[columns], size[rows]);
  std::visit(
      [&](const auto& voxels) {
        Size3 at{};
        at[static_cast<std::size_t>(axis)] = place;
        for (at[rows] = 0; at[rows] < size[rows]; ++at[rows])
          for (at[columns] = 0; at[columns] < size[columns]; ++at[columns])
            picture.at(at[columns], at[rows], 0) = value_of(voxels.at(at[0], at[1], at[2]));
      },
      volume);
  return picture;
}

Volume<float> upright(const Volume<float>& picture, const Vector3& columns, const Vector3& rows) {
  const auto axial = [](const Vector3& v) { return std::max(std::abs(v[0]), std::abs(v[1])) > std::abs(v[2]); };
  const auto sideways = [](const Vector3& v) { return std::abs(v[0]) > std::abs(v[1]); };
  if (!axial(columns) || !axial(rows) || sideways(columns) == sideways(rows)) return picture.clone();
  const bool swapped = !sideways(columns);
  const bool left = (swapped ? rows : columns)[0] > 0, back = (swapped ? columns : rows)[1] > 0;
  const Size3& size = picture.grid().size();
  const std::int64_t width = size[swapped ? 1 : 0], height = size[swapped ? 0 : 1];
  Volume<float> turned = blank(width, height);
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const std::int64_t u = left ? x : width - 1 - x, v = back ? y : height - 1 - y;
      turned.at(x, y, 0) = swapped ? picture.at(v, u, 0) : picture.at(u, v, 0);
    }
  return turned;
}

std::vector<CutSlice> standing_slices(const Image& image) {
  if (const auto* volumes = std::get_if<VolumeSequence>(&image.pixels))
    return volumes->empty() ? std::vector<CutSlice>() : of_volume((*volumes)[volumes->size() / 2]);
  std::vector<CutSlice> made;
  if (const auto* frames = std::get_if<FrameSequence>(&image.pixels)) {
    for (const std::size_t i : spread(frames->size())) {
      const Frame2d& frame = (*frames)[i];
      made.push_back({picture_of(frame.width, frame.height, frame.grey().data()), 2, static_cast<std::int64_t>(i)});
    }
    return made;
  }
  const auto& stack = std::get<SliceStack>(image.pixels);
  for (const std::size_t i : spread(stack.slices.size()))
    made.push_back({picture_of(stack.width, stack.height, stack.slices[i].pixels.data()), 2, static_cast<std::int64_t>(i)});
  return made;
}

std::vector<CutSlice> standing_slices(const Projections& projections) {
  std::vector<CutSlice> made;
  if (projections.layers.empty()) return made;
  const std::vector<float>& counts = projections.layers[projections.layers.size() / 2];
  const auto view = static_cast<std::size_t>(projections.columns * projections.rows);
  for (const std::size_t i : spread(view == 0 ? 0 : counts.size() / view))
    made.push_back({picture_of(projections.columns, projections.rows, counts.data() + i * view), 2, static_cast<std::int64_t>(i)});
  return made;
}

void to_grey(Volume<float>& picture, double lower_percent, double upper_percent) {
  std::vector<float> finite;
  finite.reserve(picture.voxels().size());
  std::copy_if(picture.voxels().begin(), picture.voxels().end(), std::back_inserter(finite), [](float v) { return std::isfinite(v); });
  if (finite.empty()) {
    std::fill(picture.voxels().begin(), picture.voxels().end(), 0.0F);
    return;
  }
  double low = nn::percentile(finite, lower_percent), high = nn::percentile(finite, upper_percent);
  if (high <= low) {
    const auto [least, most] = std::minmax_element(finite.begin(), finite.end());
    low = static_cast<double>(*least);
    high = static_cast<double>(*most);
  }
  to_grey_window(picture, low, high);
}

void to_grey_window(Volume<float>& picture, double lower, double upper) noexcept {
  const double scale = 255 / std::max(upper - lower, 1e-12);
  for (float& v : picture.voxels())
    v = std::isfinite(v) ? static_cast<float>(std::clamp((static_cast<double>(v) - lower) * scale, 0.0, 255.0)) : 0.0F;
}

nn::Judgement judge_together(const nn::ModelStore& models, const nn::Bundle& bundle, const std::vector<CutSlice>& slices) {
  if (slices.empty()) throw Error(Code::bad_input, bundle.id + ": the image has no slice of 16 x 16 pixels or more that shows anything");
  nn::Judgement mean;
  for (const CutSlice& slice : slices) {
    const nn::Judgement one = nn::judge(models, bundle, slice.picture.view());
    mean.probabilities.resize(one.probabilities.size());
    for (std::size_t c = 0; c < one.probabilities.size(); ++c)
      mean.probabilities[c] += one.probabilities[c] / static_cast<double>(slices.size());
    if (one.strangeness) mean.strangeness = mean.strangeness.value_or(0) + *one.strangeness / static_cast<double>(slices.size());
  }
  return mean;
}

Scores scores_of(const std::vector<std::string>& labels, const std::vector<double>& probabilities, bool calibrated) {
  std::vector<std::size_t> order(labels.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return probabilities[a] > probabilities[b]; });
  Scores scores;
  for (const std::size_t i : order) {
    Score score;
    score.label = labels[i];
    if (calibrated) score.probability = probabilities[i];
    scores.push_back(std::move(score));
  }
  return scores;
}

}  // namespace penta
