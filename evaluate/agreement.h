#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace penta::evaluate {

// Two measurements of each case, of equal length. NaN for fewer than two cases.
/// ICC(2,1): two-way random effects, absolute agreement, single measurement (Shrout and Fleiss 1979).
[[nodiscard]] double icc(std::span<const double> a, std::span<const double> b);
/// Concordance correlation coefficient with moments over n (Lin 1989).
[[nodiscard]] double ccc(std::span<const double> a, std::span<const double> b);

/// Mean of a - b, its standard deviation (n - 1), and mean -+ 1.96 deviations (Bland and Altman 1986).
struct BlandAltman {
  double bias = 0, deviation = 0, lower = 0, upper = 0;
};
[[nodiscard]] BlandAltman bland_altman(std::span<const double> a, std::span<const double> b);

/// A 95 % interval.
struct Interval {
  double lower = 0, upper = 0;
};
/// The 2.5th and 97.5th percentile of `statistic` over `draws` resamples of `cases` indices with replacement. With
/// `cluster` (one number a case) whole clusters are drawn, as many as there are. A NaN statistic is left out.
[[nodiscard]] Interval bootstrap(std::size_t cases, const std::function<double(std::span<const std::size_t>)>& statistic,
                                 std::span<const int> cluster = {}, std::size_t draws = 2000, std::uint64_t seed = 0);

}  // namespace penta::evaluate
