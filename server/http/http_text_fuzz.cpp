#include <cstdint>
#include <cstdlib>

#include "server/http/accept.h"
#include "server/http/ranges.h"
#include "server/http/text.h"

namespace penta::server {
namespace {

/// Targets, Accept, Range, Host, Origin and If-None-Match: any text gives a value or none, and values keep their rules.
void take(std::string_view text) {
  if (const auto target = parse_target(text))
    for (const auto& segment : target->segments)
      if (segment == ".." || segment == "." || segment.find('\0') != std::string::npos) std::abort();
  for (const MediaType& range : parse_accept(text))
    if (!(range.q > 0) || range.q > 1 || range.type.empty() || range.subtype.empty()) std::abort();
  Span span;
  const std::int64_t whole = static_cast<std::int64_t>(text.size()) * 7;
  if (parse_range(text, whole, span) == RangeAnswer::part &&
      (span.offset < 0 || span.length <= 0 || span.offset + span.length > whole))
    std::abort();
  (void)etag_matches(text, "\"a\"");
  if (is_loopback_host(text) && is_loopback_origin(text)) std::abort();
}

}  // namespace
}  // namespace penta::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  penta::server::take({reinterpret_cast<const char*>(data), size});
  return 0;
}
