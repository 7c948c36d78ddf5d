#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace penta {

/// Outside this range a number is more likely a fault of the header or the method than of the patient.
struct PlausibleRange {
  std::string_view quantity;
  double low, high;
  std::string_view unit;  ///< UCUM
  std::string_view why;
};

/// The range of a quantity such as "SUVmax" or "body volume", or nothing.
[[nodiscard]] std::optional<std::array<double, 2>> plausible_range(std::string_view quantity) noexcept;
[[nodiscard]] const PlausibleRange* plausible_row(std::string_view quantity) noexcept;

}  // namespace penta
