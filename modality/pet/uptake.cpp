#include "modality/pet/uptake.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/points.h"
#include "image/components/components.h"
#include "image/smooth/gaussian.h"
#include "modality/pet/organs.h"

namespace penta::pet {

namespace {

void widen(std::array<double, 6>& box, const Grid& grid, const Run& run) {
  for (unsigned corner = 0; corner < 8; ++corner) {
    const auto face = [&](unsigned axis, std::int64_t low, std::int64_t high) {
      return (corner >> axis & 1U) != 0 ? static_cast<double>(high) + 0.5 : static_cast<double>(low) - 0.5;
    };
    const PatientPoint p =
        grid.to_patient({face(0, run.first_x, run.last_x), face(1, run.y, run.y), face(2, run.z, run.z)});
    const std::array<double, 3> at{p.x, p.y, p.z};
    for (std::size_t k = 0; k < 3; ++k) {
      box[k] = std::min(box[k], at[k]);
      box[k + 3] = std::max(box[k + 3], at[k]);
    }
  }
}

std::vector<HotPart> parts_of(const Volume<float>& suv, const HotSpotRules& rules) {
  const Grid& grid = suv.grid();
  Volume<std::uint8_t> mask(grid);
  std::transform(suv.voxels().begin(), suv.voxels().end(), mask.voxels().begin(),
                 [&](float v) -> std::uint8_t { return static_cast<double>(v) >= rules.threshold_suv ? 1 : 0; });
  const Components components = connected_components(std::as_const(mask).view(), Connectivity::corners);
  std::vector<HotPart> parts(components.sizes.size());
  std::vector<std::array<double, 3>> sums(parts.size());
  for (HotPart& part : parts) part.box_mm = {1e300, 1e300, 1e300, -1e300, -1e300, -1e300};
  for (const Run& run : components.runs) {
    const auto k = static_cast<std::size_t>(run.component - 1);
    HotPart& part = parts[k];
    widen(part.box_mm, grid, run);
    for (std::int64_t x = run.first_x; x <= run.last_x; ++x) {
      const auto value = static_cast<double>(suv.at(x, run.y, run.z));
      part.voxels.push_back(grid.offset(x, run.y, run.z));
      part.suv_max = std::max(part.suv_max, value);
      part.suv_mean += value;
      sums[k][0] += static_cast<double>(x);
      sums[k][1] += static_cast<double>(run.y);
      sums[k][2] += static_cast<double>(run.z);
    }
  }
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const auto n = static_cast<double>(parts[k].voxels.size());
    parts[k].suv_mean /= n;
    parts[k].volume_ml = n * grid.voxel_volume_ml();
    parts[k].centre = grid.to_patient({sums[k][0] / n, sums[k][1] / n, sums[k][2] / n});
  }
  std::erase_if(parts, [&](const HotPart& part) { return part.volume_ml < rules.min_volume_ml; });
  std::stable_sort(parts.begin(), parts.end(), [](const HotPart& a, const HotPart& b) { return a.tlg() > b.tlg(); });
  return parts;
}

/// Minus the Laplacian of the smoothed image times sigma squared; at the border as if the image went on.
Volume<float> bumps_of(const Volume<float>& suv, double sigma_mm) {
  const Volume<float> smooth = gaussian_smoothed(suv.view(), sigma_mm * 2.354820045);
  const Grid& grid = suv.grid();
  const Size3& size = grid.size();
  Volume<float> out(grid);
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x) {
        const std::array<std::int64_t, 3> at{x, y, z};
        double sum = 0;
        for (std::size_t k = 0; k < 3; ++k) {
          auto low = at, high = at;
          low[k] = std::max<std::int64_t>(0, at[k] - 1);
          high[k] = std::min(size[k] - 1, at[k] + 1);
          const double bend = 2 * static_cast<double>(smooth.at(x, y, z)) -
                              static_cast<double>(smooth.at(low[0], low[1], low[2])) -
                              static_cast<double>(smooth.at(high[0], high[1], high[2]));
          sum += bend * sigma_mm * sigma_mm / (grid.spacing_mm()[k] * grid.spacing_mm()[k]);
        }
        out.at(x, y, z) = static_cast<float>(sum);
      }
  return out;
}

