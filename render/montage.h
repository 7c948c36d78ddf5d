#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/label_map.h"
#include "core/picture.h"
#include "render/text.h"
#include "render/view.h"

namespace penta::render {

struct Tile {
  Picture picture;
  std::string caption;  ///< one line under the picture; cut with "..." where it is too long
};

struct MontageStyle {
  int columns = 0;  ///< 0: about as wide as high
  std::int64_t gap_px = 6;
  int caption_px = 13;
  Rgb8 background{0, 0, 0};
};

/// The pictures in a grid of cells as large as the largest, each centred, with its caption below. No tiles: 1 x 1
/// pixel.
[[nodiscard]] Picture montage(std::span<const Tile> tiles, const Text& text, const MontageStyle& style = {});

/// Made smaller by averaging so that the longer side has `longest_px`; a smaller picture stays as it is.
[[nodiscard]] Picture thumbnail(const Picture& picture, std::int64_t longest_px = 160);

struct KeySlice {
  Plane plane = Plane::axial;
  std::int64_t slice = 0;
};

/// Axial, coronal and sagittal through the middle.
[[nodiscard]] std::vector<KeySlice> key_slices(const Grid& grid);
/// The same through what is labelled (`value` of `layer`; 0: any): through its centre of mass, or the nearest slice
/// that meets it. Slices are those of the labels' grid. Without any labelled voxel: the middle.
[[nodiscard]] std::vector<KeySlice> key_slices(const LabelMap& labels, int layer = 0, int value = 0);
/// `count` slices of a plane, evenly spaced, from the patient's feet (right, front) up; those of `within` only when
/// given.
[[nodiscard]] std::vector<KeySlice> spread_slices(const Grid& grid, Plane plane, int count);
[[nodiscard]] std::vector<KeySlice> spread_slices(const LabelMap& within, Plane plane, int count);

}  // namespace penta::render
