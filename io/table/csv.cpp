#include "io/table/csv.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace penta::io::table {

namespace {

using Row = std::vector<std::string>;

constexpr std::string_view separators = ",;\t", byte_order_mark = "\xEF\xBB\xBF";

/// Takes one record after the other from the text.
class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text), name_(name), separator_(separator_of(text)) {}

  /// False at the end. A record that is one empty cell is a blank line, which does not count.
  bool next(Row& row) {
    while (at_ < text_.size()) {
      row.clear();
      line_of_record_ = line_;
      record(row);
      if (row.size() > 1 || !row.front().empty()) return true;
    }
    return false;
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(Code::bad_input, "reading the table '" + name_ + "', line " + std::to_string(line_of_record_) + ": " + why);
  }

 private:
  /// The most frequent of , ; and tab in the first record, where it is not quoted.
  static char separator_of(std::string_view text) {
    std::array<std::size_t, 3> counts{};
    bool is_quoted = false;
    for (const char c : text) {
      if (c == '"') is_quoted = !is_quoted;
      if (c == '\n' && !is_quoted) break;
      if (const auto kind = separators.find(c); kind != std::string_view::npos && !is_quoted) ++counts[kind];
    }
    return separators[std::size_t(std::max_element(counts.begin(), counts.end()) - counts.begin())];
  }

  void record(Row& row) {
    do row.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted() : plain());
    while (at_ < text_.size() && text_[at_] == separator_ && ++at_ > 0);
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] != '\n') refuse("text after a closing quote");
    ++at_;
    ++line_;
  }

  std::string plain() {
    const std::size_t first = at_;
    while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n' &&
           !(text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n'))
      ++at_;
    return std::string(text_.substr(first, at_ - first));
  }

  std::string quoted() {
    std::string cell;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') {
          ++at_;
          return cell;
        }
        ++at_;
      }
      cell += text_[at_];
    }
    refuse("a quote that never ends");
  }

  std::string_view text_;
  const std::string& name_;
  char separator_;
  std::size_t at_ = 0, line_ = 1, line_of_record_ = 1;
};

bool is_number(const std::string& cell) {
  double value = 0;
  const auto [end, fault] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return fault == std::errc() && end == cell.data() + cell.size();
}

std::string line_of(const Row& row) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) line += (i > 0 ? "," : "") + cell(row[i]);
  return line + "\n";
}

}  // namespace

std::string cell(const std::string& text) {
  if (text.find_first_of(",;\t\"\r\n") == std::string::npos && !text.starts_with(byte_order_mark)) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

Table read(std::span<const std::byte> bytes, const std::string& name) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  if (text.find('\0') != std::string_view::npos)
    throw Error(Code::bad_input, "reading the table '" + name + "': it holds a zero byte, so it is no text");
  Reader reader(text, name);
  Table table;
  Row row;
  if (!reader.next(row)) throw Error(Code::bad_input, "reading the table '" + name + "': it is empty");
  const bool is_data = std::all_of(row.begin(), row.end(), is_number);
  for (std::size_t i = 0; i < row.size(); ++i) table.columns.push_back(is_data ? std::to_string(i + 1) : row[i]);
  if (std::set<std::string>(table.columns.begin(), table.columns.end()).size() != table.columns.size())
    reader.refuse("two columns have the same name");
  if (is_data) table.rows.push_back(row);
  while (reader.next(row)) {
    if (row.size() != table.columns.size())
      reader.refuse(std::to_string(row.size()) + " cells, where there are " + std::to_string(table.columns.size()) + " columns");
    table.rows.push_back(row);
  }
  return table;
}

std::string write(const Table& table) {
  std::string text = line_of(table.columns);
  for (const Row& row : table.rows) text += line_of(row);
  return text;
}

}  // namespace penta::io::table
