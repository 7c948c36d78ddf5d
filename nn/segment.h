#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/control.h"
#include "core/volume.h"
#include "nn/bundle.h"

namespace penta::nn {

/// What a caller may also want of a segmentation.
struct SegmentExtra {
  bool want_uncertainty = false;
  /// Where wanted: 1 less the probability of the label (softmax, temperature applied), 0..1; 0 where nothing was seen.
  std::optional<Volume<float>> uncertainty;

  std::int64_t windows = 0, skipped = 0;  ///< windows of the sliding window; those not looked at
  std::int64_t channels = 0;              ///< accumulated a voxel: classes, or the features before the last layer
  std::size_t bytes = 0;                  ///< of sums and planes held at once, at most
};

/// Labels of a label network on the grid of channels[0]: each voxel the class of the largest logit (0 the first class), of
/// a single class 1 above the card's threshold, of overlapping outputs (`regions`) the last that is above it; beyond what
/// the network saw 0. Values are finite; `channels` are the card's, in its order.
///
/// Windows run in rows along the longest axis; sums are held for the planes of one window's depth. What is final is
/// interpolated plane by plane onto the output grid, where the best class is kept. Where the last layer is a 1 x 1
/// convolution of fewer features than classes, features are summed and interpolated, and that layer is applied on the
/// output grid (all steps between are linear, so the result is the same up to rounding): memory does not grow with classes.
/// Throws Error{model_missing} where the network does not give one value a class and voxel, Error{cancelled}.
[[nodiscard]] Volume<std::uint16_t> segment(const ModelStore& models, const Bundle& bundle,
                                            std::span<const VolumeView<const float>> channels, const Control& control,
                                            SegmentExtra* extra = nullptr);
/// The same for volumes as they were read (numbers, floats all finite), of which no float copy is made.
[[nodiscard]] Volume<std::uint16_t> segment(const ModelStore& models, const Bundle& bundle,
                                            std::span<const AnyVolume* const> channels, const Control& control,
                                            SegmentExtra* extra = nullptr);

/// The logit (or probability) above which a single class or a region counts.
[[nodiscard]] float threshold_of(const NetworkSpec& spec) noexcept;

}  // namespace penta::nn
