#pragma once

#include <cstddef>

namespace penta {

/// `bytes` of zeros, 64-byte aligned. Large ones are pages that the kernel zeroes as they are first touched, so that the
/// threads that fill a volume share that work. Throws std::bad_alloc.
[[nodiscard]] void* zeroed_memory(std::size_t bytes);
/// Gives back what zeroed_memory(bytes) gave.
void release_memory(void* memory, std::size_t bytes) noexcept;

}  // namespace penta
