#pragma once

#include <vector>

#include "core/label_map.h"
#include "core/picture.h"
#include "render/view.h"
#include "render/window.h"

namespace penta::render {

/// The values of a view, width x height row by row: linear inside the slice, averaged where the picture is coarser.
/// In a projection each is the largest value along the ray (maximum intensity). Complex voxels give their magnitude,
/// colours their luma. The volume must have the view's size.
[[nodiscard]] std::vector<float> values_of(const AnyVolume& volume, const View& view);

/// A slice or, where view.slice is -1, a maximum intensity projection. RGB voxels keep their colours.
[[nodiscard]] Picture picture_of(const AnyVolume& volume, const View& view, const Window& window);
/// A frame; RGB keeps its colours whatever the window says.
[[nodiscard]] Picture picture_of(const Frame2d& frame, const View& view, const Window& window);
/// Slice `index` of a stack, as its pixels lie.
[[nodiscard]] Picture picture_of(const SliceStack& stack, std::size_t index, const View& view, const Window& window);
/// Camera view `index` of `layer`.
[[nodiscard]] Picture picture_of(const Projections& projections, int layer, std::int64_t index, const View& view,
                                 const Window& window);

/// Label values (nearest voxel) under each pixel of a view, width x height; in a projection the first label that the
/// ray meets. Labels on another grid are placed by their mm; planar labels by their pixels, with slice `frame`.
[[nodiscard]] std::vector<std::uint16_t> labels_of(const LabelMap& labels, int layer, const View& view,
                                                   std::int64_t frame = 0);

}  // namespace penta::render
