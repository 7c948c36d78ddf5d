#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penta::server {

struct Span {
  std::int64_t offset = 0, length = 0;
};

enum class RangeAnswer { whole, part, unsatisfiable };

/// A Range header (RFC 9110 14.2) of one range of bytes over `size` bytes; several ranges, other units and malformed
/// ones are answered with the whole.
[[nodiscard]] RangeAnswer parse_range(std::string_view header, std::int64_t size, Span& out);

/// Whether an If-None-Match header names this ETag (weak comparison).
[[nodiscard]] bool etag_matches(std::string_view header, std::string_view etag);

/// Whether a Host header names this machine: localhost, 127.x.y.z or [::1], with any port.
[[nodiscard]] bool is_loopback_host(std::string_view host);
/// Whether an Origin header is http or https of such a host.
[[nodiscard]] bool is_loopback_origin(std::string_view origin);

}  // namespace penta::server
