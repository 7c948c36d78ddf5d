#pragma once

#include <cstddef>
#include <vector>

#include "engine/jobs/workers.h"

namespace penta::engine {

/// A frame as PNG or JPEG, made in a worker. Throws Error{bad_input} that says what is wrong with the file; the name that
/// the server gave it is left out.
[[nodiscard]] std::vector<std::byte> rendered_picture(const RenderRequest& request);

}  // namespace penta::engine
