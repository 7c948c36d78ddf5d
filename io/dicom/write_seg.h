#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"
#include "io/dicom/write_common.h"

namespace penta::io::dicom {

/// A DICOM Segmentation, BINARY (PS3.3 A.51, C.8.20), as part-10 bytes: segment n is row n of labels.segments, with
/// frames only where it has voxels (one empty frame when nothing was found at all).
///
/// Labels of a volume carry plane positions, and references to the source's instances where the planes agree.
/// Labels of plain frames carry no positions, only references to the source's frames (PS3.3 A.51.5: then the plane
/// macros may be absent), so they need source.acquisition.instances.
/// A segment without a type code is written as (85756007, SCT, "Tissue"), and its description says so.
/// Throws Error{bad_input} on labels without segments, and on labels of frames that no instance is known for.
[[nodiscard]] std::vector<std::byte> write_seg(const LabelMap& labels, const Image& source,
                                               const Provenance& provenance);

/// SOP Instance UID and Series Instance UID that write_seg gives with this provenance.
[[nodiscard]] std::string seg_instance_uid(const Provenance& provenance);
[[nodiscard]] std::string seg_series_uid(const Provenance& provenance);

/// Tracking UID of row `index` of labels.segments: the SEG and the SR name one thing by it.
[[nodiscard]] std::string tracking_uid(const Provenance& provenance, std::size_t index);

/// The Segment Description of a segment whose type code is not known.
inline constexpr const char* no_type_code_text = "no type code was given: Tissue stands in";

}  // namespace penta::io::dicom
