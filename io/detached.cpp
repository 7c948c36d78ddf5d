#include "io/detached.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <type_traits>

#include "core/error.h"
#include "io/text_header.h"

namespace penta::io {

namespace {

using nifti::Datatype;

constexpr std::size_t files_max = 65536;
constexpr std::string_view blanks = " \t\r\n,";

[[noreturn]] void fail(const std::string& doing, const std::string& what) {
  throw Error(Code::bad_input, doing + what);
}

/// A word of a file as it may stand in a message.
std::string shown(std::string_view word) {
  std::string out(word.substr(0, 40));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return "'" + out + "'";
}

/// One %d of a pattern: where it stands and how wide it is.
struct Place {
  std::size_t at = 0, length = 0, width = 0;
  bool zeros = false;
};

Place place_of(const std::string& pattern, const std::string& doing) {
  const std::string what = "'" + pattern.substr(0, 80) + "' is no pattern of names with one %d";
  Place place;
  place.at = pattern.find('%');
  if (place.at == std::string::npos || pattern.find('%', place.at + 1) != std::string::npos) fail(doing, what);
  std::size_t at = place.at + 1;
  if (at < pattern.size() && pattern[at] == '0') place.zeros = true;
  for (; at < pattern.size() && pattern[at] >= '0' && pattern[at] <= '9'; ++at)
    place.width = place.width * 10 + static_cast<std::size_t>(pattern[at] - '0');
  if (place.width > 32 || at >= pattern.size() || (pattern[at] != 'd' && pattern[at] != 'i' && pattern[at] != 'u'))
    fail(doing, what);
  place.length = at + 1 - place.at;
  return place;
}

template <class T>
void parse_all(std::string_view text, std::span<std::byte> out, const std::string& doing) {
  std::size_t at = text.find_first_not_of(blanks);
  for (std::size_t i = 0; i < out.size(); i += sizeof(T)) {
    if (at == std::string_view::npos)
      fail(doing, "the text ends after " + std::to_string(i / sizeof(T)) + " of " +
                      std::to_string(out.size() / sizeof(T)) + " numbers");
    const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
    std::string_view word = text.substr(at, end - at);
    if (word.starts_with('+')) word.remove_prefix(1);
    T value{};
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || stop != word.data() + word.size())
      fail(doing, shown(word) + " is no number of the voxels' type");
    std::memcpy(out.data() + i, &value, sizeof(T));
    at = text.find_first_not_of(blanks, end);
  }
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

}  // namespace

std::vector<std::string> numbered_names(const std::string& pattern, std::int64_t first, std::int64_t last,
                                        std::int64_t step, const std::string& doing) {
  const Place place = place_of(pattern, doing);
  constexpr std::int64_t largest = 1'000'000'000;
  if (step == 0 || (last - first) / (step == 0 ? 1 : step) < 0 || first < 0 || last < 0 || first > largest ||
      last > largest)
    fail(doing, "the numbers of '" + pattern.substr(0, 80) + "' lead nowhere");
  if (static_cast<std::uint64_t>((last - first) / step) >= files_max) fail(doing, "more than 65536 files");
  std::vector<std::string> names;
  for (std::int64_t i = first; step > 0 ? i <= last : i >= last; i += step) {
    std::string number = std::to_string(i);
    if (number.size() < place.width) number.insert(0, place.width - number.size(), place.zeros ? '0' : ' ');
    names.push_back(std::string(pattern).replace(place.at, place.length, number));
  }
  return names;
}

std::vector<std::string> listed_names(std::span<const std::byte> bytes, std::size_t at, const std::string& doing) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()) + at, bytes.size() - at);
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view word = trimmed(text.substr(0, end));
    if (std::any_of(word.begin(), word.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }))
      fail(doing, shown(word) + " is no name of a file");
    if (!word.empty()) names.emplace_back(word);
    if (names.size() > files_max) fail(doing, "more than 65536 files");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

std::vector<std::byte> bytes_from_text(std::string_view text, Datatype datatype, std::uint64_t count,
                                       const std::string& doing) {
  // A number takes a digit and a blank at least, so that no header asks for more room than its text can fill.
  if (count > text.size()) fail(doing, "the text is too short for " + std::to_string(count) + " numbers");
  const bool complex = datatype == Datatype::c64 || datatype == Datatype::c128;
  if (datatype == Datatype::rgb24) count *= 3;
  if (datatype == Datatype::rgba32) count *= 4;
  if (complex) count *= 2;
  const auto parse = [&]<class T>(T /*type*/) {
    std::vector<std::byte> out(count * sizeof(T));
    parse_all<T>(text, out, doing);
    return out;
  };
  switch (datatype) {
    case Datatype::u8:
    case Datatype::rgb24:
    case Datatype::rgba32:
      return parse(std::uint8_t{});
    case Datatype::i8:
      return parse(std::int8_t{});
    case Datatype::u16:
      return parse(std::uint16_t{});
    case Datatype::i16:
      return parse(std::int16_t{});
    case Datatype::u32:
      return parse(std::uint32_t{});
    case Datatype::i32:
      return parse(std::int32_t{});
    case Datatype::u64:
      return parse(std::uint64_t{});
    case Datatype::i64:
      return parse(std::int64_t{});
    case Datatype::f32:
    case Datatype::c64:
      return parse(float{});
    case Datatype::f64:
    case Datatype::c128:
      return parse(double{});
    default:
      fail(doing, "voxels of this type are not read as text");
  }
}

std::vector<std::byte> bytes_from_hex(std::string_view text, std::uint64_t count, const std::string& doing) {
  if (count > text.size() / 2) fail(doing, "the text is too short for " + std::to_string(count) + " bytes");
  std::vector<std::byte> out;
  out.reserve(count);
  int high = -1;
  for (const char c : text) {
    if (out.size() == count) break;
    if (blanks.find(c) != std::string_view::npos) continue;
    const int digit = hex_digit(c);
    if (digit < 0) fail(doing, "a character that is no hexadecimal digit");
    if (high < 0) {
      high = digit;
      continue;
    }
    out.push_back(static_cast<std::byte>(high * 16 + digit));
    high = -1;
  }
  if (out.size() < count)
    fail(doing, "the text ends after " + std::to_string(out.size()) + " of " + std::to_string(count) + " bytes");
  return out;
}

ReadBeside nothing_beside(const std::string& name) {
  return [name](const std::string& file) -> std::vector<std::byte> {
    throw Error(Code::bad_input, "reading '" + name + "': its voxels lie in another file, '" + file.substr(0, 200) +
                                     "', which is not here");
  };
}

}  // namespace penta::io
