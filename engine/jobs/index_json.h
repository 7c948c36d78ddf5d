#pragma once

#include "core/json.h"
#include "engine/store/instance.h"

namespace penta::engine {

/// An index as it goes from a worker to the server, without the metadata (they go as the payload).
[[nodiscard]] Json json_of(const InstanceIndex& index);
/// Throws Error{bad_input} for what json_of does not make: a worker that was taken over may send anything.
[[nodiscard]] InstanceIndex index_of(const Json& json, std::string metadata);

}  // namespace penta::engine
