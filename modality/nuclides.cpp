#include "modality/nuclides.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string>

namespace penta {

namespace {

constexpr std::array<Nuclide, 16> table{{
    {"F-18", 6586, {511, 0, 0}},      {"C-11", 1222, {511, 0, 0}},       {"N-13", 597.9, {511, 0, 0}},
    {"O-15", 122.2, {511, 0, 0}},     {"Ga-68", 4063, {511, 0, 0}},      {"Cu-64", 45720, {511, 0, 0}},
    {"Zr-89", 282300, {511, 909, 0}}, {"Rb-82", 76.38, {511, 777, 0}},   {"I-124", 360800, {511, 603, 0}},
    {"Tc-99m", 21620, {140.5, 0, 0}}, {"I-123", 47600, {159, 0, 0}},     {"In-111", 242300, {171.3, 245.4, 0}},
    {"Tl-201", 262800, {71, 167.4, 0}}, {"Ga-67", 281800, {93.3, 184.6, 300.2}}, {"I-131", 693400, {364.5, 0, 0}},
    {"Lu-177", 574300, {112.9, 208.4, 0}},
}};

struct Element {
  std::string_view name, symbol;
};
constexpr std::array<Element, 15> elements{{{"fluor", "f"}, {"carbon", "c"}, {"nitrogen", "n"}, {"oxygen", "o"}, {"gallium", "ga"},
                                            {"copper", "cu"}, {"zirconium", "zr"}, {"rubidium", "rb"}, {"iod", "i"},
                                            {"technetium", "tc"}, {"indium", "in"}, {"thallium", "tl"}, {"lutetium", "lu"},
                                            {"technicium", "tc"}, {"lutecium", "lu"}}};

// Letters and digits apart and small: "^99m^Technetium" becomes mass "99m" and word "technetium".
struct Parts {
  std::string mass, letters;
};

Parts parts_of(std::string_view text) {
  Parts parts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool metastable = (c == 'm' || c == 'M') && i > 0 && std::isdigit(static_cast<unsigned char>(text[i - 1])) != 0 && parts.mass == "99";
    if ((std::isdigit(c) != 0 && parts.mass.size() < 3) || metastable)
      parts.mass.push_back(static_cast<char>(std::tolower(c)));
    else if (std::isalpha(c) != 0)
      parts.letters.push_back(static_cast<char>(std::tolower(c)));
  }
  return parts;
}

}  // namespace

std::span<const Nuclide> nuclides() noexcept { return table; }

const Nuclide* nuclide_by_half_life(double half_life_s) noexcept {
  const auto it = std::find_if(table.begin(), table.end(),
                               [&](const Nuclide& n) { return std::abs(half_life_s - n.half_life_s) <= 0.02 * n.half_life_s; });
  // Zr-89 and Ga-67 are alike; what counts 511 keV comes first in the table, as half-lives are a matter of PET headers.
  return it == table.end() ? nullptr : &*it;
}

const Nuclide* nuclide_by_text(std::string_view text) {
  const Parts parts = parts_of(text);
  if (parts.mass.empty() || parts.letters.empty()) return nullptr;
  for (const Nuclide& nuclide : table) {
    const std::size_t dash = nuclide.name.find('-');
    if (nuclide.name.substr(dash + 1) != parts.mass && !(parts.mass == "99" && nuclide.name == "Tc-99m")) continue;
    std::string symbol(nuclide.name.substr(0, dash));
    std::transform(symbol.begin(), symbol.end(), symbol.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (parts.letters == symbol || (symbol == "tc" && parts.letters == "tcm")) return &nuclide;
    for (const Element& element : elements)
      if (element.symbol == symbol && parts.letters.starts_with(element.name)) return &nuclide;
  }
  return nullptr;
}

bool energies_fit(const Nuclide& nuclide, std::span<const EnergyWindow> windows) noexcept {
  return windows.empty() || std::any_of(windows.begin(), windows.end(), [&](const EnergyWindow& window) {
           return std::any_of(nuclide.energies_kev.begin(), nuclide.energies_kev.end(),
                              [&](double e) { return e > 0 && e >= window.lower_kev && e <= window.upper_kev; });
         });
}

}  // namespace penta
