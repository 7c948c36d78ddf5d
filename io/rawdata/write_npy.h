#pragma once

#include <cstddef>
#include <vector>

#include "core/image.h"
#include "core/raw_data.h"

namespace penta::io::rawdata {

/// One array (numpy.lib.format 1.0), little-endian, last axis fastest; what read_npy gives back of it is the same.
/// k-space: complex64 [coil, z, y, x] ([coil, y, x] of one plane); projections: float32 [window x gate, view, row,
/// column]; sinogram: float32 [plane, view, bin]; channel data: float32 [transmit, element, sample]; list mode: uint64.
[[nodiscard]] std::vector<std::byte> write_npy(const RawData& raw);

/// Volumes as [volume, z, y, x] ([z, y, x] of one), frames as [frame, row, column] ([row, column] of one), colour with
/// a last axis of 3. Throws Error{bad_input} on slices that are no volume, and on volumes or frames that differ.
[[nodiscard]] std::vector<std::byte> write_npy(const Image& image);

}  // namespace penta::io::rawdata
