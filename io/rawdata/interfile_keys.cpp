#include "io/rawdata/interfile_keys.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "io/text_header.h"

namespace penta::io::rawdata {

namespace {

constexpr std::size_t header_bytes_max = 1U << 20U;

/// Lower case, without blanks, underscores and the marks.
std::string plain(std::string_view key) {
  std::string out;
  for (const char c : lower(key))
    if (c != ' ' && c != '\t' && c != '_' && c != '!' && c != '%') out += c;
  return out;
}

/// Takes "[n]" out of a key; 0 where there is none.
int take_index(std::string& key) {
  const std::size_t open = key.find('['), close = key.find(']', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return 0;
  int index = 0;
  const auto [end, error] = std::from_chars(key.data() + open + 1, key.data() + close, index);
  if (error != std::errc() || end != key.data() + close) return 0;
  key.erase(open, close - open + 1);
  return index;
}

}  // namespace

InterfileKeys::InterfileKeys(std::span<const std::byte> bytes, std::string doing, std::vector<Remark>& remarks)
    : doing_(std::move(doing)) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), header_bytes_max));
  if (!starts_as_interfile(text)) throw Error(Code::bad_input, doing_ + "it does not start with !INTERFILE");
  while (!text.empty() && !ended_) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    take_line(text.substr(0, end), remarks);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void InterfileKeys::take_line(std::string_view line, std::vector<Remark>& remarks) {
  line = line.substr(0, line.find(';'));
  const std::size_t sign = line.find(":=");
  if (sign == std::string_view::npos) return;
  std::string key = plain(line.substr(0, sign));
  const int index = take_index(key);
  const std::string value(trimmed(line.substr(sign + 2)));
  if (key == "endofinterfile") ended_ = true;
  const auto [at, is_new] = values_.emplace(Entry(key, index), value);
  if (is_new || at->second == value) return;
  remarks.push_back({Severity::warning, "field_repeated",
                     "the key '" + std::string(trimmed(line.substr(0, sign))).substr(0, 60) +
                         "' stands there twice with different values: the last is taken"});
  at->second = value;
}

const std::string* InterfileKeys::find(std::string_view key, int index) const {
  const auto it = values_.find(Entry(plain(key), index));
  return it == values_.end() || it->second.empty() ? nullptr : &it->second;
}

std::string InterfileKeys::text(std::string_view key, int index) const {
  const std::string* value = find(key, index);
  return value == nullptr ? std::string() : *value;
}

std::string InterfileKeys::text_lower(std::string_view key, int index) const { return lower(text(key, index)); }

std::optional<double> InterfileKeys::number(std::string_view key, int index) const {
  const std::string* value = find(key, index);
  if (value == nullptr) return std::nullopt;
  const double number = io::number(*value, doing_ + std::string(key));
  if (!std::isfinite(number)) fail(key, "'" + *value + "' is not finite");
  return number;
}

std::optional<std::int64_t> InterfileKeys::whole(std::string_view key, int index) const {
  const std::string* value = find(key, index);
  if (value == nullptr) return std::nullopt;
  return whole_number(*value, doing_ + std::string(key));
}

std::int64_t InterfileKeys::need_size(std::string_view key, int index) const {
  const std::string which = std::string(key) + (index > 0 ? " [" + std::to_string(index) + "]" : "");
  const std::vector<std::int64_t> sizes = whole_list(key, index);
  if (sizes.empty()) fail(which, "it is missing");
  if (sizes.size() > 1) fail(which, "it is a list where one number belongs");
  if (sizes[0] < 1 || sizes[0] > (std::int64_t{1} << 31)) fail(which, std::to_string(sizes[0]) + " is no size");
  return sizes[0];
}

std::optional<double> InterfileKeys::length(std::string_view key, int index) const {
  const std::optional<double> value = number(key, index);
  if (value && !(*value > 0)) fail(key, digits(*value) + " must be > 0");
  return value;
}

std::vector<std::string> InterfileKeys::list(std::string_view key, int index) const {
  std::string inside = text(key, index);
  for (char& c : inside)
    if (c == '{' || c == '}' || c == ',') c = ' ';
  return words(inside);
}

std::vector<std::int64_t> InterfileKeys::whole_list(std::string_view key, int index) const {
  std::vector<std::int64_t> out;
  for (const std::string& word : list(key, index)) out.push_back(whole_number(word, doing_ + std::string(key)));
  return out;
}

std::vector<double> InterfileKeys::number_list(std::string_view key, int index) const {
  std::vector<double> out;
  for (const std::string& word : list(key, index)) {
    out.push_back(io::number(word, doing_ + std::string(key)));
    if (!std::isfinite(out.back())) fail(key, "'" + word + "' is not finite");
  }
  return out;
}

void InterfileKeys::fail(std::string_view key, const std::string& what) const {
  throw Error(Code::bad_input, doing_ + std::string(key) + ": " + what);
}

bool starts_as_interfile(std::string_view text) noexcept {
  constexpr std::string_view word = "interfile";
  std::size_t at = text.find_first_not_of(" \t\r\n");
  if (at == std::string_view::npos) return false;
  if (text[at] == '!') at = text.find_first_not_of(" \t", at + 1);
  if (at == std::string_view::npos || text.size() - at < word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i)
    if ((text[at + i] | 0x20) != word[i]) return false;
  at = text.find_first_not_of(" \t", at + word.size());
  return at != std::string_view::npos && text.substr(at).starts_with(":=");
}

}  // namespace penta::io::rawdata
