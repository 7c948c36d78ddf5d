#include "server/http/ranges.h"

#include <algorithm>

#include "server/http/text.h"

namespace penta::server {

namespace {

std::string_view opaque(std::string_view etag) noexcept { return etag.substr(0, 2) == "W/" ? etag.substr(2) : etag; }

/// Four numbers of at most 255, the first 127.
bool is_loopback_v4(std::string_view text) noexcept {
  for (int i = 0; i < 4; ++i) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    const auto value = whole_number(text.substr(0, dot));
    if (!value || *value > 255 || dot > 3 || (i == 0 && *value != 127)) return false;
    if ((dot == text.size()) != (i == 3)) return false;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return true;
}

}  // namespace

RangeAnswer parse_range(std::string_view header, std::int64_t size, Span& out) {
  constexpr std::string_view unit = "bytes=";
  out = {0, size};
  if (!same_word(header.substr(0, unit.size()), unit)) return RangeAnswer::whole;
  const std::string_view range = trimmed(header.substr(unit.size()));
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos || range.find(',') != std::string_view::npos) return RangeAnswer::whole;
  const auto first = whole_number(range.substr(0, dash)), last = whole_number(range.substr(dash + 1));
  if (dash == 0) {
    if (!last) return RangeAnswer::whole;
    if (*last == 0 || size == 0) return RangeAnswer::unsatisfiable;
    out.offset = std::max<std::int64_t>(0, size - *last);
    out.length = size - out.offset;
    return RangeAnswer::part;
  }
  if (!first || (!last && dash + 1 < range.size()) || (last && *last < *first)) return RangeAnswer::whole;
  if (*first >= size) return RangeAnswer::unsatisfiable;
  out.offset = *first;
  out.length = (last ? std::min(*last, size - 1) : size - 1) - *first + 1;
  return RangeAnswer::part;
}

bool etag_matches(std::string_view header, std::string_view etag) {
  const auto names = split_quoted(header, ',');
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return name == "*" || opaque(name) == opaque(etag); });
}

bool is_loopback_host(std::string_view host) {
  std::string_view name = host, port;
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    name = host.substr(0, colon);
    port = host.substr(colon + 1);
    const auto number = whole_number(port);
    if (!number || *number > 65535) return false;
  }
  return same_word(name, "localhost") || name == "[::1]" || is_loopback_v4(name);
}

bool is_loopback_origin(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin.substr(0, scheme.size()) == scheme) return is_loopback_host(origin.substr(scheme.size()));
  return false;
}

}  // namespace penta::server
