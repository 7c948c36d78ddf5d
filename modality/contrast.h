#pragma once

#include <string>

#include "core/acquisition.h"

namespace penta {

/// True where a header names a contrast agent: (0018,0010) has a text that is not a way to say none.
[[nodiscard]] bool contrast_given(const Fact<std::string>& agent);

}  // namespace penta
