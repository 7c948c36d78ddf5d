#include "evaluate/surface.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "evaluate/order.h"
#include "image/morphology/morphology.h"

namespace penta::evaluate {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

Volume<std::uint8_t> border(VolumeView<const std::uint8_t> mask) {
  Volume<std::uint8_t> out(mask.grid);
  const Size3& n = mask.grid.size();
  // A single slice has no neighbours across it: its border is that of the plane.
  const std::size_t axes = n[2] == 1 ? 2 : 3;
  for (std::int64_t z = 0; z < n[2]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[0]; ++x) {
        if (mask.at(x, y, z) == 0) continue;
        bool edge = false;
        for (std::size_t k = 0; k < axes && !edge; ++k)
          for (const std::int64_t step : {-1, 1}) {
            std::array<std::int64_t, 3> p{x, y, z};
            p[k] += step;
            edge = edge || p[k] < 0 || p[k] >= n[k] || mask.at(p[0], p[1], p[2]) == 0;
          }
        out.at(x, y, z) = edge ? 1 : 0;
      }
  return out;
}

bool any(VolumeView<const std::uint8_t> mask) {
  return std::any_of(mask.voxels.begin(), mask.voxels.end(), [](std::uint8_t v) { return v != 0; });
}

std::vector<double> directed_mm(const Volume<std::uint8_t>& from, const Volume<std::uint8_t>& to) {
  const Volume<float> squared = squared_distance_mm2(to.view());
  std::vector<double> distances;
  for (std::size_t i = 0; i < from.voxels().size(); ++i)
    if (from.voxels()[i] != 0) distances.push_back(std::sqrt(static_cast<double>(std::as_const(squared).voxels()[i])));
  return distances;
}

bool one_empty(const SurfaceDistances& d) { return d.empty_a != d.empty_b; }
bool both_empty(const SurfaceDistances& d) { return d.empty_a && d.empty_b; }

}  // namespace

SurfaceDistances surface_distances(VolumeView<const std::uint8_t> a, VolumeView<const std::uint8_t> b) {
  SurfaceDistances distances{!any(a), !any(b), {}, {}};
  if (distances.empty_a || distances.empty_b) return distances;
  const Volume<std::uint8_t> of_a = border(a), of_b = border(b);
  distances.a_to_b_mm = directed_mm(of_a, of_b);
  distances.b_to_a_mm = directed_mm(of_b, of_a);
  return distances;
}

double hausdorff_mm(const SurfaceDistances& d) {
  if (one_empty(d) || both_empty(d)) return both_empty(d) ? 0 : undefined;
  return std::max(*std::max_element(d.a_to_b_mm.begin(), d.a_to_b_mm.end()),
                  *std::max_element(d.b_to_a_mm.begin(), d.b_to_a_mm.end()));
}

double hd95_mm(const SurfaceDistances& d) {
  if (one_empty(d) || both_empty(d)) return both_empty(d) ? 0 : undefined;
  return std::max(percentile(d.a_to_b_mm, 95), percentile(d.b_to_a_mm, 95));
}

double assd_mm(const SurfaceDistances& d) {
  if (one_empty(d) || both_empty(d)) return both_empty(d) ? 0 : undefined;
  const double sum = std::accumulate(d.a_to_b_mm.begin(), d.a_to_b_mm.end(), 0.0) +
                     std::accumulate(d.b_to_a_mm.begin(), d.b_to_a_mm.end(), 0.0);
  return sum / static_cast<double>(d.a_to_b_mm.size() + d.b_to_a_mm.size());
}

double nsd(const SurfaceDistances& d, double tolerance_mm) {
  if (one_empty(d) || both_empty(d)) return both_empty(d) ? 1 : 0;
  const auto near = [&](const std::vector<double>& distances) {
    return std::count_if(distances.begin(), distances.end(), [&](double v) { return v <= tolerance_mm; });
  };
  return static_cast<double>(near(d.a_to_b_mm) + near(d.b_to_a_mm)) /
         static_cast<double>(d.a_to_b_mm.size() + d.b_to_a_mm.size());
}

}  // namespace penta::evaluate
