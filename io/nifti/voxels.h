#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/remark.h"
#include "core/volume.h"
#include "io/nifti/header.h"

namespace penta::io::nifti {

/// The stored voxels of all volumes (dim[4]), slope and intercept applied (a slope of 0 means none). `data` holds
/// data_bytes(header) bytes. All volumes get one voxel type, by one rule for every format that stores numbers:
/// - uint8, int16, uint16, int32, float32, complex64 and RGB stay as they are, bit for bit; int8 becomes int16;
/// - uint32, int64 and uint64 become int32 where the values that are there fit it, else float32;
/// - float64 becomes float32, or int32 where all values are whole and only that holds them; complex128 complex64;
/// - whole numbers with a whole slope and intercept stay whole: the stored type, int16, uint16 or int32, whichever
///   first holds all results; else float32, reckoned in float64;
/// - the alpha of RGBA is dropped; a bit becomes a uint8 of 0 or 1.
/// Where that is not exact, a remark gives the largest error.
/// `room` is what room_for() gave, or empty.
[[nodiscard]] std::vector<AnyVolume> decode(const Header& header, const Grid& grid, std::span<const std::byte> data,
                                            std::vector<Remark>& remarks, std::vector<AnyVolume> room = {});

/// The volumes that decode() will fill, where their type needs no look at the values; else none. They cost time (their
/// memory is cleared), which passes while the file is being unpacked.
[[nodiscard]] std::vector<AnyVolume> room_for(const Header& header, const Grid& grid);

}  // namespace penta::io::nifti
