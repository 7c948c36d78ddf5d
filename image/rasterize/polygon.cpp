#include "image/rasterize/polygon.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <span>

#include "core/error.h"

namespace penta {

namespace {

using Polygon = std::vector<IndexPoint>;
struct Plane {
  double z = 0;  // in slices, may lie between them
  std::vector<Polygon> polygons;
};

constexpr double flat_within = 0.05;   // slices: how level a contour must be
constexpr double on_slice_within = 0.1;  // slices: how near to a slice its contours count as drawn on it

struct Drawn {
  std::vector<Plane> planes;  // by rising z
  int oblique = 0, degenerate = 0;
};

void add_to_plane(Drawn& drawn, double z, Polygon polygon) {
  const auto same = std::find_if(drawn.planes.begin(), drawn.planes.end(),
                                 [&](const Plane& plane) { return std::abs(plane.z - z) < flat_within; });
  if (same == drawn.planes.end())
    drawn.planes.push_back({z, {std::move(polygon)}});
  else
    same->polygons.push_back(std::move(polygon));
}

Drawn planes_of(const ContourRegion& region, const Grid& grid) {
  Drawn drawn;
  for (const Contour& contour : region.contours) {
    if (contour.points_mm.size() < 3) {
      ++drawn.degenerate;
      continue;
    }
    Polygon polygon;
    for (const PatientPoint& point : contour.points_mm) polygon.push_back(grid.to_index(point));
    const auto [low, high] = std::minmax_element(polygon.begin(), polygon.end(),
                                                 [](const IndexPoint& a, const IndexPoint& b) { return a.z < b.z; });
    const double tolerance = std::max(flat_within, 0.01 / grid.spacing_mm()[2]);
    if (high->z - low->z > 2 * tolerance || !std::isfinite(low->z) || !std::isfinite(high->z)) {
      ++drawn.oblique;
      continue;
    }
    const double z = (low->z + high->z) / 2;
    add_to_plane(drawn, z, std::move(polygon));
  }
  std::sort(drawn.planes.begin(), drawn.planes.end(), [](const Plane& a, const Plane& b) { return a.z < b.z; });
  return drawn;
}

bool on_slices(const std::vector<Plane>& planes) {
  return std::all_of(planes.begin(), planes.end(),
                     [](const Plane& plane) { return std::abs(plane.z - std::round(plane.z)) <= on_slice_within; });
}

// Half the usual distance of planes, in slices; half a slice where there is only one plane.
double half_step(const std::vector<Plane>& planes) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < planes.size(); ++i) steps.push_back(planes[i].z - planes[i - 1].z);
  if (steps.empty()) return 0.5;
  std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2), steps.end());
  return steps[steps.size() / 2] / 2;
}

const Plane* nearest_plane(const std::vector<Plane>& planes, double z, double within) {
  const Plane* best = nullptr;
  for (const Plane& plane : planes)
    if (std::abs(plane.z - z) <= within && (best == nullptr || std::abs(plane.z - z) < std::abs(best->z - z))) best = &plane;
  return best;
}

Volume<std::uint8_t> region_mask(const Drawn& drawn, const Grid& grid) {
  Volume<std::uint8_t> mask(grid);
  const Size3& size = grid.size();
  const bool finer = half_step(drawn.planes) < 0.5 - on_slice_within;
  const double within =
      on_slices(drawn.planes) && !finer ? on_slice_within : std::max(half_step(drawn.planes), 0.5 * finer) + 1e-6;
  for (std::int64_t z = 0; z < size[2]; ++z) {
    const Plane* plane = nearest_plane(drawn.planes, static_cast<double>(z), within);
    if (plane == nullptr) continue;
    const auto slice = mask.voxels().subspan(static_cast<std::size_t>(grid.offset(0, 0, z)), static_cast<std::size_t>(size[0] * size[1]));
    for (const Polygon& polygon : plane->polygons) flip_polygon(polygon, size[0], size[1], slice);
  }
  return mask;
}

std::size_t contours_outside(const std::vector<Plane>& planes, std::int64_t slices) {
  std::size_t count = 0;
  for (const Plane& plane : planes)
    if (plane.z < -0.5 || plane.z > static_cast<double>(slices) - 0.5) count += plane.polygons.size();
  return count;
}

