#include "evaluate/classification.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "evaluate/order.h"

namespace penta::evaluate {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// True and false positives at each distinct score, from the highest down.
struct Step {
  double score = 0, hits = 0, alarms = 0;
};
std::vector<Step> steps(std::span<const double> scores, std::span<const std::uint8_t> positive) {
  std::vector<Step> all;
  double hits = 0, alarms = 0;
  for (const std::size_t i : by_falling(scores)) {
    (positive[i] != 0 ? hits : alarms) += 1;
    if (!all.empty() && all.back().score == scores[i]) all.back() = {scores[i], hits, alarms};
    else all.push_back({scores[i], hits, alarms});
  }
  return all;
}

double sum_of(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

/// Rows (truth), columns (said) and all of a confusion matrix.
struct Margins {
  std::vector<double> truth, said;
  double all = 0, right = 0;
};
Margins margins(const Confusion& confusion) {
  Margins m;
  m.said.resize(confusion.counts.size());
  for (std::size_t i = 0; i < confusion.counts.size(); ++i) {
    m.truth.push_back(sum_of(confusion.counts[i]));
    m.all += m.truth.back();
    m.right += confusion.counts[i][i];
    for (std::size_t j = 0; j < confusion.counts.size(); ++j) m.said[j] += confusion.counts[i][j];
  }
  return m;
}

}  // namespace

double auroc(std::span<const double> scores, std::span<const std::uint8_t> positive) {
  double area = 0, hits = 0, alarms = 0;
  for (const Step& step : steps(scores, positive)) {
    area += (step.alarms - alarms) * (step.hits + hits) / 2;
    hits = step.hits;
    alarms = step.alarms;
  }
  return hits > 0 && alarms > 0 ? area / (hits * alarms) : undefined;
}

double average_precision(std::span<const double> scores, std::span<const std::uint8_t> positive) {
  double sum = 0, hits = 0;
  for (const Step& step : steps(scores, positive)) {
    sum += (step.hits - hits) * step.hits / (step.hits + step.alarms);
    hits = step.hits;
  }
  return hits > 0 ? sum / hits : undefined;
}

double sensitivity_at(double specificity, std::span<const double> scores, std::span<const std::uint8_t> positive) {
  const std::vector<Step> all = steps(scores, positive);
  if (all.empty() || all.back().hits == 0 || all.back().alarms == 0) return undefined;
  double best = 0;
  for (const Step& step : all)
    if (1 - step.alarms / all.back().alarms >= specificity - 1e-12) best = std::max(best, step.hits / all.back().hits);
  return best;
}

double brier(std::span<const double> probabilities, std::span<const std::uint8_t> positive) {
  double sum = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const double gap = probabilities[i] - (positive[i] != 0 ? 1.0 : 0.0);
    sum += gap * gap;
  }
  return probabilities.empty() ? undefined : sum / static_cast<double>(probabilities.size());
}

double brier_skill(std::span<const double> probabilities, std::span<const std::uint8_t> positive) {
  const auto hits = std::count_if(positive.begin(), positive.end(), [](std::uint8_t v) { return v != 0; });
  const double prevalence = static_cast<double>(hits) / static_cast<double>(positive.size());
  const double reference = prevalence * (1 - prevalence);
  return reference > 0 ? 1 - brier(probabilities, positive) / reference : undefined;
}

double ece(std::span<const double> probabilities, std::span<const std::uint8_t> positive, std::size_t bins) {
  std::vector<std::size_t> order = by_falling(probabilities);
  std::reverse(order.begin(), order.end());
  double error = 0;
  for (std::size_t b = 0, first = 0; b < bins; ++b) {
    const std::size_t count = order.size() / bins + (b < order.size() % bins ? 1 : 0);
    double gap = 0;
    for (std::size_t i = first; i < first + count; ++i)
      gap += probabilities[order[i]] - (positive[order[i]] != 0 ? 1.0 : 0.0);
    error += std::abs(gap);
    first += count;
  }
  return order.empty() ? undefined : error / static_cast<double>(order.size());
}

Confusion::Confusion(std::span<const int> truth, std::span<const int> said, int classes)
    : counts(static_cast<std::size_t>(classes), std::vector<double>(static_cast<std::size_t>(classes))) {
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] < 0 || said[i] < 0 || truth[i] >= classes || said[i] >= classes)
      throw Error(Code::wrong_use, "a confusion matrix of " + std::to_string(classes) + " classes: case " +
                                       std::to_string(i) + " has another class");
    counts[static_cast<std::size_t>(truth[i])][static_cast<std::size_t>(said[i])] += 1;
  }
}

double accuracy(const Confusion& confusion) {
  const Margins m = margins(confusion);
  return m.all > 0 ? m.right / m.all : undefined;
}

double balanced_accuracy(const Confusion& confusion) {
  const Margins m = margins(confusion);
  std::vector<double> recalls;
  for (std::size_t c = 0; c < m.truth.size(); ++c)
    if (m.truth[c] > 0) recalls.push_back(confusion.counts[c][c] / m.truth[c]);
  return mean(recalls);
}

double macro_f1(const Confusion& confusion) {
  const Margins m = margins(confusion);
  std::vector<double> scores;
  for (std::size_t c = 0; c < m.truth.size(); ++c)
    if (m.truth[c] + m.said[c] > 0) scores.push_back(2 * confusion.counts[c][c] / (m.truth[c] + m.said[c]));
  return mean(scores);
}

double kappa(const Confusion& confusion, int power) {
  const Margins m = margins(confusion);
  double seen = 0, expected = 0;
  for (std::size_t i = 0; i < m.truth.size(); ++i)
    for (std::size_t j = 0; j < m.said.size(); ++j) {
      const double apart = std::abs(static_cast<double>(i) - static_cast<double>(j));
      const double weight = i == j ? 0 : std::pow(apart, power);
      seen += weight * confusion.counts[i][j];
      expected += weight * m.truth[i] * m.said[j] / m.all;
    }
  return expected > 0 ? 1 - seen / expected : undefined;
}

double mcc(const Confusion& confusion) {
  const Margins m = margins(confusion);
  double both = 0, truth = 0, said = 0;
  for (std::size_t c = 0; c < m.truth.size(); ++c) {
    both += m.truth[c] * m.said[c];
    truth += m.truth[c] * m.truth[c];
    said += m.said[c] * m.said[c];
  }
  const double scale = std::sqrt((m.all * m.all - truth) * (m.all * m.all - said));
  return scale > 0 ? (m.right * m.all - both) / scale : 0;
}

double macro_auroc(std::span<const double> probabilities, std::span<const int> truth, int classes) {
  std::vector<double> areas;
  for (int c = 0; c < classes; ++c) {
    std::vector<double> scores;
    std::vector<std::uint8_t> positive;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      scores.push_back(probabilities[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(c)]);
      positive.push_back(truth[i] == c ? 1 : 0);
    }
    areas.push_back(auroc(scores, positive));
  }
  return mean(areas);
}

}  // namespace penta::evaluate
