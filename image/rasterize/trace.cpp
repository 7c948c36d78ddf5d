#include "image/rasterize/trace.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/error.h"

namespace penta {

namespace {

// Directions of an edge between pixel corners, counter-clockwise in (x right, y down) as 0 right, 1 down, 2 left, 3 up.
constexpr std::array<std::array<std::int64_t, 2>, 4> steps{{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}};

// Edges that have a set pixel on their right hand (y down), one bit a direction, at the corner where they start.
class Edges {
 public:
  Edges(std::span<const std::uint8_t> pixels, std::int64_t nx, std::int64_t ny)
      : width_(nx + 1), out_(static_cast<std::size_t>((nx + 1) * (ny + 1)), 0) {
    const auto set = [&](std::int64_t x, std::int64_t y) {
      return x >= 0 && y >= 0 && x < nx && y < ny && pixels[static_cast<std::size_t>(x + nx * y)] != 0;
    };
    for (std::int64_t y = 0; y < ny; ++y)
      for (std::int64_t x = 0; x < nx; ++x) {
        if (!set(x, y)) continue;
        if (!set(x, y - 1)) add(x, y, 0);
        if (!set(x + 1, y)) add(x + 1, y, 1);
        if (!set(x, y + 1)) add(x + 1, y + 1, 2);
        if (!set(x - 1, y)) add(x, y + 1, 3);
      }
  }

  // Takes away the whole polygon that starts at a corner with a direction; only the corners where it turns are kept.
  std::vector<IndexPoint> take(const std::int64_t x0, const std::int64_t y0, const int direction0) {
    std::vector<IndexPoint> polygon;
    std::int64_t x = x0, y = y0;
    int direction = direction0, before = -1;
    do {
      if (direction != before) polygon.push_back({static_cast<double>(x) - 0.5, static_cast<double>(y) - 0.5, 0});
      before = direction;
      if (polygon.size() > 1 || x != x0 || y != y0) remove(x, y, direction);
      x += steps[static_cast<std::size_t>(direction)][0];
      y += steps[static_cast<std::size_t>(direction)][1];
      direction = next(x, y, direction);
    } while (x != x0 || y != y0 || direction != direction0);
    remove(x0, y0, direction0);
    return polygon;
  }

  [[nodiscard]] std::uint8_t at(std::int64_t x, std::int64_t y) const noexcept { return out_[index(x, y)]; }

 private:
  [[nodiscard]] std::size_t index(std::int64_t x, std::int64_t y) const noexcept {
    return static_cast<std::size_t>(x + width_ * y);
  }
  void add(std::int64_t x, std::int64_t y, int direction) noexcept {
    out_[index(x, y)] = static_cast<std::uint8_t>(out_[index(x, y)] | (1U << static_cast<unsigned>(direction)));
  }
  void remove(std::int64_t x, std::int64_t y, int direction) noexcept {
    out_[index(x, y)] = static_cast<std::uint8_t>(out_[index(x, y)] & ~(1U << static_cast<unsigned>(direction)));
  }
  // Where two polygons meet at a corner the turn to the right stays with the pixel on the right hand.
  [[nodiscard]] int next(std::int64_t x, std::int64_t y, int direction) const noexcept {
    for (const int turn : {1, 0, 3}) {
      const int to = (direction + turn) % 4;
      if ((out_[index(x, y)] >> static_cast<unsigned>(to) & 1U) != 0) return to;
    }
    return direction;  // cannot be: borders are closed
  }

  std::int64_t width_;
  std::vector<std::uint8_t> out_;
};

// Twice the area, > 0 for an outer border (clockwise on the screen), < 0 for a hole.
double turning_area(const std::vector<IndexPoint>& polygon) noexcept {
  double sum = 0;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const IndexPoint &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
    sum += a.x * b.y - b.x * a.y;
  }
  return sum;
}

using Corner = std::array<std::int64_t, 2>;

// Every pixel corner along a border, in its order.
std::vector<Corner> corners_of(const std::vector<IndexPoint>& polygon) {
  std::vector<Corner> corners;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const auto corner = [&](std::size_t k) {
      const IndexPoint& p = polygon[k % polygon.size()];
      return Corner{static_cast<std::int64_t>(p.x + 0.5), static_cast<std::int64_t>(p.y + 0.5)};
    };
    const Corner to = corner(i + 1);
    for (Corner at = corner(i); at != to;) {
      corners.push_back(at);
      at[0] += (to[0] > at[0]) - (to[0] < at[0]);
      at[1] += (to[1] > at[1]) - (to[1] < at[1]);
    }
  }
  return corners;
}

