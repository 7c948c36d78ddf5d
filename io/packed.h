#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penta::io {

/// Raw deflate (RFC 1951) of a text, at the quickest level.
[[nodiscard]] std::vector<std::byte> packed(std::string_view text);
/// What packed() was given. Throws Error{internal} where the bytes do not give a text of `size` bytes.
[[nodiscard]] std::string unpacked(std::span<const std::byte> bytes, std::size_t size);

}  // namespace penta::io
