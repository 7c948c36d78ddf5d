#pragma once

#include <cstdint>
#include <span>

#include "nn/network_spec.h"

namespace penta::nn {

/// The value below which `percent` % of `values` lie, linearly interpolated between order statistics at
/// percent / 100 (n - 1) (numpy's default; type 7 of Hyndman and Fan 1996). NaN for no values.
[[nodiscard]] double percentile(std::span<const float> values, double percent);

/// Changes `values`, which are all finite, as `how` says; mean and deviation (population) are those of these values.
/// With `how.nonzero` only of those that are not 0, and only these change. A `mask` (one a value, not 0: counts; may be
/// empty) takes the place of "not 0" there.
void normalise(std::span<float> values, const Normalise& how, std::span<const std::uint8_t> mask = {});

}  // namespace penta::nn
