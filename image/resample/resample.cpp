#include "image/resample/resample.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

namespace penta {

namespace {

/// The two neighbours of a coordinate along one axis and the weight of the upper one.
struct Tap {
  std::int64_t low, high;
  float weight;
};

Tap tap_at(double coordinate, std::int64_t size) noexcept {
  const double held = std::clamp(coordinate, 0.0, static_cast<double>(size - 1));
  const auto low = static_cast<std::int64_t>(held);
  return {low, std::min(low + 1, size - 1), static_cast<float>(held - static_cast<double>(low))};
}

// A voxel reaches half a voxel to each side of its centre; the tolerance takes up rounding of a grid's own corners.
bool inside(const IndexPoint& p, const Size3& size) noexcept {
  constexpr double reach = 0.5 + 1e-6;
  return p.x >= -reach && p.y >= -reach && p.z >= -reach && p.x <= static_cast<double>(size[0]) - 1 + reach &&
         p.y <= static_cast<double>(size[1]) - 1 + reach && p.z <= static_cast<double>(size[2]) - 1 + reach;
}

float interpolate(const float* voxels, const Size3& size, const IndexPoint& p) noexcept {
  const Tap x = tap_at(p.x, size[0]), y = tap_at(p.y, size[1]), z = tap_at(p.z, size[2]);
  const auto row = [&](std::int64_t j, std::int64_t k) {
    const float* line = voxels + size[0] * (j + size[1] * k);
    return line[x.low] + x.weight * (line[x.high] - line[x.low]);
  };
  const auto plane = [&](std::int64_t k) {
    const float low = row(y.low, k);
    return low + y.weight * (row(y.high, k) - low);
  };
  const float low = plane(z.low);
  return low + z.weight * (plane(z.high) - low);
}

template <class T, class Value>
Volume<T> filled(const Grid& from, const Grid& grid, T outside, bool hold, const Value& value) {
  Volume<T> out(grid);
  const IndexMap map = index_map(grid, from);
  const auto voxels = out.voxels();
  parallel_for(grid.size()[1] * grid.size()[2], 64, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t line = first; line < last; ++line) {
      const auto j = static_cast<double>(line % grid.size()[1]), k = static_cast<double>(line / grid.size()[1]);
      T* to = voxels.data() + line * grid.size()[0];
      for (std::int64_t i = 0; i < grid.size()[0]; ++i) {
        const IndexPoint p = map.at(static_cast<double>(i), j, k);
        to[i] = hold || inside(p, from.size()) ? value(p) : outside;
      }
    }
  });
  return out;
}

template <class T>
Volume<T> nearest(VolumeView<const T> labels, const Grid& grid, T outside) {
  const Size3& size = labels.grid.size();
  const auto index = [](double c, std::int64_t n) {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(c + 0.5)), 0, n - 1);
  };
  return filled<T>(labels.grid, grid, outside, false, [&](const IndexPoint& p) {
    return labels.at(index(p.x, size[0]), index(p.y, size[1]), index(p.z, size[2]));
  });
}

}  // namespace

IndexMap index_map(const Grid& from, const Grid& to) noexcept {
  const IndexPoint start = to.to_index(from.to_patient({0, 0, 0}));
  const auto step = [&](const IndexPoint& p) -> Vector3 {
    const IndexPoint there = to.to_index(from.to_patient(p));
    return {there.x - start.x, there.y - start.y, there.z - start.z};
  };
  return {start, step({1, 0, 0}), step({0, 1, 0}), step({0, 0, 1})};
}

float linear_at(VolumeView<const float> image, const IndexPoint& index, float outside) noexcept {
  if (!inside(index, image.grid.size())) return outside;
  double sum = 0;
  for (int corner = 0; corner < 8; ++corner) {
    const std::array<double, 3> at{index.x, index.y, index.z};
    std::array<std::int64_t, 3> v{};
    double weight = 1;
    for (std::size_t a = 0; a < 3; ++a) {
      const double held = std::clamp(at[a], 0.0, static_cast<double>(image.grid.size()[a] - 1));
      const bool upper = ((corner >> a) & 1) != 0;
      v[a] = std::min(static_cast<std::int64_t>(held) + (upper ? 1 : 0), image.grid.size()[a] - 1);
      weight *= upper ? held - std::floor(held) : 1 - (held - std::floor(held));
    }
    sum += weight * static_cast<double>(image.at(v[0], v[1], v[2]));
  }
  return static_cast<float>(sum);
}

Volume<float> resample_linear(VolumeView<const float> image, const Grid& grid, float outside) {
  return filled<float>(image.grid, grid, outside, false, [&](const IndexPoint& p) {
    return interpolate(image.voxels.data(), image.grid.size(), p);
  });
}

Volume<float> resample_linear_held(VolumeView<const float> image, const Grid& grid) {
  return filled<float>(image.grid, grid, 0.F, true, [&](const IndexPoint& p) {
    return interpolate(image.voxels.data(), image.grid.size(), p);
  });
}

Volume<std::uint8_t> resample_nearest(VolumeView<const std::uint8_t> labels, const Grid& grid, std::uint8_t outside) {
  return nearest(labels, grid, outside);
}
Volume<std::uint16_t> resample_nearest(VolumeView<const std::uint16_t> labels, const Grid& grid, std::uint16_t outside) {
  return nearest(labels, grid, outside);
}

}  // namespace penta
