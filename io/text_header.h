#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penta::io {

/// The lines of a text header that stands before binary data; an end of "\n" or "\r\n" is taken off.
class TextLines {
 public:
  explicit TextLines(std::span<const std::byte> bytes) noexcept
      : text_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}
  /// Nothing where no whole line is left.
  [[nodiscard]] std::optional<std::string_view> next() noexcept;
  /// As next(); a last line that nothing ends counts too.
  [[nodiscard]] std::optional<std::string_view> next_or_last() noexcept;
  /// Where the next line starts.
  [[nodiscard]] std::size_t offset() const noexcept { return at_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;
[[nodiscard]] std::string lower(std::string_view text);
[[nodiscard]] std::vector<std::string> words(std::string_view text);

/// Throw Error{bad_input} that starts with `doing` ("reading NRRD 'a.nrrd': sizes"). A number may be NaN or infinite.
[[nodiscard]] double number(std::string_view word, const std::string& doing);
[[nodiscard]] std::int64_t whole_number(std::string_view word, const std::string& doing);
/// Exactly `count` numbers between blanks.
[[nodiscard]] std::vector<double> numbers(std::string_view text, std::size_t count, const std::string& doing);

/// The shortest digits that read back as the same number.
[[nodiscard]] std::string digits(double value);

}  // namespace penta::io
