#pragma once

#include <span>

namespace penta::evaluate {

// Of values of equal length; NaN for none. A NaN that both have at one place is no difference.
[[nodiscard]] double max_abs(std::span<const float> a, std::span<const float> b) noexcept;
[[nodiscard]] double mean_abs(std::span<const float> a, std::span<const float> b) noexcept;
/// Mean of a - b.
[[nodiscard]] double bias(std::span<const float> a, std::span<const float> b) noexcept;
[[nodiscard]] double rmse(std::span<const float> a, std::span<const float> b) noexcept;
/// rmse over the root mean square of b.
[[nodiscard]] double nrmse(std::span<const float> a, std::span<const float> b) noexcept;
/// 20 log10((max - min of b) / rmse) in dB; infinite for equal values.
[[nodiscard]] double psnr(std::span<const float> a, std::span<const float> b) noexcept;

}  // namespace penta::evaluate
