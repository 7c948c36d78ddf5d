#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace penta::engine {

/// UTF-8 that a PDF font can show: bytes that are no UTF-8 and characters beyond the first 65536 become '?', control
/// characters spaces.
[[nodiscard]] std::string shown(std::string_view text);
/// Of text that went through shown().
[[nodiscard]] char32_t next_of(std::string_view& text) noexcept;
/// True for what stands in the Chinese font, and may end a line anywhere.
[[nodiscard]] bool is_wide(char32_t c) noexcept;

/// Breaks a text into lines of at most `width`: between words, within one that is longer, and at any wide character.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, double width, const std::function<double(char32_t)>& width_of);

}  // namespace penta::engine
