#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/results.h"
#include "evaluate/compare.h"

namespace penta::evaluate {

/// Names of the metrics of tables.
[[nodiscard]] std::span<const std::string_view> table_metrics() noexcept;

/// Metrics of answers against the truth, each with n and a 95 % interval (bootstrap by case, 2000 draws).
///
/// Classes: the reference has the columns `case` and `label`; `a` has `case` and one column of probabilities for each
/// class. auroc, ap, brier, ece and sensitivity_at_90 (specificity 0.9) of each class against the rest; macro_auroc,
/// macro_f1, balanced_accuracy, accuracy, kappa, mcc of the most probable class; ece_top of its probability.
/// Findings: the reference has `case` and x0, y0, x1, y1 (in space also z0, z1), one row a lesion; `a` the same and
/// `score`. ap50 and ap10 (IoU 0.5, 0.1), cpm, sensitivity_at_1_fp (a hit is IoU >= 0.1). Cases are all those that
/// either names; a row without numbers names a case without lesions.
/// Numbers: both have `case` and `value`: icc, ccc, bias (mean of a - reference), mean_abs.
/// Throws Error{wrong_use} for an unknown metric; Error{bad_input} that names the table, column or case: one that is
/// missing, twice there, or no number.
[[nodiscard]] std::vector<Figure> compare(const Table& a, const Table& reference, std::span<const std::string> metrics);

}  // namespace penta::evaluate
