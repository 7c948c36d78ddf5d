#include "evaluate/classification.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "evaluate/agreement.h"
#include "evaluate/order.h"

namespace penta::evaluate {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// x <- (1103515245 x + 12345) mod 2^31, over 2^31: the same numbers in any language.
std::vector<double> numbers(std::size_t n, std::uint64_t x) {
  std::vector<double> out;
  for (std::size_t i = 0; i < n; ++i) {
    x = (1103515245 * x + 12345) % 2147483648U;
    out.push_back(static_cast<double>(x) / 2147483648.0);
  }
  return out;
}

/// 97 cases: outcome u > 0.55, probability floor(100 (0.35 outcome + 0.6 v)) / 100 (so with ties).
struct Cases {
  Bytes positive;
  std::vector<double> probability;

  Cases() {
    const auto u = numbers(97, 1), v = numbers(97, 2);
    for (std::size_t i = 0; i < u.size(); ++i) {
      positive.push_back(u[i] > 0.55 ? 1 : 0);
      probability.push_back(std::floor(100 * (0.35 * positive[i] + 0.6 * v[i])) / 100);
    }
  }
};

// Hand-worked: 2 positives, 3 negatives, one tie: (3 + 2.5) / 6.
TEST(Classification, PublishedAurocByHand) {
  const std::vector<double> scores{0.9, 0.4, 0.4, 0.1, 0.3};
  EXPECT_DOUBLE_EQ(auroc(scores, Bytes{1, 1, 0, 0, 0}), 5.5 / 6);
  EXPECT_DOUBLE_EQ(auroc(scores, Bytes{0, 0, 0, 1, 0}), 0);
  EXPECT_TRUE(std::isnan(auroc(scores, Bytes{0, 0, 0, 0, 0})));
  EXPECT_TRUE(std::isnan(auroc({}, {})));
}

// Published: scikit-learn 1.9.1 (roc_auc_score, average_precision_score, brier_score_loss, roc_curve) and numpy's
// array_split for the bins.
TEST(Classification, PublishedScoresOfScikitLearn) {
  const Cases c;
  EXPECT_NEAR(auroc(c.probability, c.positive), 0.88008658008658, 1e-12);
  EXPECT_NEAR(average_precision(c.probability, c.positive), 0.8686908895037575, 1e-12);
  EXPECT_NEAR(brier(c.probability, c.positive), 0.1434103092783505, 1e-12);
  EXPECT_NEAR(brier_skill(c.probability, c.positive), 0.4158668398268399, 1e-12);
  EXPECT_NEAR(ece(c.probability, c.positive), 0.15505154639175256, 1e-12);
  EXPECT_NEAR(sensitivity_at(0.9, c.probability, c.positive), 0.5714285714285714, 1e-12);
}

// Published: scikit-learn 1.9.1 (balanced_accuracy_score, f1_score macro, cohen_kappa_score, matthews_corrcoef,
// roc_auc_score one against the rest).
TEST(Classification, PublishedConfusionOfScikitLearn) {
  const auto a = numbers(97, 3), b = numbers(97, 4), other = numbers(97, 5);
  auto q = numbers(4 * 97, 6);
  std::vector<int> truth, said;
  for (std::size_t i = 0; i < a.size(); ++i) {
    truth.push_back(static_cast<int>(4 * a[i]));
    said.push_back(b[i] < 0.6 ? truth[i] : static_cast<int>(4 * other[i]));
    double sum = 0.4;
    q[4 * i + static_cast<std::size_t>(truth[i])] += 0.4;
    sum = q[4 * i] + q[4 * i + 1] + q[4 * i + 2] + q[4 * i + 3];
    for (std::size_t k = 0; k < 4; ++k) q[4 * i + k] /= sum;
  }
  const Confusion confusion(truth, said, 4);
  EXPECT_NEAR(accuracy(confusion), 0.7731958762886598, 1e-12);
  EXPECT_NEAR(balanced_accuracy(confusion), 0.7702122438964545, 1e-12);
  EXPECT_NEAR(macro_f1(confusion), 0.7714768523039199, 1e-12);
  EXPECT_NEAR(kappa(confusion), 0.6940940366972477, 1e-12);
  EXPECT_NEAR(kappa(confusion, 2), 0.7612517580872011, 1e-12);
  EXPECT_NEAR(mcc(confusion), 0.6949938274796842, 1e-12);
  EXPECT_NEAR(macro_auroc(q, truth, 4), 0.8329184556412574, 1e-12);
  const std::vector<int> strange{4};
  EXPECT_THROW(Confusion(strange, strange, 4), Error);
}

// Hand-worked: four cases in two bins: |(0.1 + 0.3 - 1) / 2|, |(0.6 + 0.8 - 1) / 2|, weighted by halves.
TEST(Classification, PublishedEceByHand) {
  const std::vector<double> p{0.8, 0.1, 0.6, 0.3};
  EXPECT_NEAR(ece(p, Bytes{0, 1, 1, 0}, 2), 0.25, 1e-12);
  EXPECT_TRUE(std::isnan(ece({}, {})));
}

// Published: ICC(2,1), Lin's coefficient and the limits, each by numpy from the defining sums of squares.
TEST(Agreement, PublishedByNumpy) {
  auto a = numbers(20, 7), b = numbers(20, 8);
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] *= 10;
    b[i] += a[i] - 0.3;
  }
  EXPECT_NEAR(icc(a, b), 0.9950186714881385, 1e-12);
  EXPECT_NEAR(ccc(a, b), 0.9947578706595328, 1e-12);
  const BlandAltman limits = bland_altman(a, b);
  EXPECT_NEAR(limits.bias, -0.1637538450304418, 1e-12);
  EXPECT_NEAR(limits.deviation, 0.28724005042732753, 1e-12);
  EXPECT_NEAR(limits.upper - limits.lower, 3.92 * limits.deviation, 1e-12);
  EXPECT_TRUE(std::isnan(icc({}, {})));
}

// The interval of a mean is about +- 1.96 deviations over the root of n; clusters of equal values make it wider.
TEST(Agreement, PhantomBootstrapOfAMean) {
  std::vector<double> values;
  std::vector<int> cluster;
  for (int i = 0; i < 400; ++i) {
    values.push_back(i / 4 % 2 == 0 ? 1 : -1);
    cluster.push_back(i / 4);
  }
  const auto of = [&](std::span<const std::size_t> drawn) {
    double sum = 0;
    for (const std::size_t i : drawn) sum += values[i];
    return sum / static_cast<double>(drawn.size());
  };
  const Interval single = bootstrap(values.size(), of), clustered = bootstrap(values.size(), of, cluster);
  EXPECT_NEAR(single.upper - single.lower, 2 * 1.96 / 20, 0.02);
  EXPECT_NEAR(clustered.upper - clustered.lower, 2 * 1.96 / 10, 0.04);
  EXPECT_EQ(bootstrap(values.size(), of).lower, single.lower);
}

// Hand-worked.
TEST(Order, PublishedPercentile) {
  const std::vector<double> values{4, 1, 3, 2};
  EXPECT_DOUBLE_EQ(percentile(values, 50), 2.5);
  EXPECT_DOUBLE_EQ(percentile(values, 100), 4);
  EXPECT_TRUE(std::isnan(percentile({}, 50)));
}

}  // namespace
}  // namespace penta::evaluate
