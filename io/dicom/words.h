#pragma once

#include <cstdint>
#include <span>

namespace penta::io::dicom {

/// How 16-bit samples hold their values (PS3.5 8.1.1) and what is added to them.
struct WordFormat {
  int bits_stored = 16, high_bit = 15;
  bool is_signed = false;
  std::int64_t intercept = 0;
};

/// Turns samples into values where they lie; false (and the values are unfinished) where one does not fit int16.
[[nodiscard]] bool to_values(std::span<std::int16_t> samples, const WordFormat& format) noexcept;
/// The same one by one, in 64 bits: what to_values is tested against.
[[nodiscard]] bool to_values_plain(std::span<std::int16_t> samples, const WordFormat& format) noexcept;

}  // namespace penta::io::dicom
