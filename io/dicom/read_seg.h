#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/label_map.h"
#include "core/remark.h"

class DcmItem;

namespace penta::io::dicom {

/// A DICOM Segmentation (BINARY, or FRACTIONAL cut at half of its maximum) from part-10 bytes.
///
/// The grid is the one that the frames span: row and column direction of the frames, slices along their cross product
/// from the first frame to the last, so it may hold fewer slices than the source had (see on_grid). Segments that
/// overlap go to separate layers; a segment's value is its number. Frames without a place in the patient give planar
/// labels, one slice a referenced source frame. Throws Error{bad_input} that says what is wrong: frames at uneven
/// distances, of several orientations, compressed pixels.
[[nodiscard]] LabelMap read_seg(std::span<const std::byte> bytes);

/// The same from a header and the value of its native Pixel Data, as the reader holds them. The acquisition gets the
/// UIDs only; the caller fills the rest.
[[nodiscard]] LabelMap seg_from(DcmItem& data, std::span<const std::byte> native_pixels, std::vector<Remark>& remarks);

/// The same labels on a grid with the same voxel centres (other size, or axes turned or flipped): an exact copy.
/// What lies outside `grid` is lost; `outside` counts it when given. Throws Error{bad_input} where the voxel centres
/// do not coincide within 2 % of a voxel.
[[nodiscard]] LabelMap on_grid(const LabelMap& labels, const Grid& grid, std::int64_t* outside = nullptr);

}  // namespace penta::io::dicom
