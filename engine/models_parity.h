#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
#include "nn/engine.h"

namespace penta::engine {

/// What a network gives for sin(0.37 i), i the flat index, of `shape`: some of its values, to be compared later (the
/// parity.json of a bundle; train/common.py writes the same).
[[nodiscard]] Json parity_of(const nn::Network& network, const std::vector<std::int64_t>& shape);

/// Runs a network on its parity sample again. Throws Error{model_missing} that names `what` where a value differs by more
/// than the sample's tolerance times the largest value (or 1 where that is more), or the shape differs.
void check_parity(const nn::Network& network, const Json& parity, const std::string& what);

/// sin(0.37 i) as a tensor.
[[nodiscard]] nn::Tensor sine_tensor(const std::vector<std::int64_t>& shape);

}  // namespace penta::engine
