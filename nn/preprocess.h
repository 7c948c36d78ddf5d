#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/volume.h"
#include "nn/engine.h"
#include "nn/network_spec.h"

namespace penta::nn {

/// The value below which `percent` % of `values` lie, linearly interpolated between order statistics at
/// percent / 100 (n - 1) (numpy's default; type 7 of Hyndman and Fan 1996). NaN for no values.
[[nodiscard]] double percentile(std::span<const float> values, double percent);

/// Changes `values`, which are all finite, as `how` says; mean and deviation (population) are those of these values.
void normalise(std::span<float> values, const Normalise& how);

/// The image as the network sees it: axes permuted and flipped, cut, resampled, normalised. Not yet padded.
/// A picture is a volume of one slice. The image's values are all finite (the methods of tasks/ see to that).
[[nodiscard]] Volume<float> prepared(VolumeView<const float> image, const InputSpec& spec);

/// First column and row, width and height of the content of a picture; the whole of it where there is none.
[[nodiscard]] std::array<std::int64_t, 4> content_box(VolumeView<const float> picture, const ContentBox& how);

/// [1, 1, z, y, x] (or [1, 1, y, x]), each axis padded at its high end to a multiple.
[[nodiscard]] Tensor to_tensor(VolumeView<const float> image, const InputSpec& spec);

}  // namespace penta::nn
