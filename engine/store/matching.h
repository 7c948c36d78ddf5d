#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace penta::engine {

/// How values of an attribute are compared (PS3.4 C.2.2.2).
enum class MatchKind { text, name, fuzzy_name, uid, date, time };

/// A query's value, taken apart once.
class Pattern {
 public:
  Pattern(MatchKind kind, std::string_view query);
  /// `value`: as stored; several values joined by backslashes, the groups of a name by '='. An empty query matches all.
  [[nodiscard]] bool matches(std::string_view value) const;

 private:
  [[nodiscard]] bool one_matches(std::string_view value) const;
  MatchKind kind_;
  bool all_ = false, range_ = false;
  std::vector<std::string> words_;  ///< UIDs of a list, words of a name, the ends of a range, or the one text
};

/// * stands for any characters, ? for one (of UTF-8).
[[nodiscard]] bool wildcard_match(std::string_view pattern, std::string_view text) noexcept;
/// Lower case of Latin, Greek and Cyrillic letters in UTF-8; other characters stay.
[[nodiscard]] std::string folded(std::string_view utf8);
/// How values of this VR are compared; sequences and numbers are compared as text.
[[nodiscard]] MatchKind match_kind(std::string_view vr, bool fuzzy) noexcept;

}  // namespace penta::engine
