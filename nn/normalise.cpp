#include "nn/normalise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

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

void change(std::span<float> values, const Normalise& how) {
  using Kind = Normalise::Kind;
  if (values.empty() || how.kind == Kind::none) return;
  if (how.kind == Kind::percentile_zscore || how.kind == Kind::percentile_unit) {
    const double low = percentile(values, how.lower), high = percentile(values, how.upper);
    clip(values, low, high);
    if (how.kind == Kind::percentile_zscore) return zscore(values);
    return shift_and_scale(values, low, std::max(high - low, 1e-6));
  }
  if (how.kind == Kind::zscore) return zscore(values);
  if (how.kind == Kind::ct) {
    clip(values, how.lower, how.upper);
    return shift_and_scale(values, how.mean, how.deviation);
  }
  if (how.kind == Kind::unit) return shift_and_scale(values, 0, how.scale);
  if (how.kind == Kind::window) {
    clip(values, how.lower, how.upper);
    return shift_and_scale(values, how.lower, how.upper - how.lower);
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const auto from = static_cast<double>(*low), to = static_cast<double>(*high);
  shift_and_scale(values, from, std::max(to - from, 1e-6));
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

void normalise(std::span<float> values, const Normalise& how, std::span<const std::uint8_t> mask) {
  if (!how.nonzero) return change(values, how);
  const auto counts = [&](std::size_t i) { return mask.empty() ? values[i] != 0.F : mask[i] != 0; };
  std::vector<float> counted;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (counts(i)) counted.push_back(values[i]);
  change(counted, how);
  std::size_t next = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (counts(i)) values[i] = counted[next++];
}

}  // namespace penta::nn
