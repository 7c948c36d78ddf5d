#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace penta::engine {

/// Metrics of `a` against the reference `b`, as {"metrics": [{"metric", "label", "value", "unit"}]}.
/// Label metrics (dice, hd95 ...; evaluate/compare.h) read both as label maps; image metrics (max_abs, rmse,
/// psnr ...) as images.
/// Two .csv files are tables of answers and truth (evaluate/tables.h), with "ci95" and "n".
/// Throws Error{wrong_use} for an unknown metric, Error{bad_input} for grids that differ.
[[nodiscard]] Json compare(const std::filesystem::path& a, const std::filesystem::path& b,
                           const std::vector<std::string>& metrics);

}  // namespace penta::engine
