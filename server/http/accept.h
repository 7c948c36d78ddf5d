#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penta::server {

/// A media type or range (RFC 9110 8.3.1, 12.5.1). Type, subtype and names of parameters are lower case.
struct MediaType {
  std::string type, subtype;
  std::vector<std::pair<std::string, std::string>> parameters;  ///< without q
  double q = 1;

  [[nodiscard]] std::string essence() const { return type + "/" + subtype; }
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
  /// Whether this range takes `essence` in ("image/*" takes "image/png").
  [[nodiscard]] bool takes(std::string_view essence) const noexcept;
};

/// One media type or range; nothing for what is none.
[[nodiscard]] std::optional<MediaType> parse_media_type(std::string_view text);

/// The ranges of an Accept header, best first: by q, then the more specific, then as they stand. Those with q = 0 and
/// malformed ones are left out; an empty header takes anything. At most 64 are looked at.
[[nodiscard]] std::vector<MediaType> parse_accept(std::string_view header);

/// The offer that the best range takes, as a place in `offers`; nothing where none is taken (406).
[[nodiscard]] std::optional<std::size_t> choose(std::span<const MediaType> ranges,
                                                std::span<const std::string_view> offers);

}  // namespace penta::server
