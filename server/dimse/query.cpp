#include "server/dimse/query.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <map>

#include "core/error.h"

namespace penta::server::dimse {

namespace {

constexpr std::uint32_t charset_tag = 0x00080005, level_tag = 0x00080052, ae_title_tag = 0x00080054,
                        study_tag = 0x0020000D, series_tag = 0x0020000E, sop_tag = 0x00080018;
constexpr std::size_t keys_max = 256, value_bytes_max = 64 << 10;

std::string hex_of(std::uint32_t tag) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text(8, '0');
  for (std::size_t i = 0; i < 8; ++i) text[7 - i] = digits[tag >> (4 * i) & 15U];
  return text;
}

std::string latin1_to_utf8(const std::string& text) {
  std::string utf8;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 128) utf8 += c;
    else (utf8 += static_cast<char>(0xC0 | code >> 6)) += static_cast<char>(0x80 | (code & 63));
  }
  return utf8;
}

std::optional<QueryLevel> level_of(const std::string& text) {
  if (text == "PATIENT") return QueryLevel::patient;
  if (text == "STUDY") return QueryLevel::study;
  if (text == "SERIES") return QueryLevel::series;
  if (text == "IMAGE" || text == "INSTANCE") return QueryLevel::image;
  return std::nullopt;
}

std::string_view name_of(QueryLevel level) {
  constexpr std::array<std::string_view, 4> names{"PATIENT", "STUDY", "SERIES", "IMAGE"};
  return names[static_cast<std::size_t>(level)];
}

// A person name as "Alphabetic=Ideographic=Phonetic" (PS3.18 F.2.2).
std::string name_text(const Json& name) {
  std::string text = name.text_or("Alphabetic", "");
  const std::string ideographic = name.text_or("Ideographic", ""), phonetic = name.text_or("Phonetic", "");
  if (!(ideographic + phonetic).empty()) text += "=" + ideographic;
  if (!phonetic.empty()) text += "=" + phonetic;
  return text;
}

std::string number_text(const Json& value) {
  if (value.is_integer()) return std::to_string(value.integer());
  std::array<char, 32> text{};
  const auto done = std::to_chars(text.data(), text.data() + 16, value.number());
  return {text.data(), done.ec == std::errc() ? done.ptr : text.data()};
}

std::string text_of(const Json& values) {
  std::string text;
  bool first = true;
  for (const Json& value : values.items()) {
    if (!first) text += '\\';
    first = false;
    if (value.is_string()) text += value.text();
    else if (value.is_object()) text += name_text(value);
    else if (value.is_number()) text += number_text(value);
  }
  return text;
}

template <class T>
void append(std::vector<std::byte>& bytes, T value) {
  std::array<std::byte, sizeof(T)> raw{};
  std::memcpy(raw.data(), &value, sizeof(T));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

// Values of the binary VRs; nothing for texts.
std::optional<std::vector<std::byte>> binary_of(const std::string& vr, const Json& values) {
  constexpr std::array<std::string_view, 6> binary{"US", "SS", "UL", "SL", "FL", "FD"};
  if (std::find(binary.begin(), binary.end(), vr) == binary.end()) return std::nullopt;
  std::vector<std::byte> bytes;
  for (const Json& value : values.items()) {
    if (!value.is_number()) continue;
    const double number = value.number();
    if (vr == "FD") append(bytes, number);
    else if (vr == "FL") append(bytes, static_cast<float>(number));
    else if (number < -2147483648.0 || number > 4294967295.0) continue;
    else if (vr == "US" || vr == "SS") append(bytes, static_cast<std::uint16_t>(static_cast<std::int64_t>(number)));
    else append(bytes, static_cast<std::uint32_t>(static_cast<std::int64_t>(number)));
  }
  return bytes;
}

struct Value {
  std::string vr, text;
  std::optional<std::vector<std::byte>> bytes;
};

Value value_of(const Json& attribute) {
  const std::string vr = attribute.text_or("vr", "LO");
  const Json* values = attribute.find("Value");
  if (values == nullptr || !values->is_array() || vr == "SQ") return {vr, {}, {}};
  const auto bytes = binary_of(vr, *values);
  return {vr, bytes ? std::string() : text_of(*values), bytes};
}

}  // namespace

std::string Query::value_of(std::uint32_t tag) const {
  for (const Key& key : keys)
    if (key.tag == tag) return key.value;
  return {};
}

std::optional<Query> read_query(std::span<const std::byte> bytes, Encoding encoding) {
  Query query;
  const bool whole = walk(bytes, encoding, [&](const Element& e) {
    query.keys.push_back({e.tag, std::string(e.vr), trimmed(e.value.first(std::min(e.value.size(), value_bytes_max))), e.sequence});
    return query.keys.size() < keys_max;
  });
  if (!whole) return std::nullopt;
  const auto level = level_of(query.value_of(level_tag));
  if (!level) return std::nullopt;
  query.level = *level;
  // Latin 1, the commonest; of others only the ASCII part can match.
  if (query.value_of(charset_tag) == "ISO_IR 100")
    for (Query::Key& key : query.keys) key.value = latin1_to_utf8(key.value);
  return query;
}

engine::Search search_of(const Query& query) {
  engine::Search search;
  search.level = query.level == QueryLevel::series  ? engine::Level::series
                 : query.level == QueryLevel::image ? engine::Level::instance
                                                    : engine::Level::study;
  for (const Query::Key& key : query.keys) {
    const bool about_itself = key.tag == charset_tag || key.tag == level_tag || key.tag == ae_title_tag;
    if (about_itself || key.sequence || key.value.empty() || (key.tag & 0xFFFFU) == 0) continue;
    search.match.emplace_back(hex_of(key.tag), key.value);
  }
  return search;
}

std::vector<std::byte> match_bytes(const Query& query, const engine::Row& row, const std::string& ae_title,
                                   Encoding encoding) {
  std::map<std::uint32_t, Value> found;
  for (const Query::Key& key : query.keys) {
    if ((key.tag & 0xFFFFU) == 0) continue;  // group lengths
    const Json* attribute = row.attributes.find(hex_of(key.tag));
    found[key.tag] = attribute != nullptr && attribute->is_object() ? value_of(*attribute)
                                                                    : Value{key.vr.empty() ? "LO" : key.vr, {}, {}};
  }
  found[charset_tag] = {"CS", "ISO_IR 192", {}};
  found[level_tag] = {"CS", std::string(name_of(query.level)), {}};
  found[ae_title_tag] = {"AE", ae_title, {}};
  if (query.level != QueryLevel::patient) found[study_tag] = {"UI", row.study_uid, {}};
  if (query.level >= QueryLevel::series) found[series_tag] = {"UI", row.series_uid, {}};
  if (query.level == QueryLevel::image) found[sop_tag] = {"UI", row.sop_uid, {}};
  ElementWriter out(encoding != Encoding::implicit_little);
  for (const auto& [tag, value] : found)
    if (value.bytes) out.value(tag, value.vr, *value.bytes);
    else out.text(tag, value.vr, value.text);
  return out.bytes();
}

}  // namespace penta::server::dimse
