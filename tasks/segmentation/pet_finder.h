#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/volume.h"

namespace penta {

/// Voxels from `low` to `high`, both in it.
struct Box {
  std::array<std::int64_t, 3> low, high;  // inclusive
};

/// A region while it is made.
struct Lesion {
  std::vector<std::int64_t> voxels;  // offsets, rising
  double maximum = 0, sum = 0;       // sum: TLG but for the voxel's volume
};

/// Grows regions in an SUV image, where NaN belongs to nothing; what was taken is not taken again.
class Finder {
 public:
  explicit Finder(const Volume<float>& suv) : suv_(suv), taken_(suv.grid()), seen_(suv.grid()) {}

  // What is joined to `start` (26 neighbours) at or above `level` inside `box` and not yet taken; offsets rise.
  std::vector<std::int64_t> grow(std::int64_t start, double level, const Box& box) {
    std::vector<std::int64_t> found{start};
    mark(start) = 1;
    for (std::size_t next = 0; next < found.size(); ++next) visit_neighbours(found[next], level, box, found);
    for (const std::int64_t at : found) mark(at) = 0;
    std::sort(found.begin(), found.end());
    return found;
  }

  Lesion take(std::vector<std::int64_t> voxels) {
    Lesion lesion;
    lesion.voxels = std::move(voxels);
    for (const std::int64_t at : lesion.voxels) {
      taken_.voxels()[static_cast<std::size_t>(at)] = 1;
      lesion.maximum = std::max(lesion.maximum, value(at));
      lesion.sum += value(at);
    }
    return lesion;
  }

  [[nodiscard]] bool is_taken(std::int64_t at) const noexcept {
    return taken_.voxels()[static_cast<std::size_t>(at)] != 0;
  }
  [[nodiscard]] double value(std::int64_t at) const noexcept {
    return static_cast<double>(suv_.voxels()[static_cast<std::size_t>(at)]);
  }
  [[nodiscard]] std::array<std::int64_t, 3> place(std::int64_t at) const noexcept {
    const Size3& size = suv_.grid().size();
    return {at % size[0], at / size[0] % size[1], at / size[0] / size[1]};
  }

  [[nodiscard]] Box box_around(std::int64_t at, double mm) const noexcept {
    const auto centre = place(at);
    Box box{};
    for (std::size_t k = 0; k < 3; ++k) {
      const auto reach = static_cast<std::int64_t>(std::ceil(mm / suv_.grid().spacing_mm()[k]));
      box.low[k] = std::max<std::int64_t>(0, centre[k] - reach);
      box.high[k] = std::min(suv_.grid().size()[k] - 1, centre[k] + reach);
    }
    return box;
  }

  // Mean fall of the values, per mm, over the faces between the region and what is outside it.
  double edge_slope(const std::vector<std::int64_t>& region) {
    for (const std::int64_t at : region) mark(at) = 1;
    const Size3& size = suv_.grid().size();
    const std::array<std::int64_t, 3> strides{1, size[0], size[0] * size[1]};
    double sum = 0;
    std::int64_t faces = 0;
    for (const std::int64_t at : region) {
      const auto p = place(at);
      for (std::size_t k = 0; k < 3; ++k)
        for (const std::int64_t side : {-1, 1}) {
          if (p[k] + side < 0 || p[k] + side >= size[k] || mark(at + side * strides[k]) != 0) continue;
          const double beyond = value(at + side * strides[k]);
          if (std::isnan(beyond)) continue;
          sum += (value(at) - beyond) / suv_.grid().spacing_mm()[k];
          ++faces;
        }
    }
    for (const std::int64_t at : region) mark(at) = 0;
    return faces > 0 ? sum / static_cast<double>(faces) : 0;
  }

  // The voxels on the surface of the box that lies `mm` beyond a region.
  [[nodiscard]] std::vector<std::int64_t> shell_around(const std::vector<std::int64_t>& region, double mm) const {
    Box box{suv_.grid().size(), {0, 0, 0}};
    for (const std::int64_t at : region)
      for (std::size_t k = 0; k < 3; ++k) {
        const std::int64_t reach = static_cast<std::int64_t>(std::ceil(mm / suv_.grid().spacing_mm()[k]));
        box.low[k] = std::max<std::int64_t>(0, std::min(box.low[k], place(at)[k] - reach));
        box.high[k] = std::min(suv_.grid().size()[k] - 1, std::max(box.high[k], place(at)[k] + reach));
      }
    std::vector<std::int64_t> shell;
    for (std::int64_t z = box.low[2]; z <= box.high[2]; ++z)
      for (std::int64_t y = box.low[1]; y <= box.high[1]; ++y)
        for (std::int64_t x = box.low[0]; x <= box.high[0]; ++x)
          if (x == box.low[0] || x == box.high[0] || y == box.low[1] || y == box.high[1] || z == box.low[2] ||
              z == box.high[2])
            shell.push_back(suv_.grid().offset(x, y, z));
    return shell;
  }

 private:
  std::uint8_t& mark(std::int64_t at) noexcept { return seen_.voxels()[static_cast<std::size_t>(at)]; }

  void visit_neighbours(std::int64_t at, double level, const Box& box, std::vector<std::int64_t>& found) {
    const auto p = place(at);
    for (std::int64_t z = std::max(box.low[2], p[2] - 1); z <= std::min(box.high[2], p[2] + 1); ++z)
      for (std::int64_t y = std::max(box.low[1], p[1] - 1); y <= std::min(box.high[1], p[1] + 1); ++y)
        for (std::int64_t x = std::max(box.low[0], p[0] - 1); x <= std::min(box.high[0], p[0] + 1); ++x) {
          const std::int64_t there = suv_.grid().offset(x, y, z);
          if (mark(there) != 0 || is_taken(there) || !(value(there) >= level)) continue;  // NaN is not above
          mark(there) = 1;
          found.push_back(there);
        }
  }

  const Volume<float>& suv_;
  Volume<std::uint8_t> taken_, seen_;
};

}  // namespace penta
