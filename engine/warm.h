#pragma once

#include "engine/methods.h"

namespace penta::engine {

/// Brings the networks of a method, and of the recognisers that its gate asks, to memory, as far as they were compiled
/// and kept before. For a thread beside the one that reads the input and runs them. Nothing is said of what
/// cannot be read: the method that needs it will say it.
void warm(const Methods& methods, const Method& method) noexcept;

}  // namespace penta::engine
