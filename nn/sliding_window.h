#pragma once

#include <functional>
#include <span>
#include <vector>

#include "nn/logits.h"

namespace penta::nn {

/// First voxels of windows of `patch` over `size`: as few as overlap by `overlap` of a patch at least, evenly spread and
/// rounded, both ends covered (nnU-Net's compute_steps_for_sliding_window).
[[nodiscard]] std::vector<std::int64_t> window_starts(std::int64_t size, std::int64_t patch, double overlap = 0.5);

/// Gaussian weights along one axis, 1 at the voxel n / 2, with a deviation of n / 8 (nnU-Net's compute_gaussian, Isensee
/// et al. 2021, Suppl. Note 2). A voxel of a window weighs window_weight() of the three.
[[nodiscard]] std::vector<double> gaussian_weights(std::int64_t n);
/// 10 times the product, and no less than what nnU-Net has left where its half-precision weights vanish (2^-24).
[[nodiscard]] inline float window_weight(double product) noexcept {
  constexpr double smallest = 5.9604644775390625e-8;
  return static_cast<float>(10 * product > smallest ? 10 * product : smallest);
}

/// Weighted mean of the logits of overlapping windows.
/// `run` gives the logits of one window on the window's grid. Windows run in order: the sum does not vary.
[[nodiscard]] Logits sliding_window(std::span<const VolumeView<const float>> channels, const Size3& patch, double overlap,
                                    const std::function<Logits(std::span<const VolumeView<const float>>)>& run);

}  // namespace penta::nn
