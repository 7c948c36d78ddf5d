#include "server/http/accept.h"

#include <algorithm>
#include <cctype>

#include "server/http/text.h"

namespace penta::server {

namespace {

constexpr std::size_t ranges_max = 64;

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

/// "0.5" of RFC 9110 12.4.2; nothing for another text.
std::optional<double> weight(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return {};
  double value = text[0] - '0', unit = 0.1;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (i == 1 && text[i] == '.') continue;
    if (i == 1 || text[i] < '0' || text[i] > '9') return {};
    value += unit * (text[i] - '0');
    unit /= 10;
  }
  return std::min(value, 1.0);
}

int specificity(const MediaType& range) noexcept {
  return (range.type != "*" ? 1 : 0) + (range.subtype != "*" ? 1 : 0) + (range.parameters.empty() ? 0 : 1);
}

}  // namespace

std::optional<std::string> MediaType::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return {};
}

bool MediaType::takes(std::string_view essence) const noexcept {
  const std::size_t slash = essence.find('/');
  if (slash == std::string_view::npos) return false;
  return (type == "*" || type == essence.substr(0, slash)) && (subtype == "*" || subtype == essence.substr(slash + 1));
}

std::optional<MediaType> parse_media_type(std::string_view text) {
  const auto parts = split_quoted(text, ';');
  if (parts.empty()) return {};
  const std::size_t slash = parts[0].find('/');
  if (slash == std::string_view::npos) return {};
  MediaType out{lower(parts[0].substr(0, slash)), lower(parts[0].substr(slash + 1)), {}, 1};
  if (!is_token(out.type) || !is_token(out.subtype) || (out.type == "*" && out.subtype != "*")) return {};
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    if (equals == std::string_view::npos) return {};
    const std::string name = lower(trimmed(parts[i].substr(0, equals)));
    if (!is_token(name)) return {};
    std::string value = unquoted(trimmed(parts[i].substr(equals + 1)));
    if (name != "q") {
      out.parameters.emplace_back(name, std::move(value));
      continue;
    }
    const auto q = weight(value);
    if (!q) return {};
    out.q = *q;
  }
  return out;
}

std::vector<MediaType> parse_accept(std::string_view header) {
  const auto parts = split_quoted(header, ',');
  if (parts.empty()) return {MediaType{"*", "*", {}, 1}};
  std::vector<MediaType> out;
  for (std::size_t i = 0; i < std::min(parts.size(), ranges_max); ++i)
    if (auto range = parse_media_type(parts[i]); range && range->q > 0) out.push_back(std::move(*range));
  std::stable_sort(out.begin(), out.end(), [](const MediaType& a, const MediaType& b) {
    return a.q != b.q ? a.q > b.q : specificity(a) > specificity(b);
  });
  return out;
}

std::optional<std::size_t> choose(std::span<const MediaType> ranges, std::span<const std::string_view> offers) {
  for (const MediaType& range : ranges)
    for (std::size_t i = 0; i < offers.size(); ++i)
      if (range.takes(offers[i])) return i;
  return {};
}

}  // namespace penta::server
