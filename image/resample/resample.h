#pragma once

#include <cstdint>

#include "core/volume.h"

namespace penta {

/// Where the voxel centres of one grid lie in the index space of another: index = start + i x + j y + k z.
struct IndexMap {
  IndexPoint start;
  Vector3 x, y, z;

  [[nodiscard]] IndexPoint at(double i, double j, double k) const noexcept {
    return {start.x + i * x[0] + j * y[0] + k * z[0], start.y + i * x[1] + j * y[1] + k * z[1],
            start.z + i * x[2] + j * y[2] + k * z[2]};
  }
};
/// From the voxels of `from` to the index space of `to`.
[[nodiscard]] IndexMap index_map(const Grid& from, const Grid& to) noexcept;

/// Trilinear interpolation of `image` at the voxel centres of `grid`. Within half a voxel outside the outermost
/// voxel centres the edge value is held; farther away is `outside`.
[[nodiscard]] Volume<float> resample_linear(VolumeView<const float> image, const Grid& grid, float outside);

/// As resample_linear, but the edge value is held however far away (for crops that reach over the edge).
[[nodiscard]] Volume<float> resample_linear_held(VolumeView<const float> image, const Grid& grid);

/// The nearest voxel of `labels` at the voxel centres of `grid`; `outside` beyond half a voxel from the outermost ones.
[[nodiscard]] Volume<std::uint8_t> resample_nearest(VolumeView<const std::uint8_t> labels, const Grid& grid,
                                                    std::uint8_t outside = 0);
[[nodiscard]] Volume<std::uint16_t> resample_nearest(VolumeView<const std::uint16_t> labels, const Grid& grid,
                                                     std::uint16_t outside = 0);

/// The plain twin of resample_linear: one voxel at a time, from the definition. For tests.
[[nodiscard]] float linear_at(VolumeView<const float> image, const IndexPoint& index, float outside) noexcept;

}  // namespace penta
