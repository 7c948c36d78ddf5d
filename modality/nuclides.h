#pragma once

#include <array>
#include <span>
#include <string_view>

#include "core/acquisition.h"

namespace penta {

/// A nuclide of nuclear medicine: its half-life and the photon energies that gamma cameras count (0 where unused).
struct Nuclide {
  std::string_view name;     ///< "F-18"
  double half_life_s;        ///< NNDC, rounded to four digits
  std::array<double, 3> energies_kev;
};

[[nodiscard]] std::span<const Nuclide> nuclides() noexcept;
/// The nuclide whose half-life is within 2 %; null where none is.
[[nodiscard]] const Nuclide* nuclide_by_half_life(double half_life_s) noexcept;
/// The nuclide that a text such as "^99m^Technetium", "Tc-99m", "FLUORINE^18^" or "18F" names; null where none.
[[nodiscard]] const Nuclide* nuclide_by_text(std::string_view text);
/// True when one of the nuclide's photons lies in one of the windows, or there is no window.
[[nodiscard]] bool energies_fit(const Nuclide& nuclide, std::span<const EnergyWindow> windows) noexcept;

}  // namespace penta