// Only the corners where the path turns (or goes back).
std::vector<IndexPoint> points_of(const std::vector<Corner>& path) {
  std::vector<IndexPoint> points;
  const auto direction = [](const Corner& a, const Corner& b) {
    return Corner{(b[0] > a[0]) - (b[0] < a[0]), (b[1] > a[1]) - (b[1] < a[1])};
  };
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Corner &before = path[(i + path.size() - 1) % path.size()], &after = path[(i + 1) % path.size()];
    if (direction(before, path[i]) != direction(path[i], after))
      points.push_back({static_cast<double>(path[i][0]) - 0.5, static_cast<double>(path[i][1]) - 0.5, 0});
  }
  return points;
}

// Borders of one slice, joined: where a hole's channel ends, the path goes into the hole and comes back.
class Joined {
 public:
  Joined(const std::vector<std::vector<IndexPoint>>& borders, std::span<const std::uint8_t> pixels, std::int64_t nx,
         std::int64_t ny) {
    const auto set = [&](std::int64_t x, std::int64_t y) {
      return x >= 0 && y >= 0 && x < nx && y < ny && pixels[static_cast<std::size_t>(x + nx * y)] != 0;
    };
    for (std::size_t k = 0; k < borders.size(); ++k) {
      borders_.push_back(corners_of(borders[k]));
      if (turning_area(borders[k]) > 0) {
        outer_.push_back(k);
        continue;
      }
      // Left of a hole's first corner in reading order all is set, up to a border that comes before in that order.
      Corner at = borders_.back().front();
      do --at[0];
      while (set(at[0] - 1, at[1] - 1) && set(at[0] - 1, at[1]));
      holes_[at] = k;
    }
  }

  [[nodiscard]] std::vector<std::vector<IndexPoint>> paths() const {
    std::vector<std::vector<IndexPoint>> out;
    for (const std::size_t k : outer_) out.push_back(points_of(path_of(k)));
    return out;
  }

 private:
  [[nodiscard]] std::vector<Corner> path_of(std::size_t outer) const {
    std::vector<Corner> path;
    std::vector<std::array<std::size_t, 2>> stack{{outer, 0}};  // borders that are being followed, and how far
    while (!stack.empty()) {
      auto& [border, position] = stack.back();
      if (position == borders_[border].size()) {
        const Corner start = borders_[border].front();
        stack.pop_back();
        if (stack.empty()) break;
        path.push_back(start);
        path.push_back(borders_[stack.back()[0]][stack.back()[1] - 1]);
        continue;
      }
      const Corner at = borders_[border][position++];
      path.push_back(at);
      if (const auto hole = holes_.find(at); hole != holes_.end()) stack.push_back({hole->second, 0});
    }
    return path;
  }

  std::vector<std::vector<Corner>> borders_;
  std::vector<std::size_t> outer_;
  std::map<Corner, std::size_t> holes_;  // by the corner where their channel ends
};

}  // namespace

std::vector<std::vector<IndexPoint>> trace_edges(std::span<const std::uint8_t> pixels, std::int64_t nx,
                                                 std::int64_t ny) {
  Edges edges(pixels, nx, ny);
  std::vector<std::vector<IndexPoint>> polygons;
  // In reading order the first corner of a border is one where an edge to the right (or, of a hole, down) starts.
  for (std::int64_t y = 0; y <= ny; ++y)
    for (std::int64_t x = 0; x <= nx; ++x)
      while (edges.at(x, y) != 0) {
        const std::uint8_t out = edges.at(x, y);
        const int direction = (out & 1U) != 0 ? 0 : (out & 2U) != 0 ? 1 : (out & 4U) != 0 ? 2 : 3;
        polygons.push_back(edges.take(x, y, direction));
      }
  return polygons;
}

