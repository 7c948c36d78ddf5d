#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penta::evaluate {

// Of scores or probabilities and outcomes (not 0: positive) of equal length. NaN where a metric is not defined.
/// Area under the ROC curve: the chance that a positive scores above a negative, ties by halves (Mann-Whitney).
[[nodiscard]] double auroc(std::span<const double> scores, std::span<const std::uint8_t> positive);
/// Sum of the precisions at each distinct score, weighted by the rise of recall (no interpolation).
[[nodiscard]] double average_precision(std::span<const double> scores, std::span<const std::uint8_t> positive);
/// The highest sensitivity of the thresholds at which at least `specificity` of the negatives score below.
[[nodiscard]] double sensitivity_at(double specificity, std::span<const double> scores,
                                    std::span<const std::uint8_t> positive);
/// Mean of (p - outcome)^2 (Brier 1950, one class).
[[nodiscard]] double brier(std::span<const double> probabilities, std::span<const std::uint8_t> positive);
/// 1 - Brier / Brier of always saying the prevalence.
[[nodiscard]] double brier_skill(std::span<const double> probabilities, std::span<const std::uint8_t> positive);
/// Expected calibration error: mean over `bins` bins of equal mass (sorted by probability; sizes differ by at most
/// one, the larger ones first), weighted by size, of |mean probability - share of positives|. For several classes
/// hand in the probability of the class that was said, and whether it was right (Guo et al. 2017).
[[nodiscard]] double ece(std::span<const double> probabilities, std::span<const std::uint8_t> positive,
                         std::size_t bins = 15);

/// counts[truth][said]
struct Confusion {
  std::vector<std::vector<double>> counts;

  /// Throws Error{wrong_use} for a class outside 0 .. classes - 1.
  Confusion(std::span<const int> truth, std::span<const int> said, int classes);
};
[[nodiscard]] double accuracy(const Confusion& confusion);
/// Mean of the recalls of the classes that occur.
[[nodiscard]] double balanced_accuracy(const Confusion& confusion);
/// Mean over the classes that occur, or were said, of 2 TP / (2 TP + FP + FN).
[[nodiscard]] double macro_f1(const Confusion& confusion);
/// Cohen's kappa, with weights |i - j|^power (power 0: all errors alike; 2: quadratic).
[[nodiscard]] double kappa(const Confusion& confusion, int power = 0);
/// Matthews correlation of several classes (Gorodkin 2004); 0 where a side has one class only.
[[nodiscard]] double mcc(const Confusion& confusion);
/// Mean over the classes of the AUROC of one against the rest. `probabilities` are n rows of `classes`.
[[nodiscard]] double macro_auroc(std::span<const double> probabilities, std::span<const int> truth, int classes);

}  // namespace penta::evaluate
