#include "evaluate/agreement.h"

#include <cmath>
#include <limits>
#include <map>

#include "core/random.h"
#include "evaluate/order.h"

namespace penta::evaluate {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

double squares(std::span<const double> values, double about) {
  double sum = 0;
  for (const double v : values) sum += (v - about) * (v - about);
  return sum;
}

/// The cases of each cluster; each case for itself where there are no clusters.
std::vector<std::vector<std::size_t>> groups(std::size_t cases, std::span<const int> cluster) {
  std::map<long long, std::vector<std::size_t>> by_number;
  for (std::size_t i = 0; i < cases; ++i)
    by_number[cluster.empty() ? static_cast<long long>(i) : cluster[i]].push_back(i);
  std::vector<std::vector<std::size_t>> list;
  for (auto& [number, members] : by_number) list.push_back(std::move(members));
  return list;
}

}  // namespace

double icc(std::span<const double> a, std::span<const double> b) {
  const auto n = static_cast<double>(a.size());
  if (n < 2) return undefined;
  const double mean_a = mean(a), mean_b = mean(b), all = (mean_a + mean_b) / 2;
  double cases = 0;
  for (std::size_t i = 0; i < a.size(); ++i) cases += 2 * std::pow((a[i] + b[i]) / 2 - all, 2);
  const double raters = n * (std::pow(mean_a - all, 2) + std::pow(mean_b - all, 2));
  const double rest = (squares(a, all) + squares(b, all) - cases - raters) / (n - 1);
  cases /= n - 1;
  return (cases - rest) / (cases + rest + 2 * (raters - rest) / n);
}

double ccc(std::span<const double> a, std::span<const double> b) {
  const auto n = static_cast<double>(a.size());
  if (n < 2) return undefined;
  const double mean_a = mean(a), mean_b = mean(b);
  double joint = 0;
  for (std::size_t i = 0; i < a.size(); ++i) joint += (a[i] - mean_a) * (b[i] - mean_b);
  return 2 * joint / (squares(a, mean_a) + squares(b, mean_b) + n * (mean_a - mean_b) * (mean_a - mean_b));
}

BlandAltman bland_altman(std::span<const double> a, std::span<const double> b) {
  if (a.size() < 2) return {undefined, undefined, undefined, undefined};
  std::vector<double> gaps;
  for (std::size_t i = 0; i < a.size(); ++i) gaps.push_back(a[i] - b[i]);
  const double bias = mean(gaps);
  const double deviation = std::sqrt(squares(gaps, bias) / static_cast<double>(gaps.size() - 1));
  return {bias, deviation, bias - 1.96 * deviation, bias + 1.96 * deviation};
}

Interval bootstrap(std::size_t cases, const std::function<double(std::span<const std::size_t>)>& statistic,
                   std::span<const int> cluster, std::size_t draws, std::uint64_t seed) {
  const auto members = groups(cases, cluster);
  Random random(seed);
  std::vector<double> values;
  for (std::size_t d = 0; d < draws && !members.empty(); ++d) {
    std::vector<std::size_t> drawn;
    for (std::size_t k = 0; k < members.size(); ++k) {
      const auto& group = members[static_cast<std::size_t>(random.uniform() * static_cast<double>(members.size()))];
      drawn.insert(drawn.end(), group.begin(), group.end());
    }
    if (const double value = statistic(drawn); !std::isnan(value)) values.push_back(value);
  }
  return {percentile(values, 2.5), percentile(values, 97.5)};
}

}  // namespace penta::evaluate
