#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace penta {

/// Adds `count` blocks of 64 bytes to a SHA-256 state (FIPS 180-4, 6.2.2).
using Sha256Blocks = void (*)(std::array<std::uint32_t, 8>& state, const std::uint8_t* data, std::size_t count) noexcept;

void sha256_blocks_plain(std::array<std::uint32_t, 8>& state, const std::uint8_t* data, std::size_t count) noexcept;
/// The one for this machine: its SHA instructions where it has them (ten times as fast), else the plain one.
[[nodiscard]] Sha256Blocks sha256_blocks_here() noexcept;

}  // namespace penta
