#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/volume.h"
#include "nn/bundle.h"

namespace penta {

/// The value below which `share` of the values lie (nearest rank, downwards).
[[nodiscard]] float value_at_share(std::span<const float> values, double share);

/// Names of the classes of an output that models/mr.brain offers ("mask", "tissue"), the background first.
[[nodiscard]] std::vector<std::string> brain_classes(const nn::ModelStore& models, const std::string& output);

/// What that output says of a T1 volume of finite values, on `grid`. The volume is cut to the head first, so that the
/// air around it costs nothing.
[[nodiscard]] Volume<std::uint16_t> brain_labels(const nn::ModelStore& models, const Volume<float>& t1,
                                                 const std::string& output, const Grid& grid);

}  // namespace penta
