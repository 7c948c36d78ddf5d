#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace penta::evaluate {

/// The value below which `percent` % lie, linearly interpolated between order statistics at percent / 100 (n - 1)
/// (type 7 of Hyndman and Fan 1996). NaN for no values.
[[nodiscard]] double percentile(std::span<const double> values, double percent);
/// Indices from the highest to the lowest score; equal ones in the order given.
[[nodiscard]] std::vector<std::size_t> by_falling(std::span<const double> scores);
/// Mean; NaN for no values.
[[nodiscard]] double mean(std::span<const double> values) noexcept;

}  // namespace penta::evaluate
