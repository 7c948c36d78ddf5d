#include "io/text_header.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.h"

namespace penta::io {

namespace {

constexpr std::string_view blanks = " \t\r";

[[noreturn]] void fail(const std::string& doing, std::string_view word) {
  throw Error(Code::bad_input, doing + ": '" + std::string(word.substr(0, 40)) + "' is no number that fits");
}

template <class T>
T parsed(std::string_view word, const std::string& doing) {
  T value{};
  const std::string_view body = word.starts_with('+') ? word.substr(1) : word;
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), value);
  if (error != std::errc() || end != body.data() + body.size()) fail(doing, word);
  return value;
}

}  // namespace

std::optional<std::string_view> TextLines::next() noexcept {
  const std::size_t end = text_.find('\n', at_);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = text_.substr(at_, end - at_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  at_ = end + 1;
  return line;
}

std::optional<std::string_view> TextLines::next_or_last() noexcept {
  if (const auto line = next()) return line;
  if (at_ >= text_.size()) return std::nullopt;
  const std::string_view line = text_.substr(at_);
  at_ = text_.size();
  return line;
}

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t at = text.find_first_not_of(blanks); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
    out.emplace_back(text.substr(at, end - at));
    at = text.find_first_not_of(blanks, end);
  }
  return out;
}

double number(std::string_view word, const std::string& doing) { return parsed<double>(word, doing); }

std::int64_t whole_number(std::string_view word, const std::string& doing) {
  return parsed<std::int64_t>(word, doing);
}

std::vector<double> numbers(std::string_view text, std::size_t count, const std::string& doing) {
  const std::vector<std::string> found = words(text);
  if (found.size() != count)
    throw Error(Code::bad_input,
                doing + ": " + std::to_string(found.size()) + " numbers where " + std::to_string(count) + " belong");
  std::vector<double> out;
  for (const std::string& word : found) out.push_back(number(word, doing));
  return out;
}

std::string digits(double value) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

}  // namespace penta::io
