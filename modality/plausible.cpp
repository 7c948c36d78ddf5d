#include "modality/plausible.h"

#include <algorithm>

namespace penta {

namespace {

constexpr std::array<PlausibleRange, 14> rows{{
    {"patient weight", 0.3, 400, "kg", "from preterm infants to the heaviest adults"},
    {"patient height", 0.25, 2.6, "m", "from preterm infants to the tallest adults"},
    {"injected dose", 1e5, 2e10, "Bq", "0.1 MBq to 20 GBq: from paediatric PET to therapy scans"},
    {"half-life", 60, 3e7, "s", "from Rb-82 (76 s) to a year"},
    {"uptake time", -60, 6 * 86400.0, "s", "a scan begins at or after the injection; Zr-89 is imaged up to six days later"},
    {"SUVmax", 0.05, 200, "g/mL", "the urinary bladder may exceed 100"},
    {"SUVmean", 0, 150, "g/mL", "as SUVmax, over a region"},
    {"SUVpeak", 0, 180, "g/mL", "as SUVmax, over 1 mL"},
    {"MTV", 0, 10000, "mL", "at most a large part of the body"},
    {"TLG", 0, 100000, "g", "MTV times SUVmean"},
    {"body volume", 0.3, 300000, "mL", "what of the body lies in the field of view"},
    {"lung volume", 0, 10000, "mL", "total lung capacity of a tall man is about 8 L"},
    {"bone volume", 0, 10000, "mL", "the whole skeleton is about 6 L"},
    {"HU", -1100, 4100, "[hnsf'U]", "air to metal in 12 bits; more is seen with extended scales"},
}};

}  // namespace

const PlausibleRange* plausible_row(std::string_view quantity) noexcept {
  const auto it = std::find_if(rows.begin(), rows.end(), [&](const PlausibleRange& row) { return row.quantity == quantity; });
  return it == rows.end() ? nullptr : &*it;
}

std::optional<std::array<double, 2>> plausible_range(std::string_view quantity) noexcept {
  const PlausibleRange* row = plausible_row(quantity);
  return row == nullptr ? std::nullopt : std::optional(std::array<double, 2>{row->low, row->high});
}

}  // namespace penta
