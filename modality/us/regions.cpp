#include "modality/us/regions.h"

#include <cmath>

namespace penta::us {

const UsRegion* region_at(const Frame2d& frame, std::int64_t x, std::int64_t y) noexcept {
  const auto area = [](const UsRegion& r) { return (r.x1 - r.x0 + 1) * (r.y1 - r.y0 + 1); };
  const UsRegion* best = nullptr;
  for (const UsRegion& r : frame.regions) {
    if (x < r.x0 || x > r.x1 || y < r.y0 || y > r.y1) continue;
    if (best == nullptr || area(r) < area(*best)) best = &r;
  }
  return best;
}

std::optional<std::array<double, 2>> spacing_mm_at(const Frame2d& frame, std::int64_t x, std::int64_t y) noexcept {
  if (frame.regions.empty()) return frame.spacing_mm;
  const UsRegion* region = region_at(frame, x, y);
  if (region == nullptr || region->unit_x != RegionUnit::centimetre || region->unit_y != RegionUnit::centimetre) return {};
  // Deltas may be negative: the axis then runs the other way (PS3.3 C.8.5.5.1.17).
  const std::array<double, 2> mm{10 * std::abs(region->delta_x), 10 * std::abs(region->delta_y)};
  if (!(mm[0] > 0) || !(mm[1] > 0) || !std::isfinite(mm[0]) || !std::isfinite(mm[1])) return {};
  return mm;
}

std::string_view kind_of(const UsRegion& region) noexcept {
  switch (region.data_type) {
    case 1: return region.spatial_format == 2 ? "M-mode" : "tissue";
    case 2: return region.spatial_format == 2 ? "colour M-mode" : "colour flow";
    case 3:
    case 4: return "spectral Doppler";
    case 0xD: return "grey bar";
    case 0xE: return "colour bar";
    case 0: return region.spatial_format == 2 ? "M-mode" : region.spatial_format == 3 ? "spectral Doppler" : "other";
    default: return region.data_type >= 5 && region.data_type <= 0x12 ? "trace" : "other";
  }
}

}  // namespace penta::us
