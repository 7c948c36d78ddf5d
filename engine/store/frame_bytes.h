#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/store/instance.h"

namespace penta::engine {

/// Frame ranges as few bytes: numbers of 7 bits a byte, offsets as the gap from the end of the range before.
[[nodiscard]] std::vector<std::byte> frames_to_bytes(const std::vector<std::vector<ByteRange>>& frames);
/// Throws Error{internal} where the bytes are no such list.
[[nodiscard]] std::vector<std::vector<ByteRange>> frames_from_bytes(std::span<const std::byte> bytes);

}  // namespace penta::engine
