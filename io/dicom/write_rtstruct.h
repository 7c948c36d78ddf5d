#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/contours.h"
#include "core/image.h"
#include "core/label_map.h"
#include "io/dicom/write_common.h"

namespace penta::io::dicom {

/// An RT Structure Set (PS3.3 A.19) of contours drawn on `source`, as part-10 bytes (implicit VR little endian, since
/// Contour Data may be longer than explicit VR can say, PS3.3 C.8.8.6). Each contour refers to the source's instance
/// in whose plane it lies; a contour's own references stay where it has any. Numbers are written to 16 characters, so
/// what read() gave is written as it was.
/// Throws Error{bad_input}: no regions, a frame of reference that differs from the source's, a point that is not finite.
[[nodiscard]] std::vector<std::byte> write_rtstruct(const Contours& contours, const Image& source,
                                                    const Provenance& provenance);

/// The same of labels, traced along the edges of their voxels: rasterize() of what is read back, on the labels' grid,
/// gives the same voxels. The grid itself is said in Source Pixel Planes Characteristics (PS3.3 C.8.8.6.4).
[[nodiscard]] std::vector<std::byte> write_rtstruct(const LabelMap& labels, const Image& source,
                                                    const Provenance& provenance);

/// SOP Instance UID that write_rtstruct gives with this provenance.
[[nodiscard]] std::string rtstruct_instance_uid(const Provenance& provenance);

}  // namespace penta::io::dicom
