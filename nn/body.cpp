#include "nn/body.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "image/components/components.h"
#include "image/morphology/morphology.h"

namespace penta::nn {

namespace {

/// The box of the voxels that are not 0, and `margin` voxels around it inside the grid.
Box box_of(VolumeView<const std::uint8_t> mask, const Size3& margin) {
  const Size3& size = mask.grid.size();
  Size3 low = size, high{-1, -1, -1};
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y) {
      const std::uint8_t* line = &mask.at(0, y, z);
      const std::uint8_t* end = line + size[0];
      const std::uint8_t* first = std::find_if(line, end, [](std::uint8_t v) { return v != 0; });
      if (first == end) continue;
      const std::uint8_t* last = end - 1;
      while (*last == 0) --last;
      low = {std::min(low[0], first - line), std::min(low[1], y), std::min(low[2], z)};
      high = {std::max(high[0], last - line), std::max(high[1], y), std::max(high[2], z)};
    }
  if (high[0] < 0) return {{}, size};
  Box box;
  for (std::size_t k = 0; k < 3; ++k) {
    box.first[k] = std::max<std::int64_t>(0, low[k] - margin[k]);
    box.size[k] = std::min(size[k], high[k] + margin[k] + 1) - box.first[k];
  }
  return box;
}

}  // namespace

Volume<std::uint8_t> content_mask(std::span<const VolumeView<const float>> channels) {
  Volume<std::uint8_t> mask(channels.front().grid);
  const auto to = mask.voxels();
  for (const VolumeView<const float>& channel : channels)
    for (std::size_t i = 0; i < to.size(); ++i)
      if (channel.voxels[i] != 0.F) to[i] = 1;
  return fill_holes(std::as_const(mask).view());
}

Box body_box(std::span<const VolumeView<const float>> channels, const BodyBox& how) {
  Volume<std::uint8_t> mask(channels.front().grid);
  const auto to = mask.voxels();
  if (how.kind == BodyBox::Kind::nonzero) {
    for (const VolumeView<const float>& channel : channels)
      for (std::size_t i = 0; i < to.size(); ++i)
        if (channel.voxels[i] != 0.F) to[i] = 1;
  } else {
    const auto from = channels.front().voxels;
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<double>(from[i]) > how.level ? 1 : 0;
  }
  return body_box(std::move(mask), how);
}

Box body_box(Volume<std::uint8_t> mask, const BodyBox& how) {
  if (how.kind == BodyBox::Kind::nonzero) return box_of(std::as_const(mask).view(), {});
  mask = largest_component(std::as_const(mask).view(), Connectivity::faces);
  Size3 margin{};
  for (std::size_t k = 0; k < 3; ++k)
    margin[k] = static_cast<std::int64_t>(std::ceil(how.margin_mm / mask.grid().spacing_mm()[k]));
  return box_of(std::as_const(mask).view(), margin);
}

}  // namespace penta::nn
