#include "engine/store/matching.h"

#include <algorithm>
#include <cstdint>

namespace penta::engine {

namespace {

std::vector<std::string_view> parts_of(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::string without(std::string_view text, std::string_view dropped) {
  std::string out;
  for (const char c : text)
    if (dropped.find(c) == std::string_view::npos) out += c;
  return out;
}

std::string_view trimmed(std::string_view text, std::string_view padding) {
  const auto first = text.find_first_not_of(padding);
  return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(padding) - first + 1);
}

std::size_t next_character(std::string_view text, std::size_t at) noexcept {
  do ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

std::uint32_t lower(std::uint32_t c) noexcept {
  if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) ||
      (c >= 0x410 && c <= 0x42F))
    return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  const bool odd_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
  if (c >= 0x100 && c <= 0x17E && c != 0x130 && c != 0x131 && c != 0x178 && (c % 2 == (odd_upper ? 1U : 0U))) return c + 1;
  return c == 0x178 ? 0xFF : c;
}

constexpr std::string_view name_separators = "^= ,-";

/// The words of a folded name each with a blank before it, so that a word's start can be searched for.
std::string spaced(std::string_view name) {
  std::string out;
  for (const auto word : parts_of(name, name_separators)) out.append(" ").append(word);
  return out;
}

}  // namespace

std::string folded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    const bool two = first >= 0xC3 && first <= 0xDF && i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xC0) == 0x80;
    if (!two) {
      out += static_cast<char>(first < 0x80 ? lower(first) : first);
      continue;
    }
    const std::uint32_t c = lower((first & 0x1FU) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3FU));
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
  return out;
}

bool wildcard_match(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0, t = 0, star = std::string_view::npos, from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      from = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t = next_character(text, t);
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star;
      t = from = next_character(text, from);
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

MatchKind match_kind(std::string_view vr, bool fuzzy) noexcept {
  if (vr == "PN") return fuzzy ? MatchKind::fuzzy_name : MatchKind::name;
  if (vr == "UI") return MatchKind::uid;
  if (vr == "DA" || vr == "DT") return MatchKind::date;
  return vr == "TM" ? MatchKind::time : MatchKind::text;
}

Pattern::Pattern(MatchKind kind, std::string_view query) : kind_(kind) {
  query = trimmed(query, " ");
  all_ = query.empty() || query == "*";
  switch (kind) {
    case MatchKind::uid:
      for (const auto uid : parts_of(query, "\\,")) words_.emplace_back(trimmed(uid, " "));
      break;
    case MatchKind::fuzzy_name: {
      const std::string whole = folded(without(query, "*?"));
      for (const auto word : parts_of(whole, name_separators)) words_.push_back(" " + std::string(word));
      break;
    }
    case MatchKind::name: words_.push_back(std::string(trimmed(folded(query), "^ "))); break;
    case MatchKind::date:
    case MatchKind::time: {
      const std::string plain = without(query, kind == MatchKind::date ? "." : ":");
      const auto dash = plain.find('-');
      range_ = dash != std::string::npos;
      words_.emplace_back(trimmed(std::string_view(plain).substr(0, dash), " "));
      if (range_) words_.emplace_back(trimmed(std::string_view(plain).substr(dash + 1), " "));
      break;
    }
    case MatchKind::text: words_.emplace_back(query);
  }
}

bool Pattern::matches(std::string_view value) const {
  if (all_) return true;
  if (value.find('\\') == std::string_view::npos) return one_matches(value);
  for (const auto part : parts_of(value, "\\"))
    if (one_matches(part)) return true;
  return false;
}

bool Pattern::one_matches(std::string_view value) const {
  if (kind_ == MatchKind::text) return wildcard_match(words_[0], trimmed(value, " "));
  if (kind_ == MatchKind::uid) return std::find(words_.begin(), words_.end(), trimmed(value, " ")) != words_.end();
  if (kind_ == MatchKind::name) {
    const std::string name = folded(value);
    if (wildcard_match(words_[0], trimmed(name, "^ "))) return true;
    for (const auto group : parts_of(name, "="))
      if (wildcard_match(words_[0], trimmed(group, "^ "))) return true;
    return false;
  }
  if (kind_ == MatchKind::fuzzy_name) {
    const std::string name = spaced(folded(value));
    return std::all_of(words_.begin(), words_.end(), [&](const std::string& word) { return name.find(word) != std::string::npos; });
  }
  // Dates and times: digits, the most significant first, so that text order is theirs. An end that is given to the
  // minute holds for all of that minute.
  const std::string at = without(trimmed(value, " "), kind_ == MatchKind::date ? "." : ":");
  if (at.empty()) return false;
  if (!range_) return at == words_[0] || (kind_ == MatchKind::time && at.starts_with(words_[0]));
  const bool after = at >= words_[0] || words_[0].starts_with(at);
  return after && (words_[1].empty() || std::string_view(at).substr(0, words_[1].size()) <= words_[1]);
}

}  // namespace penta::engine
