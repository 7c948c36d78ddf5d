#include "evaluate/overlap.h"

#include <cstddef>
#include <limits>

namespace penta::evaluate {

Overlap overlap(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
  Overlap sum;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum.a += a[i] != 0;
    sum.b += b[i] != 0;
    sum.both += a[i] != 0 && b[i] != 0;
  }
  return sum;
}

double dice(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
  const Overlap sum = overlap(a, b);
  return sum.a + sum.b > 0 ? 2 * sum.both / (sum.a + sum.b) : 1;
}

double iou(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
  const Overlap sum = overlap(a, b);
  return sum.a + sum.b > 0 ? sum.both / (sum.a + sum.b - sum.both) : 1;
}

double volume_error(std::span<const std::uint8_t> a, std::span<const std::uint8_t> reference) noexcept {
  const Overlap sum = overlap(a, reference);
  return sum.b > 0 ? (sum.a - sum.b) / sum.b : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace penta::evaluate
