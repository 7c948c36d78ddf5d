#pragma once

#include <array>

#include "core/label_map.h"
#include "core/volume.h"
#include "recon/phantom/patient.h"

namespace penta::recon {

using TissueValues = std::array<double, tissue_count>;

/// Mean of a tissue property over each voxel: exact along x, from `lines` x `lines` lines a voxel across. `air` is the value
/// outside. The grid must be unturned (patient axes). Throws Error{bad_input} otherwise.
[[nodiscard]] Volume<float> voxelise(const Patient& patient, const Grid& grid, const TissueValues& values, double air,
                                     int lines = 2);

/// The tissue at each voxel's centre as labels (value = 1 + the tissue's place in the table); only those in the grid are listed.
[[nodiscard]] LabelMap labels_of(const Patient& patient, const Grid& grid);

}  // namespace penta::recon
