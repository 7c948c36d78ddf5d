#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/remark.h"

namespace penta::io::rawdata {

/// The lines "key := value" of an Interfile header (version 3.3, and the keys that STIR and Siemens added). Keys are
/// compared without case, blanks, underscores and the marks '!' and '%'; "key [2] := value" has the index 2.
/// What stands behind ';' is a comment.
class InterfileKeys {
 public:
  /// Reads up to "END OF INTERFILE" or the end of the text. Throws Error{bad_input} that starts with `doing`.
  InterfileKeys(std::span<const std::byte> bytes, std::string doing, std::vector<Remark>& remarks);

  [[nodiscard]] bool has(std::string_view key, int index = 0) const { return find(key, index) != nullptr; }
  /// The value as written, or empty.
  [[nodiscard]] std::string text(std::string_view key, int index = 0) const;
  [[nodiscard]] std::string text_lower(std::string_view key, int index = 0) const;
  [[nodiscard]] std::optional<double> number(std::string_view key, int index = 0) const;
  [[nodiscard]] std::optional<std::int64_t> whole(std::string_view key, int index = 0) const;
  /// A whole number >= 1. Throws where it is missing, or larger than 2^31.
  [[nodiscard]] std::int64_t need_size(std::string_view key, int index = 0) const;
  /// A length > 0; nothing where it is missing.
  [[nodiscard]] std::optional<double> length(std::string_view key, int index = 0) const;
  /// "{1, 2, 3}" or one word.
  [[nodiscard]] std::vector<std::string> list(std::string_view key, int index = 0) const;
  [[nodiscard]] std::vector<std::int64_t> whole_list(std::string_view key, int index = 0) const;
  [[nodiscard]] std::vector<double> number_list(std::string_view key, int index = 0) const;

  /// Ends every message: "reading Interfile 'a.hs': <key>: <what>".
  [[noreturn]] void fail(std::string_view key, const std::string& what) const;
  [[nodiscard]] const std::string& doing() const noexcept { return doing_; }

 private:
  using Entry = std::pair<std::string, int>;
  [[nodiscard]] const std::string* find(std::string_view key, int index) const;
  void take_line(std::string_view line, std::vector<Remark>& remarks);

  std::map<Entry, std::string> values_;
  std::string doing_;
  bool ended_ = false;
};

/// True where the first words are "!INTERFILE :=", in whatever case and blanks.
[[nodiscard]] bool starts_as_interfile(std::string_view text) noexcept;

}  // namespace penta::io::rawdata
