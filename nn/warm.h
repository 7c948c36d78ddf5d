#pragma once

#include <span>
#include <string>

#include "nn/bundle.h"

namespace penta::nn {

/// Reads the networks of methods (keys "task/id") and brings to memory what was compiled and kept for them, the last one
/// first, while another thread runs the methods and starts with the first one. Throws what reading throws.
void warm(const ModelStore& models, std::span<const std::string> methods);

}  // namespace penta::nn
