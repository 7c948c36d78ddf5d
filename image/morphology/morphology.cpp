#include "image/morphology/morphology.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel.h"

namespace penta {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

struct Line {
  std::vector<float> in, out;
  std::vector<std::int64_t> vertex;
  std::vector<double> border;

  explicit Line(std::int64_t n)
      : in(static_cast<std::size_t>(n)), out(in.size()), vertex(in.size()), border(in.size() + 1) {}
};

// One line of the lower envelope of the parabolas in[q] + (step (p - q))^2: `out` for every p.
void envelope(Line& line, double step) noexcept {
  const auto n = static_cast<std::int64_t>(line.in.size());
  std::int64_t k = -1;
  const auto at = [&](std::int64_t q) { return static_cast<double>(line.in[static_cast<std::size_t>(q)]) / (step * step); };
  for (std::int64_t q = 0; q < n; ++q) {
    if (std::isinf(line.in[static_cast<std::size_t>(q)])) continue;
    double from = -std::numeric_limits<double>::infinity();
    while (k >= 0) {
      const std::int64_t v = line.vertex[static_cast<std::size_t>(k)];
      from = ((at(q) + static_cast<double>(q * q)) - (at(v) + static_cast<double>(v * v))) / static_cast<double>(2 * (q - v));
      if (from > line.border[static_cast<std::size_t>(k)]) break;
      --k;
      from = -std::numeric_limits<double>::infinity();
    }
    ++k;
    line.vertex[static_cast<std::size_t>(k)] = q;
    line.border[static_cast<std::size_t>(k)] = from;
  }
  if (k < 0) return std::fill(line.out.begin(), line.out.end(), infinity);
  const std::int64_t last = k;
  k = 0;
  for (std::int64_t p = 0; p < n; ++p) {
    while (k < last && line.border[static_cast<std::size_t>(k + 1)] < static_cast<double>(p)) ++k;
    const std::int64_t v = line.vertex[static_cast<std::size_t>(k)];
    const double far = step * static_cast<double>(p - v);
    line.out[static_cast<std::size_t>(p)] = static_cast<float>(far * far + static_cast<double>(line.in[static_cast<std::size_t>(v)]));
  }
}

void envelope_along(Volume<float>& volume, int axis) {
  const Size3& size = volume.grid().size();
  const auto k = static_cast<std::size_t>(axis);
  const std::array<std::int64_t, 3> strides{1, size[0], size[0] * size[1]};
  const int a = axis == 0 ? 1 : 0, b = axis == 2 ? 1 : 2;  // the other two
  const std::int64_t across = size[static_cast<std::size_t>(a)];
  parallel_for(size[static_cast<std::size_t>(b)], 1, [&](std::int64_t first, std::int64_t last) {
    Line line(size[k]);
    for (std::int64_t j = first; j < last; ++j)
      for (std::int64_t i = 0; i < across; ++i) {
        float* start = volume.voxels().data() + i * strides[static_cast<std::size_t>(a)] + j * strides[static_cast<std::size_t>(b)];
        for (std::int64_t p = 0; p < size[k]; ++p) line.in[static_cast<std::size_t>(p)] = start[p * strides[k]];
        envelope(line, volume.grid().spacing_mm()[k]);
        for (std::int64_t p = 0; p < size[k]; ++p) start[p * strides[k]] = line.out[static_cast<std::size_t>(p)];
      }
  });
}

Volume<float> distance_to(VolumeView<const std::uint8_t> mask, bool to_foreground) {
  Volume<float> distance(mask.grid);
  std::transform(mask.voxels.begin(), mask.voxels.end(), distance.voxels().begin(),
                 [&](std::uint8_t v) { return (v != 0) == to_foreground ? 0.F : infinity; });
  for (int axis = 0; axis < 3; ++axis) envelope_along(distance, axis);
  return distance;
}

Volume<std::uint8_t> threshold_distance(const Volume<float>& distance, double radius_mm, bool inside) {
  const double reach = radius_mm * (1 + 1e-6);
  const auto limit = static_cast<float>(reach * reach);
  Volume<std::uint8_t> out(distance.grid());
  std::transform(distance.voxels().begin(), distance.voxels().end(), out.voxels().begin(),
                 [&](float d) { return static_cast<std::uint8_t>((d <= limit) == inside); });
  return out;
}

// Marks as 2 the background that is joined to the border of one plane (or of the volume where `nz` > 1).
struct Flood {
  std::int64_t nx, ny, nz, sx, sy, sz;
  bool border_z;
  Outside outside = Outside::border;
  std::vector<std::int64_t> open{};

