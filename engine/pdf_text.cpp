#include "engine/pdf_text.h"

namespace penta::engine {

namespace {

// Length of the UTF-8 sequence that begins here; 0 where there is none.
std::size_t sequence_length(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xC2 && lead < 0xE0 ? 2 : (lead >> 4) == 14 ? 3 : (lead >> 3) == 30 ? 4 : 0;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) return 0;
  return length;
}

}  // namespace

std::string shown(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0 || length == 4) out += '?';
    else if (length == 1 && (static_cast<unsigned char>(text.front()) < 32 || text.front() == 127)) out += ' ';
    else out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

char32_t next_of(std::string_view& text) noexcept {
  const std::size_t length = sequence_length(text);
  char32_t value = static_cast<unsigned char>(text.front());
  if (length > 1) value &= 0x7FU >> length;
  for (std::size_t i = 1; i < length; ++i) value = value << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  text.remove_prefix(length == 0 ? 1 : length);
  return value;
}

bool is_wide(char32_t c) noexcept { return c >= 0x2E80; }

std::vector<std::string> wrap(std::string_view text, double width, const std::function<double(char32_t)>& width_of) {
  std::vector<std::string> lines;
  std::string line;
  double used = 0, used_to_break = 0;
  std::size_t break_at = 0;  ///< bytes of the line before its last place to break; 0: none
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t c = next_of(text);
    const double w = width_of(c);
    if (used + w > width && !line.empty()) {
      const bool here = c == ' ' || break_at == 0;
      const std::size_t cut = here ? line.size() : break_at;
      std::string rest = line.substr(cut);
      used = here ? 0 : used - used_to_break;
      lines.push_back(line.substr(0, cut));
      while (!lines.back().empty() && lines.back().back() == ' ') lines.back().pop_back();
      line = std::move(rest);
      break_at = 0;
      used_to_break = 0;
      if (c == ' ' && line.empty()) continue;
    }
    if (is_wide(c) && !line.empty()) {
      break_at = line.size();
      used_to_break = used;
    }
    line += before.substr(0, before.size() - text.size());
    used += w;
    if (c == ' ' || c == '\\' || is_wide(c)) {
      break_at = line.size();
      used_to_break = used;
    }
  }
  if (!line.empty() || lines.empty()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace penta::engine
