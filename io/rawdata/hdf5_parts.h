#pragma once

#include <optional>
#include <vector>

#include "core/raw_data.h"
#include "io/rawdata/hdf5_file.h"

/// The HDF5 layouts that are known, each from the open file; used by hdf5.cpp only.
namespace penta::io::rawdata {

/// ISMRMRD: `group` holds xml and data. Cartesian readouts of the first slice, contrast, phase, repetition and set on
/// the encoded grid, averages taken together; other trajectories are refused by name.
[[nodiscard]] KSpace ismrmrd_kspace(const Hdf5File& file, const std::string& group, Acquisition& acquisition,
                                    std::vector<Remark>& remarks);

/// pybf: /data/rf_data/frame_N/shot_M [element, sample], trans_params, data/tx_mode (plane waves, rad).
[[nodiscard]] ChannelData pybf_channels(const Hdf5File& file, std::vector<Remark>& remarks);

/// PICMUS: /US/US_DATASET0000/data/real [angle, element, sample], RF only.
[[nodiscard]] ChannelData picmus_channels(const Hdf5File& file, const std::string& group, std::vector<Remark>& remarks);

}  // namespace penta::io::rawdata