  void seed(std::uint8_t* state, std::int64_t x, std::int64_t y, std::int64_t z) {
    const std::int64_t at = x * sx + y * sy + z * sz;
    if (state[at] != 0) return;
    state[at] = 2;
    open.push_back(x + nx * (y + ny * z));
  }
  void run(std::uint8_t* state) {
    outside == Outside::corners ? seed_corners(state) : seed_border(state);
    spread(state);
  }
  void seed_corners(std::uint8_t* state) {
    for (std::int64_t z = 0; z < nz; ++z)
      for (const std::int64_t y : {std::int64_t{0}, ny - 1})
        for (const std::int64_t x : {std::int64_t{0}, nx - 1}) seed(state, x, y, z);
  }
  void seed_border(std::uint8_t* state) {
    for (std::int64_t z = 0; z < nz; ++z)
      for (std::int64_t y = 0; y < ny; ++y) {
        const bool whole = y == 0 || y == ny - 1 || (border_z && (z == 0 || z == nz - 1));
        for (std::int64_t x = 0; x < nx; x += whole || nx == 1 ? 1 : nx - 1) seed(state, x, y, z);
      }
  }
  void spread(std::uint8_t* state) {
    while (!open.empty()) {
      const std::int64_t at = open.back();
      open.pop_back();
      const std::int64_t x = at % nx, y = at / nx % ny, z = at / nx / ny;
      if (x > 0) seed(state, x - 1, y, z);
      if (x + 1 < nx) seed(state, x + 1, y, z);
      if (y > 0) seed(state, x, y - 1, z);
      if (y + 1 < ny) seed(state, x, y + 1, z);
      if (z > 0) seed(state, x, y, z - 1);
      if (z + 1 < nz) seed(state, x, y, z + 1);
    }
  }
};

Volume<std::uint8_t> copy_as_binary(VolumeView<const std::uint8_t> mask) {
  Volume<std::uint8_t> state(mask.grid);
  std::transform(mask.voxels.begin(), mask.voxels.end(), state.voxels().begin(),
                 [](std::uint8_t v) { return static_cast<std::uint8_t>(v != 0); });
  return state;
}

void keep_what_was_not_reached(Volume<std::uint8_t>& state) {
  for (auto& v : state.voxels()) v = v != 2;
}

}  // namespace

Volume<float> squared_distance_mm2(VolumeView<const std::uint8_t> mask) { return distance_to(mask, true); }

Volume<std::uint8_t> dilate(VolumeView<const std::uint8_t> mask, double radius_mm) {
  return threshold_distance(distance_to(mask, true), radius_mm, true);
}

Volume<std::uint8_t> erode(VolumeView<const std::uint8_t> mask, double radius_mm) {
  return threshold_distance(distance_to(mask, false), radius_mm, false);
}

Volume<std::uint8_t> open(VolumeView<const std::uint8_t> mask, double radius_mm) {
  return dilate(erode(mask, radius_mm).view(), radius_mm);
}

Volume<std::uint8_t> close(VolumeView<const std::uint8_t> mask, double radius_mm) {
  return erode(dilate(mask, radius_mm).view(), radius_mm);
}

Volume<std::uint8_t> fill_holes(VolumeView<const std::uint8_t> mask) {
  Volume<std::uint8_t> state = copy_as_binary(mask);
  const Size3& size = mask.grid.size();
  Flood{size[0], size[1], size[2], 1, size[0], size[0] * size[1], true}.run(state.voxels().data());
  keep_what_was_not_reached(state);
  return state;
}

Volume<std::uint8_t> fill_holes_by_slice(VolumeView<const std::uint8_t> mask, int index_axis, Outside outside) {
  Volume<std::uint8_t> state = copy_as_binary(mask);
  const Size3& size = mask.grid.size();
  const std::array<std::int64_t, 3> strides{1, size[0], size[0] * size[1]};
  const auto k = static_cast<std::size_t>(index_axis);
  const std::size_t a = k == 0 ? 1 : 0, b = k == 2 ? 1 : 2;
  parallel_for(size[k], 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t slice = first; slice < last; ++slice)
      Flood{size[a], size[b], 1, strides[a], strides[b], 0, false, outside}.run(state.voxels().data() + slice * strides[k]);
  });
  keep_what_was_not_reached(state);
  return state;
}

}  // namespace penta
