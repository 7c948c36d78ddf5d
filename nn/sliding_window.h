#pragma once

#include <functional>

#include "nn/logits.h"

namespace penta::nn {

/// First voxels of windows of `patch` over `size`: steps of at most half a patch, the same for all, both ends covered.
[[nodiscard]] std::vector<std::int64_t> window_starts(std::int64_t size, std::int64_t patch);

/// Weighted mean of the logits of overlapping windows (overlap at least one half). Weights are a Gaussian about the
/// middle of the window with a deviation of an eighth of its side (nnU-Net, Isensee et al. 2021, Suppl. Note 2).
/// `run` gives the logits of one window on the window's grid. Windows run in order: the sum does not vary.
[[nodiscard]] Logits sliding_window(VolumeView<const float> image, const Size3& patch,
                                    const std::function<Logits(VolumeView<const float>)>& run);

}  // namespace penta::nn
