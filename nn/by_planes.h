#pragma once

#include <span>
#include <vector>

#include "core/volume.h"
#include "nn/network_spec.h"

namespace penta::nn {

/// As prepared(), from volumes as they were read: each plane is made float and brought to the network's spacing by
/// itself, so that no float copy of the image exists. Floats are all finite. Where the card's words need the whole volume
/// (several grids, statistics before resampling, slices along another axis) it is made of float copies after all.
[[nodiscard]] std::vector<Volume<float>> prepared_by_planes(std::span<const AnyVolume* const> channels, const InputSpec& spec);

}  // namespace penta::nn
