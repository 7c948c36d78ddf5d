#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/label_map.h"

namespace penta::io::dicom {

class Object;

/// A DICOM Segmentation from part-10 bytes: BINARY, FRACTIONAL (cut at half of its maximum, which a remark says), or
/// LABELMAP (Sup 243); native or in any transfer syntax that images are read in.
///
/// The grid is the one that the frames span: row and column direction of the frames, slices along their cross product
/// from the first frame to the last, so it may hold fewer slices than the source had (see on_grid); frames may come in
/// any order, and those that are left out are empty. Segments that overlap go to separate layers; a segment's value is
/// its number. Background is the Pixel Padding Value of a LABELMAP, else 0. Frames without a place in the patient give
/// planar labels, one slice a referenced source frame.
/// Throws Error{bad_input} that names the tag and what is wrong: frames at distances that are no multiples of one, of
/// several orientations or times, tiles of slide microscopy, pixel data that ends too early.
[[nodiscard]] LabelMap read_seg(std::span<const std::byte> bytes);

/// The same from a whole instance, as the reader holds it. The acquisition gets the UIDs only; the caller fills the
/// rest.
[[nodiscard]] LabelMap seg_from(const Object& object);

/// The same labels on a grid with the same voxel centres (other size, or axes turned or flipped): an exact copy.
/// What lies outside `grid` is lost; `outside` counts it when given. Throws Error{bad_input} where the voxel centres
/// do not coincide within 2 % of a voxel.
[[nodiscard]] LabelMap on_grid(const LabelMap& labels, const Grid& grid, std::int64_t* outside = nullptr);

}  // namespace penta::io::dicom
