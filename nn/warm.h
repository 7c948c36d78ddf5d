#pragma once

#include <span>
#include <string>

#include "nn/bundle.h"

namespace penta::nn {

/// Reads the networks of methods (keys "task/id") and brings to memory what was compiled and kept for them, the last one
/// first, while another thread runs the methods and starts with the first one. Nothing is said of what cannot be read:
/// the method that needs it will say it.
void warm(const ModelStore& models, std::span<const std::string> methods) noexcept;

}  // namespace penta::nn
