#include "io/rawdata/npy_header.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <string_view>

#include "core/error.h"

namespace penta::io::rawdata {

namespace {

constexpr std::uint64_t bytes_max = 8ULL << 30U;

[[noreturn]] void fail(const std::string& doing, const std::string& what) {
  throw Error(Code::bad_input, doing + what);
}

/// A walk through the text of a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
class Literal {
 public:
  Literal(std::string_view text, const std::string& doing) : text_(text), doing_(doing) {}

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  [[nodiscard]] bool take(char wanted) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void need(char wanted) {
    if (!take(wanted))
      fail(doing_, std::string("the header is damaged: no '") + wanted + "' at " + std::to_string(at_));
  }
  /// Between single or double quotes; nothing where another kind of value stands.
  [[nodiscard]] std::optional<std::string> quoted() {
    skip_blanks();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return std::nullopt;
    const char quote = text_[at_++];
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail(doing_, "the header is damaged: a quote is not closed");
    std::string inside(text_.substr(at_, end - at_));
    at_ = end + 1;
    return inside;
  }
  [[nodiscard]] bool boolean() {
    skip_blanks();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return value;
    }
    fail(doing_, "fortran_order is neither True nor False");
  }
  [[nodiscard]] std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> values;
    need('(');
    while (!take(')')) {
      skip_blanks();
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
      if (error != std::errc() || value < 0) fail(doing_, "shape holds something that is no size");
      at_ = static_cast<std::size_t>(end - text_.data());
      (void)take('L');  // Python 2 wrote long numbers so
      values.push_back(value);
      if (!take(',')) {
        need(')');
        break;
      }
    }
    return values;
  }

 private:
  std::string_view text_;
  const std::string& doing_;
  std::size_t at_ = 0;
};

void take_type(const std::string& descr, NpyHeader& header, const std::string& doing) {
  const std::string shown = "descr '" + descr.substr(0, 40) + "'";
  if (descr.size() < 3) fail(doing, shown + " is no element type");
  header.kind = descr[1];
  const auto [end, error] = std::from_chars(descr.data() + 2, descr.data() + descr.size(), header.bytes);
  if (error != std::errc() || end != descr.data() + descr.size()) fail(doing, shown + " is no element type");
  const auto one_of = [&](std::initializer_list<int> sizes) {
    return std::find(sizes.begin(), sizes.end(), header.bytes) != sizes.end();
  };
  const bool known = (header.kind == 'b' && one_of({1})) ||
                     ((header.kind == 'i' || header.kind == 'u') && one_of({1, 2, 4, 8})) ||
                     (header.kind == 'f' && one_of({2, 4, 8})) || (header.kind == 'c' && one_of({8, 16}));
  if (!known) fail(doing, shown + " is not read (booleans, whole numbers, float16 to float64, complex64 and 128 are)");
  const char order = descr[0];
  if (order != '<' && order != '>' && order != '=' && order != '|') fail(doing, shown + " has no byte order");
  if (order == '|' && header.bytes != 1) fail(doing, shown + " has no byte order");
  const bool big = order == '>';
  header.swapped = (order == '<' || big) && header.bytes > 1 && big != (std::endian::native == std::endian::big);
}

void parse_dictionary(std::string_view text, NpyHeader& header, const std::string& doing) {
  Literal literal(text, doing);
  bool has_type = false, has_order = false, has_shape = false;
  literal.need('{');
  while (!literal.take('}')) {
    const std::optional<std::string> key = literal.quoted();
    if (!key) fail(doing, "the header is damaged: no name of a field");
    literal.need(':');
    if (*key == "descr") {
      const std::optional<std::string> descr = literal.quoted();
      if (!descr) fail(doing, "descr is a record of several fields, which is not read");
      take_type(*descr, header, doing);
      has_type = true;
    } else if (*key == "fortran_order") {
      header.fortran = literal.boolean();
      has_order = true;
    } else if (*key == "shape") {
      header.shape = literal.tuple();
      has_shape = true;
    } else {
      fail(doing, "the header has a field '" + key->substr(0, 40) + "' that the format does not know");
    }
    if (!literal.take(',')) {
      literal.need('}');
      break;
    }
  }
  if (!has_type || !has_order || !has_shape) fail(doing, "the header lacks descr, fortran_order or shape");
}

void check_size(const NpyHeader& header, std::size_t there, const std::string& doing) {
  std::uint64_t bytes = static_cast<std::uint64_t>(header.bytes);
  for (const std::int64_t size : header.shape) {
    if (size == 0) fail(doing, "shape has an axis of 0");
    if (static_cast<std::uint64_t>(size) > bytes_max / bytes) fail(doing, "shape is of more than 8 GiB");
    bytes *= static_cast<std::uint64_t>(size);
  }
  if (bytes > there)
    fail(doing, "the elements are cut off: " + std::to_string(there) + " bytes of " + std::to_string(bytes));
}

}  // namespace

NpyHeader parse_npy_header(std::span<const std::byte> bytes, const std::string& doing) {
  const auto at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
  if (bytes.size() < 12) fail(doing, "the file is cut off in its header");
  const std::uint32_t version = at(6);
  if (version < 1 || version > 3)
    fail(doing, "version " + std::to_string(version) + "." + std::to_string(at(7)) + " of the format is not read");
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length |= static_cast<std::size_t>(at(8 + i)) << (8 * i);
  NpyHeader header;
  header.data_start = 8 + length_bytes + length;
  if (header.data_start > bytes.size()) fail(doing, "the file is cut off in its header");
  parse_dictionary({reinterpret_cast<const char*>(bytes.data()) + 8 + length_bytes, length}, header, doing);
  check_size(header, bytes.size() - header.data_start, doing);
  return header;
}

}  // namespace penta::io::rawdata