/// True where no neighbour (26) has a higher value; of equal ones the first in raster order counts.
bool is_top(const Volume<float>& bumps, std::int64_t at) {
  const Size3& size = bumps.grid().size();
  const std::array<std::int64_t, 3> p{at % size[0], at / size[0] % size[1], at / size[0] / size[1]};
  const float value = bumps.voxels()[static_cast<std::size_t>(at)];
  for (std::int64_t z = std::max<std::int64_t>(0, p[2] - 1); z <= std::min(size[2] - 1, p[2] + 1); ++z)
    for (std::int64_t y = std::max<std::int64_t>(0, p[1] - 1); y <= std::min(size[1] - 1, p[1] + 1); ++y)
      for (std::int64_t x = std::max<std::int64_t>(0, p[0] - 1); x <= std::min(size[0] - 1, p[0] + 1); ++x) {
        const std::int64_t there = bumps.grid().offset(x, y, z);
        const float other = bumps.voxels()[static_cast<std::size_t>(there)];
        if (other > value || (other == value && there < at)) return false;
      }
  return true;
}

struct Bump {
  std::int64_t at = 0;
  double height = 0, radius_mm = 0;
};

/// The bumps of one scale that lie in a part.
void add_bumps(const Volume<float>& bumps, const Volume<float>& suv, const HotPart& part, double sigma_mm,
               std::vector<Bump>& out) {
  for (const std::int64_t at : part.voxels) {
    const auto height = static_cast<double>(bumps.voxels()[static_cast<std::size_t>(at)]);
    // What does not stand out from its surroundings by a tenth of its height is no bump.
    if (height < 0.1 * static_cast<double>(suv.voxels()[static_cast<std::size_t>(at)]) || !is_top(bumps, at)) continue;
    out.push_back({at, height, std::sqrt(3.0) * sigma_mm});
  }
}

PatientPoint place_of(const Grid& grid, std::int64_t at) {
  const Size3& size = grid.size();
  return grid.to_patient({static_cast<double>(at % size[0]), static_cast<double>(at / size[0] % size[1]),
                          static_cast<double>(at / size[0] / size[1])});
}

/// The highest bumps over all scales, none within the radius of a higher one: so the rim of a large lesion is none.
std::vector<HotSpot> spots_of(std::vector<Bump> bumps, const Volume<float>& suv, std::size_t part) {
  std::stable_sort(bumps.begin(), bumps.end(), [](const Bump& a, const Bump& b) { return a.height > b.height; });
  std::vector<Bump> kept;
  for (const Bump& bump : bumps) {
    const PatientPoint here = place_of(suv.grid(), bump.at);
    const bool inside = std::any_of(kept.begin(), kept.end(), [&](const Bump& k) {
      return distance(place_of(suv.grid(), k.at), here) < std::max(k.radius_mm, bump.radius_mm);
    });
    if (!inside) kept.push_back(bump);
  }
  std::vector<HotSpot> spots;
  for (const Bump& bump : kept)
    spots.push_back({place_of(suv.grid(), bump.at), static_cast<double>(suv.voxels()[static_cast<std::size_t>(bump.at)]), part});
  std::stable_sort(spots.begin(), spots.end(), [](const HotSpot& a, const HotSpot& b) { return a.suv > b.suv; });
  return spots;
}

}  // namespace

Uptake uptake_of(const Volume<float>& suv, const HotSpotRules& rules) {
  Uptake uptake;
  // A Gaussian spreads what is not finite: it counts as no uptake.
  Volume<float> finite = suv.clone();
  for (float& v : finite.voxels())
    if (!std::isfinite(v)) v = 0;
  uptake.parts = parts_of(finite, rules);
  if (uptake.parts.empty()) return uptake;
  if (rules.name_organs) name_organs(finite, rules.threshold_suv, uptake);
  std::vector<std::vector<Bump>> bumps(uptake.parts.size());
  for (const double scale : {1.0, 1.6, 2.56, 4.1}) {
    const double sigma_mm = scale * rules.sigma_mm;
    const Volume<float> all = bumps_of(finite, sigma_mm);
    for (std::size_t k = 0; k < uptake.parts.size(); ++k) add_bumps(all, finite, uptake.parts[k], sigma_mm, bumps[k]);
  }
  for (std::size_t k = 0; k < uptake.parts.size(); ++k) {
    std::vector<HotSpot> spots = spots_of(std::move(bumps[k]), finite, k);
    if (spots.empty()) spots.push_back({uptake.parts[k].centre, uptake.parts[k].suv_max, k});
    uptake.spots.insert(uptake.spots.end(), spots.begin(), spots.end());
  }
  return uptake;
}

}  // namespace penta::pet
