#include "tasks/raw_values.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

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

bool is_cube(const std::array<double, 3>& spacing_mm) noexcept {
  const auto [least, most] = std::minmax_element(spacing_mm.begin(), spacing_mm.end());
  return *most <= 1.1 * *least;
}

}  // namespace penta
