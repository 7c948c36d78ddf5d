#include "io/dicom/words.h"

#include <algorithm>
#include <limits>

namespace penta::io::dicom {

// 16-bit arithmetic throughout, which the compiler turns into 8 or more samples an instruction. Whether all fit is
// decided afterwards by the least and the greatest value.
bool to_values(std::span<std::int16_t> samples, const WordFormat& format) noexcept {
  const int shift = format.high_bit + 1 - format.bits_stored;
  const auto mask = static_cast<std::uint16_t>((1U << format.bits_stored) - 1);
  // Unsigned values are carried less 32768, so that they too are signed 16-bit numbers in the same order.
  const auto flip = static_cast<std::uint16_t>(format.is_signed ? 1U << (format.bits_stored - 1) : 0x8000U);
  const std::uint16_t minus = format.is_signed ? flip : std::uint16_t{0};
  const std::int64_t add = format.intercept + (format.is_signed ? 0 : 32768);
  const auto low_add = static_cast<std::uint16_t>(add);
  std::int16_t least = std::numeric_limits<std::int16_t>::max(), greatest = std::numeric_limits<std::int16_t>::min();
  for (std::int16_t& sample : samples) {
    const auto bits = static_cast<std::uint16_t>((static_cast<std::uint16_t>(sample) >> shift) & mask);
    const auto value = static_cast<std::int16_t>(static_cast<std::uint16_t>((bits ^ flip) - minus));
    least = std::min(least, value);
    greatest = std::max(greatest, value);
    sample = static_cast<std::int16_t>(static_cast<std::uint16_t>(static_cast<std::uint16_t>(value) + low_add));
  }
  return samples.empty() || (least + add >= std::numeric_limits<std::int16_t>::min() &&
                             greatest + add <= std::numeric_limits<std::int16_t>::max());
}

bool to_values_plain(std::span<std::int16_t> samples, const WordFormat& format) noexcept {
  for (std::int16_t& sample : samples) {
    const std::int64_t bits = static_cast<std::uint16_t>(sample) >> (format.high_bit + 1 - format.bits_stored);
    std::int64_t value = bits & ((std::int64_t{1} << format.bits_stored) - 1);
    if (format.is_signed && (value >> (format.bits_stored - 1)) != 0) value -= std::int64_t{1} << format.bits_stored;
    value += format.intercept;
    if (value != static_cast<std::int16_t>(value)) return false;
    sample = static_cast<std::int16_t>(value);
  }
  return true;
}

}  // namespace penta::io::dicom
