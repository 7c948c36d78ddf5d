#include "nn/preprocess.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "image/resample/area.h"
#include "image/resample/reorient.h"
#include "image/resample/resample.h"

namespace penta::nn {

namespace {

void clip(std::span<float> values, double low, double high) {
  for (float& v : values) v = static_cast<float>(std::clamp(static_cast<double>(v), low, high));
}

void shift_and_scale(std::span<float> values, double shift, double scale) {
  for (float& v : values) v = static_cast<float>((static_cast<double>(v) - shift) / scale);
}

void zscore(std::span<float> values) {
  double sum = 0, squares = 0;
  for (const float v : values) sum += static_cast<double>(v);
  const double mean = sum / static_cast<double>(values.size());
  for (const float v : values) squares += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
  shift_and_scale(values, mean, std::max(std::sqrt(squares / static_cast<double>(values.size())), 1e-6));
}

Grid grid_with_spacing(const Grid& grid, const Vector3& spacing_mm) {
  Size3 size{};
  for (std::size_t k = 0; k < 3; ++k)
    size[k] = std::max<std::int64_t>(
        1, std::llround(static_cast<double>(grid.size()[k]) * grid.spacing_mm()[k] / spacing_mm[k]));
  const auto first = [&](std::size_t k) { return 0.5 * spacing_mm[k] / grid.spacing_mm()[k] - 0.5; };
  return {size, spacing_mm, grid.to_patient({first(0), first(1), first(2)}), grid.direction()};
}

bool has_spacing(const Grid& grid, const Vector3& spacing_mm) {
  for (std::size_t k = 0; k < 3; ++k)
    if (std::abs(grid.spacing_mm()[k] - spacing_mm[k]) > 1e-3 * spacing_mm[k]) return false;
  return true;
}

Volume<float> resampled(Volume<float> image, const InputSpec& spec) {
  if (spec.size) return area_mean_to(std::as_const(image).view(), {(*spec.size)[0], (*spec.size)[1], 1});
  if (!spec.spacing_mm || has_spacing(image.grid(), *spec.spacing_mm)) return image;
  if (spec.resampling == Resampling::area) return area_mean(std::as_const(image).view(), *spec.spacing_mm);
  return resample_linear_held(std::as_const(image).view(), grid_with_spacing(image.grid(), *spec.spacing_mm));
}

/// As the file has it, or the content of a picture.
Volume<float> copied(VolumeView<const float> image, const InputSpec& spec) {
  std::array<std::int64_t, 4> box{0, 0, image.grid.size()[0], image.grid.size()[1]};
  if (spec.content_box) box = content_box(image, *spec.content_box);
  Volume<float> copy(image.grid.cropped({box[0], box[1], 0}, {box[2], box[3], image.grid.size()[2]}));
  for (std::int64_t z = 0; z < image.grid.size()[2]; ++z)
    for (std::int64_t y = 0; y < box[3]; ++y) std::copy_n(&image.at(box[0], box[1] + y, z), box[2], &copy.at(0, y, z));
  return copy;
}

}  // namespace

double percentile(std::span<const float> values, double percent) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<float> sorted(values.begin(), values.end());
  const double place = percent / 100.0 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(place);
  std::nth_element(sorted.begin(), sorted.begin() + below, sorted.end());
  const auto low = static_cast<double>(sorted[static_cast<std::size_t>(below)]);
  if (static_cast<std::size_t>(below) + 1 >= sorted.size()) return low;
  const auto high = static_cast<double>(*std::min_element(sorted.begin() + below + 1, sorted.end()));
  return low + (place - static_cast<double>(below)) * (high - low);
}

void normalise(std::span<float> values, const Normalise& how) {
  using Kind = Normalise::Kind;
  if (values.empty() || how.kind == Kind::none) return;
  if (how.kind == Kind::percentile_zscore || how.kind == Kind::percentile_unit) {
    const double low = percentile(values, how.lower), high = percentile(values, how.upper);
    clip(values, low, high);
    if (how.kind == Kind::percentile_zscore) return zscore(values);
    return shift_and_scale(values, low, std::max(high - low, 1e-6));
  }
  if (how.kind == Kind::zscore) return zscore(values);
  if (how.kind == Kind::unit) return shift_and_scale(values, 0, how.scale);
  if (how.kind == Kind::window) {
    clip(values, how.lower, how.upper);
    return shift_and_scale(values, how.lower, how.upper - how.lower);
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const auto from = static_cast<double>(*low), to = static_cast<double>(*high);
  shift_and_scale(values, from, std::max(to - from, 1e-6));
}

std::array<std::int64_t, 4> content_box(VolumeView<const float> picture, const ContentBox& how) {
  const std::int64_t width = picture.grid.size()[0], height = picture.grid.size()[1];
  std::vector<double> in_column(static_cast<std::size_t>(width)), in_row(static_cast<std::size_t>(height));
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      if (static_cast<double>(picture.at(x, y, 0)) > how.level) {
        in_column[static_cast<std::size_t>(x)] += 1.0 / static_cast<double>(height);
        in_row[static_cast<std::size_t>(y)] += 1.0 / static_cast<double>(width);
      }
  const auto span_of = [&](const std::vector<double>& shares) -> std::array<std::int64_t, 2> {
    const auto full = [&](double share) { return share >= how.share - 1e-12; };
    const auto first = std::find_if(shares.begin(), shares.end(), full);
    const auto last = std::find_if(shares.rbegin(), shares.rend(), full);
    if (first == shares.end()) return {0, static_cast<std::int64_t>(shares.size())};
    return {first - shares.begin(), last.base() - first};
  };
  const auto columns = span_of(in_column), rows = span_of(in_row);
  return {columns[0], rows[0], columns[1], rows[1]};
}

Volume<float> prepared(VolumeView<const float> image, const InputSpec& spec) {
  Volume<float> turned = spec.orientation.empty() ? copied(image, spec) : reoriented(image, spec.orientation);
  Volume<float> out = resampled(std::move(turned), spec);
  normalise(out.voxels(), spec.normalise);
  return out;
}

Tensor to_tensor(VolumeView<const float> image, const InputSpec& spec) {
  const Size3& size = image.grid.size();
  Size3 padded = size;
  for (std::size_t k = 0; k < static_cast<std::size_t>(spec.dims); ++k)
    padded[k] = (size[k] + spec.pad_multiple - 1) / spec.pad_multiple * spec.pad_multiple;
  Tensor tensor{spec.dims == 3 ? std::vector<std::int64_t>{1, 1, padded[2], padded[1], padded[0]}
                               : std::vector<std::int64_t>{1, 1, padded[1], padded[0]},
                std::vector<float>(static_cast<std::size_t>(padded[0] * padded[1] * padded[2]))};
  std::size_t to = 0;
  for (std::int64_t z = 0; z < padded[2]; ++z)
    for (std::int64_t y = 0; y < padded[1]; ++y)
      for (std::int64_t x = 0; x < padded[0]; ++x, ++to) {
        const bool beyond = x >= size[0] || y >= size[1] || z >= size[2];
        if (beyond && spec.padding == Padding::zero) continue;
        tensor.values[to] = image.at(std::min(x, size[0] - 1), std::min(y, size[1] - 1), std::min(z, size[2] - 1));
      }
  return tensor;
}

}  // namespace penta::nn
