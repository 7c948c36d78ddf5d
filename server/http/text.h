#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penta::server {

/// Equal but for the case of ASCII letters.
[[nodiscard]] bool same_word(std::string_view a, std::string_view b) noexcept;
[[nodiscard]] std::string lower(std::string_view text);
/// Without spaces and tabs at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;
/// Parts between `separator` that stand outside of quoted strings (RFC 9110 5.6.4), trimmed; empty ones are left out.
[[nodiscard]] std::vector<std::string_view> split_quoted(std::string_view text, char separator);
/// A token, or a quoted string without its quotes and backslashes.
[[nodiscard]] std::string unquoted(std::string_view text);
/// All digits, at most 18 of them.
[[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view text) noexcept;

/// %XX decoded; with `plus`, + is a space. Nothing for a bad escape or a NUL.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, bool plus = false);

/// A request target taken apart (RFC 9112 3.2, origin and absolute form).
struct Target {
  std::string path;                   ///< as sent; begins with /
  std::vector<std::string> segments;  ///< of the path, decoded; "." and ".." do not occur
  std::vector<std::pair<std::string, std::string>> query;
};
/// Nothing for what is none: bad escapes, dot segments, other forms.
[[nodiscard]] std::optional<Target> parse_target(std::string_view text);

}  // namespace penta::server
