#include "server/http/router.h"

#include <algorithm>

namespace penta::server {

namespace {

enum class Kind { name, variable, rest };

Kind kind_of(std::string_view segment) noexcept {
  if (segment.size() < 3 || segment.front() != '{' || segment.back() != '}') return Kind::name;
  return segment[segment.size() - 2] == '*' ? Kind::rest : Kind::variable;
}

std::string variable_name(std::string_view segment) {
  return std::string(segment.substr(1, segment.size() - (kind_of(segment) == Kind::rest ? 3 : 2)));
}

std::vector<std::string> segments_of(std::string_view pattern) {
  std::vector<std::string> out;
  for (std::size_t at = 1; at <= pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', at), pattern.size());
    out.emplace_back(pattern.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (kind_of(pattern[i]) == Kind::rest) return i < path.size();
    if (i >= path.size()) return false;
    if (kind_of(pattern[i]) == Kind::name ? pattern[i] != path[i] : path[i].empty()) return false;
  }
  return pattern.size() == path.size();
}

bool more_special(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](const auto& x, const auto& y) { return kind_of(x) < kind_of(y); });
}

std::map<std::string, std::string> variables(const std::vector<std::string>& pattern,
                                             const std::vector<std::string>& path) {
  std::map<std::string, std::string> out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const Kind kind = kind_of(pattern[i]);
    if (kind == Kind::name) continue;
    std::string value = path[i];
    for (std::size_t j = i + 1; kind == Kind::rest && j < path.size(); ++j) value += "/" + path[j];
    out.emplace(variable_name(pattern[i]), std::move(value));
  }
  return out;
}

bool takes_method(const std::string& route, const std::string& method) {
  return route == method || (method == "HEAD" && route == "GET");
}

}  // namespace

Router::Router(Routes routes) {
  for (Route& route : routes) {
    auto segments = segments_of(route.pattern);
    entries_.push_back({std::move(route), std::move(segments)});
  }
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return more_special(a.segments, b.segments); });
}

std::vector<const Router::Entry*> Router::fitting(const Target& target) const {
  const bool named = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return !entry.segments.empty() && kind_of(entry.segments[0]) == Kind::name &&
           entry.segments[0] == target.segments[0] && !entry.segments[0].empty();
  });
  std::vector<const Entry*> out;
  for (const Entry& entry : entries_)
    if (fits(entry.segments, target.segments) && !(named && kind_of(entry.segments[0]) != Kind::name))
      out.push_back(&entry);
  return out;
}

Response Router::answer(Request& request, const Target& target) const {
  const auto found = fitting(target);
  for (const Entry* entry : found) {
    if (!takes_method(entry->route.method, request.method)) continue;
    request.vars = variables(entry->segments, target.segments);
    return entry->route.handler(request);
  }
  if (found.empty()) throw HttpError(404, "there is nothing at " + target.path);
  Response refused = problem(405, target.path + " does not take " + request.method);
  refused.headers.emplace_back("Allow", allowed(target));
  return refused;
}

std::string Router::allowed(const Target& target) const {
  std::vector<std::string> methods;
  const auto add = [&](const std::string& method) {
    if (std::find(methods.begin(), methods.end(), method) == methods.end()) methods.push_back(method);
  };
  for (const Entry* entry : fitting(target)) {
    add(entry->route.method);
    if (entry->route.method == "GET") add("HEAD");
  }
  std::string out;
  for (const std::string& method : methods) out += (out.empty() ? "" : ", ") + method;
  return out;
}

}  // namespace penta::server
