#pragma once

#include <cstdint>
#include <span>

namespace penta::evaluate {

/// Voxels (not 0) of two masks of equal length.
struct Overlap {
  double a = 0, b = 0, both = 0;
};
[[nodiscard]] Overlap overlap(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept;

// Two empty masks agree: 1.
/// 2 |A n B| / (|A| + |B|) (Dice 1945).
[[nodiscard]] double dice(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept;
/// |A n B| / |A u B| (Jaccard 1912).
[[nodiscard]] double iou(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept;
/// (|A| - |reference|) / |reference|; NaN for an empty reference.
[[nodiscard]] double volume_error(std::span<const std::uint8_t> a, std::span<const std::uint8_t> reference) noexcept;

}  // namespace penta::evaluate
