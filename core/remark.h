#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace penta {

enum class Severity { note, warning, error };

/// One thing worth saying about an input or a result. `code` is stable (snake case); `text` is for people.
struct Remark {
  Severity severity = Severity::note;
  std::string code;
  std::string text;
  std::string made_by{};     ///< method id; filled by the engine
  std::string series_uid{};  ///< filled by the engine
};

[[nodiscard]] constexpr std::string_view name_of(Severity severity) noexcept {
  return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

/// Adds those of `from` that are not there yet: one remark for what was found several times.
void add_new(std::vector<Remark>& to, const std::vector<Remark>& from);

}  // namespace penta
