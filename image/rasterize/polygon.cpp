#include "image/rasterize/polygon.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/error.h"
#include "image/rasterize/scan.h"

namespace penta {

namespace {

using Polygon = std::vector<IndexPoint>;
struct Plane {
  double z = 0;  // in slices, may lie between them
  std::vector<Polygon> polygons;
};

constexpr double flat_within = 0.05;     // slices: how level a contour must be, and what counts as one plane
constexpr double on_slice_within = 0.1;  // slices: how near to a slice its contours count as drawn on it
constexpr double snap = 1e6;             // steps a slice: a plane halfway between two goes up, whatever the rounding

struct Drawn {
  std::vector<Plane> planes;  // by rising z
  std::size_t oblique = 0, degenerate = 0, open = 0, far = 0;
};

bool can_be_placed(const Polygon& polygon) noexcept {
  return std::all_of(polygon.begin(), polygon.end(), [](const IndexPoint& p) {
    return std::abs(p.x) < scan_limit && std::abs(p.y) < scan_limit && std::abs(p.z) < scan_limit;
  });
}

void sort_into_planes(std::vector<Plane>& single, Drawn& drawn) {
  std::stable_sort(single.begin(), single.end(), [](const Plane& a, const Plane& b) { return a.z < b.z; });
  for (Plane& plane : single) {
    if (drawn.planes.empty() || plane.z - drawn.planes.back().z >= flat_within) drawn.planes.push_back({plane.z, {}});
    drawn.planes.back().polygons.push_back(std::move(plane.polygons.front()));
  }
}

Drawn planes_of(const ContourRegion& region, const Grid& grid) {
  Drawn drawn;
  std::vector<Plane> single;
  const double tolerance = std::max(flat_within, 0.01 / grid.spacing_mm()[2]);
  for (const Contour& contour : region.contours) {
    if (contour.kind == ContourKind::open || contour.kind == ContourKind::point) {
      ++drawn.open;
      continue;
    }
    if (contour.points_mm.size() < 3) {
      ++drawn.degenerate;
      continue;
    }
    Polygon polygon;
    for (const PatientPoint& point : contour.points_mm) polygon.push_back(grid.to_index(point));
    if (!can_be_placed(polygon)) {
      ++drawn.far;
      continue;
    }
    const auto [low, high] = std::minmax_element(polygon.begin(), polygon.end(),
                                                 [](const IndexPoint& a, const IndexPoint& b) { return a.z < b.z; });
    if (high->z - low->z > 2 * tolerance) {
      ++drawn.oblique;
      continue;
    }
    const double z = std::round((low->z + high->z) / 2 * snap) / snap;
    single.push_back({z, {std::move(polygon)}});
  }
  sort_into_planes(single, drawn);
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
  for (const Plane& plane : planes) {
    const double distance = std::abs(plane.z - z);
    if (distance <= within && (best == nullptr || distance < std::abs(best->z - z))) best = &plane;
  }
  return best;
}

// The plane that each slice takes; null: none.
std::vector<const Plane*> plane_of_slices(const std::vector<Plane>& planes, std::int64_t slices,
                                          BetweenPlanes between) {
  std::vector<const Plane*> taken(static_cast<std::size_t>(slices), nullptr);
  for (const Plane& plane : planes) {
    const double z = std::floor(plane.z + 0.5);
    if (z < 0 || z >= static_cast<double>(slices)) continue;
    const Plane*& own = taken[static_cast<std::size_t>(z)];
    if (own == nullptr || std::abs(plane.z - z) < std::abs(own->z - z)) own = &plane;
  }
  if (between == BetweenPlanes::empty || on_slices(planes)) return taken;
  const double within = std::max(half_step(planes), 0.5) + 1e-6;
  for (std::int64_t z = 0; z < slices; ++z)
    taken[static_cast<std::size_t>(z)] = nearest_plane(planes, static_cast<double>(z), within);
  return taken;
}

struct SliceRuns {
  std::int64_t z = 0;
  std::vector<PixelRun> runs;
};

std::vector<SliceRuns> runs_of(const std::vector<const Plane*>& planes, const Grid& grid) {
  std::vector<SliceRuns> out;
  for (std::size_t z = 0; z < planes.size(); ++z) {
    if (planes[z] == nullptr) continue;
    auto runs = runs_inside(planes[z]->polygons, grid.size()[0], grid.size()[1]);
    if (!runs.empty()) out.push_back({static_cast<std::int64_t>(z), std::move(runs)});
  }
  return out;
}

template <class Voxels, class Body>
void each_run(const std::vector<SliceRuns>& slices, const Grid& grid, Voxels voxels, const Body& body) {
  for (const SliceRuns& slice : slices)
    for (const PixelRun& run : slice.runs)
      body(voxels.subspan(static_cast<std::size_t>(grid.offset(run.first, run.row, slice.z)),
                          static_cast<std::size_t>(run.end - run.first)));
}

// The first layer in which no voxel of a region is taken; a new one where there is none.
std::size_t layer_for(const std::vector<SliceRuns>& runs, const Grid& grid,
                      std::vector<Volume<std::uint16_t>>& layers) {
  for (std::size_t k = 0; k < layers.size(); ++k) {
    bool free = true;
    each_run(runs, grid, layers[k].voxels(), [&](std::span<std::uint16_t> voxels) {
      free = free && std::all_of(voxels.begin(), voxels.end(), [](std::uint16_t v) { return v == 0; });
    });
    if (free) return k;
  }
  layers.emplace_back(grid);
  return layers.size() - 1;
}

// --- what is said --------------------------------------------------------------------------------------------------

std::size_t contours_outside(const std::vector<Plane>& planes, std::int64_t slices) {
  std::size_t count = 0;
  for (const Plane& plane : planes)
    if (plane.z < -0.5 || plane.z >= static_cast<double>(slices) - 0.5) count += plane.polygons.size();
  return count;
}

// Slices without a contour between others that have one.
std::size_t gaps(const std::vector<const Plane*>& taken) {
  const auto there = [](const Plane* plane) { return plane != nullptr; };
  const auto first = std::find_if(taken.begin(), taken.end(), there);
  const auto last = std::find_if(taken.rbegin(), taken.rend(), there).base();
  return first >= last ? 0 : static_cast<std::size_t>(std::count(first, last, nullptr));
}

bool beside_the_image(const std::vector<Plane>& planes, const Grid& grid) {
  const auto off = [](double value, std::int64_t size) {
    return value < -0.5 - 1 / snap || value > static_cast<double>(size) - 0.5 + 1 / snap;
  };
  for (const Plane& plane : planes)
    for (const Polygon& polygon : plane.polygons)
      for (const IndexPoint& p : polygon)
        if (off(p.x, grid.size()[0]) || off(p.y, grid.size()[1])) return true;
  return false;
}

std::string counted(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

void say_what_was_left_out(const std::string& name, const Drawn& drawn, std::vector<Remark>& remarks) {
  if (drawn.oblique > 0)
    remarks.push_back({Severity::warning, "contours_oblique",
                       name + counted(drawn.oblique, "contour") + " not parallel to the slices, left out"});
  if (drawn.degenerate > 0)
    remarks.push_back({Severity::note, "contours_degenerate",
                       name + counted(drawn.degenerate, "contour") + " of fewer than 3 points, which enclose nothing"});
  if (drawn.open > 0)
    remarks.push_back({Severity::note, "contours_open",
                       name + counted(drawn.open, "point or open line") + ", which enclose nothing"});
  if (drawn.far > 0)
    remarks.push_back({Severity::warning, "contours_far",
                       name + counted(drawn.far, "contour") + " too far from the image to be placed, left out"});
}

void say_where_it_lies(const std::string& name, const Drawn& drawn, const std::vector<const Plane*>& taken,
                       const std::vector<SliceRuns>& runs, const Grid& grid, BetweenPlanes between,
                       std::vector<Remark>& remarks) {
  if (!on_slices(drawn.planes))
    remarks.push_back({Severity::note, "contours_between_slices",
                       name + "drawn on planes between this image's slices; " +
                           (between == BetweenPlanes::nearest ? "each slice takes the nearest plane"
                                                              : "each contour counts on the slice nearest to it")});
  if (const std::size_t empty = gaps(taken); empty > 0)
    remarks.push_back({Severity::note, "contours_missing_between",
                       name + counted(empty, "slice") + " between its first and last contour without one, left empty"});
  const std::size_t outside = contours_outside(drawn.planes, grid.size()[2]);
  if (runs.empty())
    remarks.push_back({Severity::warning, "region_empty", name + "encloses no voxel centre of this image"});
  else if (outside > 0)
    remarks.push_back(
        {Severity::warning, "contours_outside",
         name + counted(outside, "contour") + " above or below the image: what they enclose is not measured"});
  else if (beside_the_image(drawn.planes, grid))
    remarks.push_back({Severity::warning, "contours_outside",
                       name + "reaches beyond the sides of the image: what lies there is not measured"});
}

}  // namespace

LabelMap rasterize(const Contours& contours, const Grid& grid, std::vector<Remark>& remarks, BetweenPlanes between) {
  if (contours.regions.size() > 65535) throw Error(Code::bad_input, "rasterising contours: more than 65535 regions");
  LabelMap labels;
  labels.layers.emplace_back(grid);
  for (const ContourRegion& region : contours.regions) {
    const Drawn drawn = planes_of(region, grid);
    const auto taken = plane_of_slices(drawn.planes, grid.size()[2], between);
    const auto runs = runs_of(taken, grid);
    const std::string name = "region '" + region.name + "': ";
    say_what_was_left_out(name, drawn, remarks);
    say_where_it_lies(name, drawn, taken, runs, grid, between, remarks);
    Segment segment;
    segment.value = static_cast<int>(labels.segments.size()) + 1;
    segment.layer = static_cast<int>(layer_for(runs, grid, labels.layers));
    segment.name = region.name;
    segment.type = region.type;
    segment.colour = {region.colour[0], region.colour[1], region.colour[2]};
    const auto value = static_cast<std::uint16_t>(segment.value);
    each_run(runs, grid, labels.layers[static_cast<std::size_t>(segment.layer)].voxels(),
             [&](std::span<std::uint16_t> voxels) { std::fill(voxels.begin(), voxels.end(), value); });
    labels.segments.push_back(std::move(segment));
  }
  return labels;
}

}  // namespace penta
