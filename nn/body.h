#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/volume.h"
#include "nn/network_spec.h"

namespace penta::nn {

/// First voxel and size of a box.
struct Box {
  Size3 first{}, size{};
};

/// 1 where some channel is not 0, holes filled (nnU-Net's create_nonzero_mask).
[[nodiscard]] Volume<std::uint8_t> content_mask(std::span<const VolumeView<const float>> channels);
/// What the card's `crop` leaves of turned volumes; the whole where nothing is found.
[[nodiscard]] Box body_box(std::span<const VolumeView<const float>> channels, const BodyBox& how);

/// The same of the mask of the voxels that are above the level (or not 0).
[[nodiscard]] Box body_box(Volume<std::uint8_t> mask, const BodyBox& how);

/// The part of a volume inside a box.
template <class T>
[[nodiscard]] Volume<T> cut(VolumeView<const T> image, const Box& box) {
  Volume<T> out(image.grid.cropped(box.first, box.size));
  for (std::int64_t z = 0; z < box.size[2]; ++z)
    for (std::int64_t y = 0; y < box.size[1]; ++y)
      std::copy_n(&image.at(box.first[0], box.first[1] + y, box.first[2] + z), box.size[0], &out.at(0, y, z));
  return out;
}

}  // namespace penta::nn
