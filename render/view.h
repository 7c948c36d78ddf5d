#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/grid.h"
#include "core/image.h"
#include "core/raw_data.h"

namespace penta::render {

/// The three planes, as near to the patient's as the voxels lie (no oblique resampling).
enum class Plane { axial, coronal, sagittal };
[[nodiscard]] std::string_view name_of(Plane plane) noexcept;

/// Where a picture lies in a grid: pixel centres (x, y) from the top left map to index positions
/// start + step * pixel along two index axes. Pixels are square. Radiological: the patient's right is on the left of
/// axial and coronal pictures, anterior on the left of sagittal ones; anterior or superior is up.
struct View {
  Grid grid;                         ///< of the volume; of a frame: one slice, in mm or in pixels
  std::array<int, 3> axes{0, 1, 2};  ///< index axes along picture x, picture y, and through the picture
  std::int64_t slice = 0;            ///< along axes[2]; -1: all of them (a projection)
  std::array<double, 2> start{}, step{1, 1};
  std::int64_t width = 0, height = 0;
  double pixel_mm = 0;            ///< edge of a picture's pixel; 0 where there is no mm
  std::array<char, 4> letters{};  ///< left, right, top, bottom: R L A P S I; 0 where unknown

  /// Index position under a pixel; along the third axis the slice (0 in a projection).
  [[nodiscard]] IndexPoint index_of(double x, double y) const noexcept;
  /// Pixel position (not rounded, perhaps outside) of an index position.
  [[nodiscard]] std::array<double, 2> pixel_of(const IndexPoint& index) const noexcept;
  [[nodiscard]] std::array<double, 2> pixel_of(const PatientPoint& place) const noexcept;
  /// How far a place lies from this slice, in slices; 0 in a projection.
  [[nodiscard]] double slices_away(const PatientPoint& place) const noexcept;
};

/// The longer side gets `longest_px` pixels, but a voxel's shorter edge never more than `zoom_max` of them.
struct ViewSize {
  std::int64_t longest_px = 512;
  double zoom_max = 8;
};

/// Number of slices of a plane, and the index axis through it.
[[nodiscard]] std::int64_t slice_count(const Grid& grid, Plane plane) noexcept;

/// A slice (0 .. slice_count - 1 along the index axis; -1 for a projection through all). Throws Error{wrong_use} on
/// another. With `in_mm` false (labels of frames) there are no letters and no mm.
[[nodiscard]] View view_of(const Grid& grid, Plane plane, std::int64_t slice, ViewSize size = {});
/// Row 0 at the top, as the picture lies; square pixels where the frame has unequal mm along x and y.
[[nodiscard]] View view_of(const Frame2d& frame, ViewSize size = {});
[[nodiscard]] View view_of(const SliceStack& stack, ViewSize size = {});
/// One camera view: head up where the header says where rows lie.
[[nodiscard]] View view_of(const Projections& projections, ViewSize size = {});

}  // namespace penta::render