void say_what_was_found(const ContourRegion& region, const Drawn& drawn, const Volume<std::uint8_t>& mask,
                        std::vector<Remark>& remarks) {
  const std::string name = "region '" + region.name + "': ";
  if (drawn.oblique > 0)
    remarks.push_back({Severity::warning, "contours_oblique",
                       name + std::to_string(drawn.oblique) + " contours are not parallel to the slices and were left out"});
  if (drawn.degenerate > 0)
    remarks.push_back({Severity::note, "contours_degenerate",
                       name + std::to_string(drawn.degenerate) + " contours have fewer than 3 points and enclose nothing"});
  if (!on_slices(drawn.planes))
    remarks.push_back({Severity::note, "contours_between_slices",
                       name + "drawn on planes between this image's slices; each slice takes the nearest plane"});
  const std::size_t outside = contours_outside(drawn.planes, mask.grid().size()[2]);
  if (std::count(mask.voxels().begin(), mask.voxels().end(), 1) == 0)
    remarks.push_back({Severity::warning, "region_empty", name + "encloses no voxel centre of this image"});
  else if (outside > 0)
    remarks.push_back({Severity::warning, "contours_outside",
                       name + std::to_string(outside) + " contours lie above or below the image: what they enclose is not measured"});
}

// The first layer in which no voxel of `mask` is taken; a new one where there is none.
std::size_t layer_for(const Volume<std::uint8_t>& mask, std::vector<Volume<std::uint16_t>>& layers) {
  for (std::size_t k = 0; k < layers.size(); ++k) {
    bool free = true;
    const auto taken = layers[k].voxels();
    for (std::size_t i = 0; free && i < taken.size(); ++i) free = taken[i] == 0 || mask.voxels()[i] == 0;
    if (free) return k;
  }
  layers.emplace_back(mask.grid());
  return layers.size() - 1;
}

}  // namespace

void flip_polygon(std::span<const IndexPoint> polygon, std::int64_t nx, std::int64_t ny, std::span<std::uint8_t> inside) {
  const auto row_from = [&](double y) { return static_cast<std::int64_t>(std::clamp(std::ceil(y), 0.0, static_cast<double>(ny))); };
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    IndexPoint a = polygon[i], b = polygon[(i + 1) % polygon.size()];
    if (a.y > b.y) std::swap(a, b);
    // Each row a.y <= y < b.y is crossed once; flipping all to the right of every crossing leaves the inside odd.
    for (std::int64_t y = row_from(a.y); y < row_from(b.y); ++y) {
      const double x = a.x + (b.x - a.x) * (static_cast<double>(y) - a.y) / (b.y - a.y);
      const auto first = static_cast<std::int64_t>(std::clamp(std::ceil(x), 0.0, static_cast<double>(nx)));
      for (std::int64_t column = first; column < nx; ++column) inside[static_cast<std::size_t>(column + nx * y)] ^= 1;
    }
  }
}

LabelMap rasterize(const Contours& contours, const Grid& grid, std::vector<Remark>& remarks) {
  if (contours.regions.size() > 65535) throw Error(Code::bad_input, "rasterising contours: more than 65535 regions");
  LabelMap labels;
  labels.layers.emplace_back(grid);
  for (const ContourRegion& region : contours.regions) {
    const Drawn drawn = planes_of(region, grid);
    const Volume<std::uint8_t> mask = region_mask(drawn, grid);
    say_what_was_found(region, drawn, mask, remarks);
    const std::size_t layer = layer_for(mask, labels.layers);
    Segment segment;
    segment.value = static_cast<int>(labels.segments.size()) + 1;
    segment.layer = static_cast<int>(layer);
    segment.name = region.name;
    segment.colour = {region.colour[0], region.colour[1], region.colour[2]};
    const auto target = labels.layers[layer].voxels();
    for (std::size_t i = 0; i < target.size(); ++i)
      if (mask.voxels()[i] != 0) target[i] = static_cast<std::uint16_t>(segment.value);
    labels.segments.push_back(std::move(segment));
  }
  return labels;
}

}  // namespace penta
