#include "image/rasterize/scan.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace penta {

namespace {

__extension__ typedef __int128 Wide;

struct LatticePoint {
  std::int64_t x = 0, y = 0;
};

LatticePoint on_lattice(const IndexPoint& point) noexcept {
  return {std::llround(point.x * static_cast<double>(lattice_steps)),
          std::llround(point.y * static_cast<double>(lattice_steps))};
}

// Smallest whole number not below numerator / denominator; denominator > 0.
Wide ceiling(Wide numerator, Wide denominator) noexcept {
  const Wide quotient = numerator / denominator;
  return quotient + (numerator % denominator > 0 ? 1 : 0);
}

std::int64_t clamped(Wide value, std::int64_t end) noexcept {
  return value < 0 ? 0 : value > end ? end : static_cast<std::int64_t>(value);
}

struct Crossing {
  std::int64_t row, column;  // the first pixel of the row that does not lie left of the edge
  friend auto operator<=>(const Crossing&, const Crossing&) = default;
};

void add_crossings(LatticePoint a, LatticePoint b, std::int64_t nx, std::int64_t ny, std::vector<Crossing>& out) {
  if (a.y > b.y) std::swap(a, b);
  const Wide dy = Wide{b.y} - a.y, dx = Wide{b.x} - a.x;
  // Each row a.y <= row < b.y is crossed once, so a vertex on a row is counted with one of its two edges.
  const std::int64_t end = clamped(ceiling(b.y, lattice_steps), ny);
  for (std::int64_t row = clamped(ceiling(a.y, lattice_steps), ny); row < end; ++row) {
    const Wide numerator = Wide{a.x} * dy + dx * (Wide{row} * lattice_steps - a.y);
    out.push_back({row, clamped(ceiling(numerator, dy * lattice_steps), nx)});
  }
}

}  // namespace

std::vector<PixelRun> runs_inside(std::span<const std::vector<IndexPoint>> polygons, std::int64_t nx, std::int64_t ny) {
  std::vector<Crossing> crossings;
  for (const std::vector<IndexPoint>& polygon : polygons) {
    if (polygon.empty()) continue;
    LatticePoint before = on_lattice(polygon.back());
    for (const IndexPoint& point : polygon) {
      const LatticePoint now = on_lattice(point);
      add_crossings(before, now, nx, ny, crossings);
      before = now;
    }
  }
  std::sort(crossings.begin(), crossings.end());
  std::vector<PixelRun> runs;
  // A row meets closed polygons an even number of times: inside is from the first to the second, and so on.
  for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
    const auto [row, first] = crossings[i];
    const std::int64_t end = crossings[i + 1].column;
    if (first == end) continue;
    if (!runs.empty() && runs.back().row == row && runs.back().end == first) runs.back().end = end;
    else runs.push_back({row, first, end});
  }
  return runs;
}

}  // namespace penta