std::vector<std::vector<IndexPoint>> trace_keyholes(std::span<const std::uint8_t> pixels, std::int64_t nx,
                                                    std::int64_t ny) {
  return Joined(trace_edges(pixels, nx, ny), pixels, nx, ny).paths();
}

namespace {

// Where one label lies in a slice.
struct Box {
  std::size_t segment;
  std::int64_t x0, y0, x1, y1;  // inclusive
};

std::vector<Box> boxes_of(std::span<const std::uint16_t> slice, std::int64_t nx, std::int64_t ny,
                          const std::vector<int>& rows, std::vector<int>& box_of_row) {
  std::vector<Box> boxes;
  for (std::int64_t y = 0; y < ny; ++y)
    for (std::int64_t x = 0; x < nx; ++x) {
      const int row = rows[slice[static_cast<std::size_t>(x + nx * y)]];
      if (row < 0) continue;
      int& at = box_of_row[static_cast<std::size_t>(row)];
      if (at < 0) {
        at = static_cast<int>(boxes.size());
        boxes.push_back({static_cast<std::size_t>(row), x, y, x, y});
      }
      Box& box = boxes[static_cast<std::size_t>(at)];
      box.x0 = std::min(box.x0, x);
      box.x1 = std::max(box.x1, x);
      box.y1 = y;
    }
  for (const Box& box : boxes) box_of_row[box.segment] = -1;
  return boxes;
}

void trace_box(const LabelMap& labels, std::span<const std::uint16_t> slice, std::int64_t z, const Box& box,
               ContourRegion& region) {
  const Grid& grid = labels.grid();
  const std::int64_t nx = box.x1 - box.x0 + 1, ny = box.y1 - box.y0 + 1;
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(nx * ny));
  for (std::int64_t y = 0; y < ny; ++y)
    for (std::int64_t x = 0; x < nx; ++x)
      mask[static_cast<std::size_t>(x + nx * y)] =
          slice[static_cast<std::size_t>(grid.offset(x + box.x0, y + box.y0, 0))] == labels.segments[box.segment].value;
  for (const std::vector<IndexPoint>& polygon : trace_keyholes(mask, nx, ny)) {
    Contour contour;
    for (const IndexPoint& p : polygon)
      contour.points_mm.push_back(grid.to_patient({p.x + static_cast<double>(box.x0), p.y + static_cast<double>(box.y0),
                                                   static_cast<double>(z)}));
    region.contours.push_back(std::move(contour));
  }
}

ContourRegion empty_region(const Segment& segment, int number, const LabelMap& labels) {
  ContourRegion region;
  region.name = segment.name;
  region.number = number;
  region.colour = {segment.colour[0], segment.colour[1], segment.colour[2]};
  region.type = segment.type;
  region.planes = labels.grid();
  region.frame_of_reference_uid = labels.acquisition.frame_of_reference_uid;
  return region;
}

}  // namespace

Contours trace(const LabelMap& labels) {
  if (labels.planar) throw Error(Code::bad_input, "tracing contours: labels of plain frames have no millimetres");
  const Size3& size = labels.grid().size();
  const auto plane = static_cast<std::size_t>(size[0] * size[1]);
  Contours out;
  out.acquisition = labels.acquisition;
  out.frame_of_reference_uid = labels.acquisition.frame_of_reference_uid;
  out.referenced_series_uid = labels.acquisition.series_uid;
  out.study_uid = labels.acquisition.study_uid;
  for (const Segment& segment : labels.segments)
    out.regions.push_back(empty_region(segment, static_cast<int>(out.regions.size()) + 1, labels));
  std::vector<int> box_of_row(labels.segments.size(), -1);
  for (std::size_t layer = 0; layer < labels.layers.size(); ++layer) {
    const std::vector<int> rows = rows_by_value(labels, layer, "tracing contours");
    for (std::int64_t z = 0; z < size[2]; ++z) {
      const auto slice = labels.layers[layer].voxels().subspan(static_cast<std::size_t>(z) * plane, plane);
      for (const Box& box : boxes_of(slice, size[0], size[1], rows, box_of_row))
        trace_box(labels, slice, z, box, out.regions[box.segment]);
    }
  }
  return out;
}

}  // namespace penta
