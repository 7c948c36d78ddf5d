#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/remark.h"
#include "core/volume.h"
#include "io/nifti/header.h"

namespace penta::io::nifti {

/// The stored voxels of all time points as volumes of the nearest voxel type, slope and intercept applied
/// (a slope of 0 means none; whole numbers stay whole without them). What is lost on the way is a remark.
/// `data` holds data_bytes(header) bytes.
[[nodiscard]] std::vector<AnyVolume> decode(const Header& header, const Grid& grid, std::span<const std::byte> data,
                                            std::vector<Remark>& remarks);

}  // namespace penta::io::nifti
