#pragma once

#include <cstdint>
#include <span>

#include "core/control.h"
#include "core/volume.h"
#include "nn/bundle.h"

namespace penta::nn {

/// Labels of a label network on the grid of channels[0]: each voxel the class of the largest logit (0 the first class), of
/// a single class 1 above the card's threshold, of overlapping outputs (`regions`) the last that is above it; beyond what
/// the network saw 0. Values are finite; `channels` are the card's, in its order. Nothing of the size classes x volume is
/// made. Throws Error{model_missing} where the network does not give one value a class and voxel, Error{cancelled}.
[[nodiscard]] Volume<std::uint16_t> segment(const ModelStore& models, const Bundle& bundle,
                                            std::span<const VolumeView<const float>> channels, const Control& control);

/// The logit (or probability) above which a single class or a region counts.
[[nodiscard]] float threshold_of(const NetworkSpec& spec) noexcept;

}  // namespace penta::nn
