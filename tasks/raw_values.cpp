#include "tasks/raw_values.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace penta {

bool in_hounsfield_units(const std::vector<CutSlice>& slices) noexcept {
  std::size_t count = 0, air = 0, between = 0, tissue = 0;
  for (const CutSlice& slice : slices)
    for (const float v : slice.picture.voxels()) {
      if (!std::isfinite(v)) continue;
      ++count;
      if (v >= -1100 && v < -700) ++air;
      if (v >= -700 && v < -200) ++between;
      if (v >= -200 && v < 200) ++tissue;
    }
  return count > 0 && 50 * air >= count && 10 * tissue >= count && between < std::min(air, tissue);
}

double lung_share(const CutSlice& slice) {
  const std::int64_t width = slice.picture.grid().size()[0], height = slice.picture.grid().size()[1];
  constexpr float body_hu = -250;
  struct Extent {
    std::int64_t first = -1, last = -1;
    [[nodiscard]] bool holds(std::int64_t k) const noexcept { return first >= 0 && first <= k && k <= last; }
  };
  std::vector<Extent> columns(static_cast<std::size_t>(width)), rows(static_cast<std::size_t>(height));
  const auto extend = [](Extent& extent, std::int64_t k) {
    if (extent.first < 0) extent.first = k;
    extent.last = k;
  };
  std::int64_t body = 0, lung = 0;
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      if (slice.picture.at(x, y, 0) > body_hu) {
        ++body;
        extend(columns[static_cast<std::size_t>(x)], y);
        extend(rows[static_cast<std::size_t>(y)], x);
      }
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const float v = slice.picture.at(x, y, 0);
      if (v > -950 && v < -600 && columns[static_cast<std::size_t>(x)].holds(y) && rows[static_cast<std::size_t>(y)].holds(x)) ++lung;
    }
  return lung + body == 0 ? 0 : static_cast<double>(lung) / static_cast<double>(lung + body);
}

bool is_cube(const std::array<double, 3>& spacing_mm) noexcept {
  const auto [least, most] = std::minmax_element(spacing_mm.begin(), spacing_mm.end());
  return *most <= 1.1 * *least;
}

}  // namespace penta
