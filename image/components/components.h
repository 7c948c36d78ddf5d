#pragma once

#include <cstdint>
#include <vector>

#include "core/volume.h"

namespace penta {

/// Which voxels are neighbours: those that share a face (6), an edge too (18), or a corner too (26).
enum class Connectivity { faces = 6, edges = 18, corners = 26 };

/// Voxels first_x..last_x (inclusive) of row (y, z) that belong to one component.
struct Run {
  std::int64_t y = 0, z = 0, first_x = 0, last_x = 0;
  std::int32_t component = 0;  ///< 1..n

  [[nodiscard]] std::int64_t length() const noexcept { return last_x - first_x + 1; }
};

/// The connected parts of a mask as runs in raster order. Component k (1..n) is the k-th by its first voxel in raster
/// order, so the numbering is the same on every machine and for any number of threads.
struct Components {
  std::vector<Run> runs;
  std::vector<std::int64_t> sizes;  ///< voxels of component k at index k - 1

  [[nodiscard]] int count() const noexcept { return static_cast<int>(sizes.size()); }
  /// The component with the most voxels (the first of equals), or 0 when there is none.
  [[nodiscard]] int largest() const noexcept;
};

/// Parts of the voxels that are not 0, by union-find over runs (Rosenfeld and Pfaltz 1966, on runs).
[[nodiscard]] Components connected_components(VolumeView<const std::uint8_t> mask, Connectivity connectivity);

/// 1 in the components for which keep[k - 1] is true.
[[nodiscard]] Volume<std::uint8_t> mask_of(const Components& components, const std::vector<bool>& keep, const Grid& grid);
/// Component numbers as voxels (0 outside).
[[nodiscard]] Volume<std::int32_t> labels_of(const Components& components, const Grid& grid);
/// 1 in the largest component; empty for an empty mask.
[[nodiscard]] Volume<std::uint8_t> largest_component(VolumeView<const std::uint8_t> mask, Connectivity connectivity);
/// Without the components of fewer than `voxels` voxels.
[[nodiscard]] Volume<std::uint8_t> without_small(VolumeView<const std::uint8_t> mask, Connectivity connectivity,
                                                 std::int64_t voxels);

}  // namespace penta
