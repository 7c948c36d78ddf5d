#include "evaluate/difference.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace penta::evaluate {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

template <class Fold>
void fold_differences(std::span<const float> a, std::span<const float> b, const Fold& fold) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    fold(static_cast<double>(a[i]) - static_cast<double>(b[i]));
  }
}

}  // namespace

double max_abs(std::span<const float> a, std::span<const float> b) noexcept {
  if (a.empty()) return undefined;
  double most = 0;
  // A NaN on one side only must not vanish in a comparison.
  fold_differences(a, b, [&](double d) { most = std::abs(d) > most || std::isnan(d) ? std::abs(d) : most; });
  return most;
}

double mean_abs(std::span<const float> a, std::span<const float> b) noexcept {
  double sum = 0;
  fold_differences(a, b, [&](double d) { sum += std::abs(d); });
  return a.empty() ? undefined : sum / static_cast<double>(a.size());
}

double rmse(std::span<const float> a, std::span<const float> b) noexcept {
  double sum = 0;
  fold_differences(a, b, [&](double d) { sum += d * d; });
  return a.empty() ? undefined : std::sqrt(sum / static_cast<double>(a.size()));
}

double bias(std::span<const float> a, std::span<const float> b) noexcept {
  double sum = 0;
  fold_differences(a, b, [&](double d) { sum += d; });
  return a.empty() ? undefined : sum / static_cast<double>(a.size());
}

double nrmse(std::span<const float> a, std::span<const float> b) noexcept {
  double squares = 0;
  for (const float v : b) squares += static_cast<double>(v) * static_cast<double>(v);
  return b.empty() ? undefined : rmse(a, b) / std::sqrt(squares / static_cast<double>(b.size()));
}

double psnr(std::span<const float> a, std::span<const float> b) noexcept {
  if (b.empty()) return undefined;
  const auto [low, high] = std::minmax_element(b.begin(), b.end());
  return 20 * std::log10((static_cast<double>(*high) - static_cast<double>(*low)) / rmse(a, b));
}

}  // namespace penta::evaluate
