#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"
#include "io/dicom/write_common.h"

namespace penta::io::dicom {

/// How a Segmentation holds its labels. `automatic`: BINARY up to 3 segments, for layers that may overlap, and where the
/// receiver does not take LABELMAP; else LABELMAP.
enum class SegType { automatic, binary, labelmap };
/// What `automatic` comes to for these labels.
[[nodiscard]] SegType seg_type_of(const LabelMap& labels, SegType asked, bool takes_labelmap = true) noexcept;
/// SOP Class UID: Segmentation Storage, or Label Map Segmentation Storage (Sup 243).
[[nodiscard]] const char* seg_class_uid(SegType type) noexcept;
/// Segment Number (0062,0004) of row `row` of labels.segments: row + 1 in a BINARY; in a LABELMAP the label's own value,
/// or row + 1 where two layers use one value.
[[nodiscard]] int segment_number(const LabelMap& labels, std::size_t row, SegType type);

/// A DICOM Segmentation (PS3.3 A.51, C.8.20) as part-10 bytes.
///
/// BINARY: explicit VR little endian, frames only where a segment has voxels (one empty frame when nothing was found at
/// all). LABELMAP (PS3.3 2024d, Sup 243): RLE Lossless, 8 bits a pixel, or 16 for numbers above 255, MONOCHROME2, one
/// frame for every slice, segment 0 the background.
/// Labels of a volume carry plane positions, and references to the source's instances where the planes agree.
/// Labels of plain frames carry no positions, only references to the source's frames (PS3.3 A.51.5: then the plane
/// macros may be absent), so they need source.acquisition.instances.
/// A segment without a type code is written as (85756007, SCT, "Tissue"), and its description says so.
/// Throws Error{bad_input} on labels without segments, on labels of frames that no instance is known for, and on
/// segments that overlap where a LABELMAP is asked for.
[[nodiscard]] std::vector<std::byte> write_seg(const LabelMap& labels, const Image& source,
                                               const Provenance& provenance, SegType type = SegType::binary);

/// SOP Instance UID and Series Instance UID that write_seg gives with this provenance.
[[nodiscard]] std::string seg_instance_uid(const Provenance& provenance);
[[nodiscard]] std::string seg_series_uid(const Provenance& provenance);

/// Tracking UID of row `index` of labels.segments: the SEG and the SR name one thing by it.
[[nodiscard]] std::string tracking_uid(const Provenance& provenance, std::size_t index);

/// The Segment Description of a segment whose type code is not known.
inline constexpr const char* no_type_code_text = "no type code was given: Tissue stands in";

}  // namespace penta::io::dicom
