// A data set as DICOM JSON (PS3.18 annex F), written as text at once: a multi-frame header has a million values.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "io/dicom/web_parts.h"

namespace penta::io::dicom {

namespace {

constexpr std::size_t binary_inline_bytes = 1024, text_inline_bytes = 256 << 10;
constexpr std::string_view hex_digits = "0123456789ABCDEF";

void append_hex16(std::string& out, unsigned value) {
  for (int shift = 12; shift >= 0; shift -= 4) out += hex_digits[value >> shift & 15];
}

std::string tag_text(unsigned group, unsigned element) {
  std::string out;
  append_hex16(out, group);
  append_hex16(out, element);
  return out;
}

std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    unsigned word = 0;
    for (std::size_t k = 0; k < 3; ++k) word = word << 8 | (k < count ? std::to_integer<unsigned>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? letters[word >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

/// Bytes of one UTF-8 character, or 0 where they are none (RFC 3629: no surrogates, nothing longer than needed).
std::size_t character_bytes(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const bool bad = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) || (first == 0xF0 && byte(1) < 0x90) ||
                   (first == 0xF4 && byte(1) > 0x8F);
  return bad ? 0 : length;
}

std::string_view without_padding(std::string_view text, bool front_too) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  while (front_too && !text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

enum class Kind { text, free_text, name, decimal, integer, tag, number, sequence, binary };

struct VrRow {
  DcmEVR vr;
  std::string_view name;
  Kind kind;
};
constexpr std::array<VrRow, 34> vr_rows{{
    {EVR_AE, "AE", Kind::text},      {EVR_AS, "AS", Kind::text},      {EVR_AT, "AT", Kind::tag},       {EVR_CS, "CS", Kind::text},
    {EVR_DA, "DA", Kind::text},      {EVR_DS, "DS", Kind::decimal},   {EVR_DT, "DT", Kind::text},      {EVR_FL, "FL", Kind::number},
    {EVR_FD, "FD", Kind::number},    {EVR_IS, "IS", Kind::integer},   {EVR_LO, "LO", Kind::text},      {EVR_LT, "LT", Kind::free_text},
    {EVR_OB, "OB", Kind::binary},    {EVR_OD, "OD", Kind::binary},    {EVR_OF, "OF", Kind::binary},    {EVR_OL, "OL", Kind::binary},
    {EVR_OV, "OV", Kind::binary},    {EVR_OW, "OW", Kind::binary},    {EVR_PN, "PN", Kind::name},      {EVR_SH, "SH", Kind::text},
    {EVR_SL, "SL", Kind::number},    {EVR_SQ, "SQ", Kind::sequence},  {EVR_SS, "SS", Kind::number},    {EVR_ST, "ST", Kind::free_text},
    {EVR_SV, "SV", Kind::number},    {EVR_TM, "TM", Kind::text},      {EVR_UC, "UC", Kind::text},      {EVR_UI, "UI", Kind::text},
    {EVR_UL, "UL", Kind::number},    {EVR_UN, "UN", Kind::binary},    {EVR_UR, "UR", Kind::free_text}, {EVR_US, "US", Kind::number},
    {EVR_UT, "UT", Kind::free_text}, {EVR_UV, "UV", Kind::number},
}};

// DCMTK has kinds of its own for what a VR may not be clear of.
VrRow row_of(DcmEVR vr) {
  for (const VrRow& row : vr_rows)
    if (row.vr == vr) return row;
  if (vr == EVR_OverlayData || vr == EVR_PixelData || vr == EVR_ox || vr == EVR_px || vr == EVR_lt) return {EVR_OW, "OW", Kind::binary};
  if (vr == EVR_xs) return {EVR_US, "US", Kind::number};
  if (vr == EVR_up) return {EVR_UL, "UL", Kind::number};
  return {EVR_UN, "UN", Kind::binary};
}

template <class T>
T value_at(std::span<const std::byte> bytes, std::size_t index) noexcept {
  T value{};
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

template <class T>
void append_number(std::string& json, T value) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  const std::string_view digits(text.data(), static_cast<std::size_t>(end - text.data()));
  bool quoted = false;
  if constexpr (std::is_floating_point_v<T>) quoted = !std::isfinite(value);
  else quoted = value > T{0} ? static_cast<std::uint64_t>(value) > (std::uint64_t{1} << 53)
                             : static_cast<std::int64_t>(value) < -(std::int64_t{1} << 53);
  if (!quoted) json += digits;
  else if (digits.find("nan") != std::string_view::npos) json += "\"NaN\"";
  else json.append("\"").append(digits).append("\"");
}

template <class T>
void append_numbers(std::string& json, std::span<const std::byte> bytes) {
  for (std::size_t i = 0; (i + 1) * sizeof(T) <= bytes.size(); ++i) {
    if (i > 0) json += ',';
    append_number(json, value_at<T>(bytes, i));
  }
}

void append_numbers(std::string& json, DcmEVR vr, std::span<const std::byte> bytes) {
  switch (vr) {
    case EVR_FL: return append_numbers<float>(json, bytes);
    case EVR_FD: return append_numbers<double>(json, bytes);
    case EVR_SS: return append_numbers<std::int16_t>(json, bytes);
    case EVR_US: return append_numbers<std::uint16_t>(json, bytes);
    case EVR_SL: return append_numbers<std::int32_t>(json, bytes);
    case EVR_UL: return append_numbers<std::uint32_t>(json, bytes);
    case EVR_SV: return append_numbers<std::int64_t>(json, bytes);
    default: return append_numbers<std::uint64_t>(json, bytes);
  }
}

void append_name(std::string& json, std::string_view name) {
  constexpr std::array<std::string_view, 3> groups{"Alphabetic", "Ideographic", "Phonetic"};
  json += '{';
  bool first = true;
  for (const std::string_view group : groups) {
    const auto end = std::min(name.find('='), name.size());
    if (const auto part = without_padding(name.substr(0, end), true); !part.empty()) {
      json.append(first ? "\"" : ",\"").append(group).append("\":");
      append_json_text(json, part);
      first = false;
    }
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  json += '}';
}

void append_one_text(std::string& json, Kind kind, std::string_view value) {
  value = without_padding(value, kind != Kind::free_text);
  if (value.empty()) json += "null";
  else if (kind == Kind::name) append_name(json, value);
  else if ((kind != Kind::decimal && kind != Kind::integer) || !append_json_number(json, value, kind == Kind::integer))
    append_json_text(json, value);
}

std::string_view string_of(DcmElement& element) {
  char* value = nullptr;
  Uint32 length = 0;
  if (element.getString(value, length).bad() || value == nullptr) return {};
  return {value, length};
}

/// Writes elements; knows the path to where it is.
class Json {
 public:
  explicit Json(std::string& out) : out_(out) {}

  /// The members of an item, without the braces.
  void members(DcmItem& item, const std::string& path) {
    DcmObject* at = nullptr;
    while ((at = item.nextInContainer(at)) != nullptr) {
      auto* element = dynamic_cast<DcmElement*>(at);
      // Group lengths are of the bytes, not of the data (PS3.18 F.2.2).
      if (element == nullptr || element->getETag() == 0 || element->getGTag() < 8) continue;
      member(*element, path);
    }
  }

  void begin(const std::string& tag, std::string_view vr) {
    out_.append(out_.back() == '{' ? "\"" : ",\"").append(tag).append(R"(":{"vr":")").append(vr).append("\"");
  }

  void bulk(const std::string& path) { out_.append(R"(,"BulkDataURI":"bulk/)").append(path).append("\""); }

 private:
  void member(DcmElement& element, const std::string& path) {
    const VrRow vr = row_of(element.ident());
    const std::string tag = tag_text(element.getGTag(), element.getETag());
    begin(tag, vr.name);
    if (vr.kind == Kind::sequence) sequence(element, path + tag);
    else if (element.getGTag() == 8 && element.getETag() == 5) out_ += R"(,"Value":["ISO_IR 192"])";
    else value(element, vr, path + tag);
    out_ += '}';
  }

  void value(DcmElement& element, const VrRow& vr, const std::string& path) {
    const std::size_t length = element.getLength();
    if (length == 0) return;
    if (length > (vr.kind == Kind::binary ? binary_inline_bytes : text_inline_bytes)) return bulk(path);
    if (vr.kind == Kind::binary) {
      out_.append(R"(,"InlineBinary":")").append(base64(little_endian_bytes(element))).append("\"");
    } else if (vr.kind == Kind::number || vr.kind == Kind::tag) {
      numbers(vr, little_endian_bytes(element));
    } else {
      texts(vr.kind, string_of(element));
    }
  }

  void numbers(const VrRow& vr, const std::vector<std::byte>& bytes) {
    out_ += R"(,"Value":[)";
    if (vr.kind == Kind::number) append_numbers(out_, vr.vr, bytes);
    for (std::size_t i = 0; vr.kind == Kind::tag && i + 4 <= bytes.size(); i += 4) {
      const std::span<const std::byte> both(bytes.data() + i, 4);
      out_ += i > 0 ? ",\"" : "\"";
      out_ += tag_text(value_at<std::uint16_t>(both, 0), value_at<std::uint16_t>(both, 1)) + '"';
    }
    out_ += ']';
  }

  void texts(Kind kind, std::string_view all) {
    all = without_padding(all, false);
    if (all.empty()) return;
    out_ += R"(,"Value":[)";
    for (std::size_t at = 0; at <= all.size();) {
      const std::size_t end = kind == Kind::free_text ? all.size() : std::min(all.find('\\', at), all.size());
      if (at > 0) out_ += ',';
      append_one_text(out_, kind, all.substr(at, end - at));
      at = end + 1;
    }
    out_ += ']';
  }

  void sequence(DcmElement& element, const std::string& path) {
    auto* list = dynamic_cast<DcmSequenceOfItems*>(&element);
    if (list == nullptr || list->card() == 0) return;
    out_ += R"(,"Value":[)";
    DcmObject* at = nullptr;
    for (int index = 0; (at = list->nextInContainer(at)) != nullptr;) {
      auto* item = dynamic_cast<DcmItem*>(at);
      if (item == nullptr) continue;
      out_ += index > 0 ? ",{" : "{";
      members(*item, path + '/' + std::to_string(index++) + '/');
      out_ += '}';
    }
    out_ += ']';
  }

  std::string& out_;
};

}  // namespace

void append_json_text(std::string& json, std::string_view text) {
  json += '"';
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_bytes(text, i);
    const auto first = static_cast<unsigned char>(text[i]);
    if (length == 0) json += "\xEF\xBF\xBD";
    else if (first == '"' || first == '\\') (json += '\\') += text[i];
    else if (first < 0x20) append_hex16(json += "\\u", first);
    else json += text.substr(i, length);
    i += std::max<std::size_t>(length, 1);
  }
  json += '"';
}

bool append_json_number(std::string& json, std::string_view text, bool whole) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) || text.empty()) return false;
  if (whole && text.find_first_not_of("-0123456789") != std::string_view::npos) return false;
  // JSON wants a digit before and behind the point, and no zero in front of another digit.
  const std::string_view digits = text.front() == '-' ? text.substr(1) : text;
  const auto point = digits.find('.');
  const bool digit_first = digits.front() >= '0' && digits.front() <= '9';
  const bool no_zero = digits.size() == 1 || digits[0] != '0' || digits[1] < '0' || digits[1] > '9';
  const bool digit_behind = point == std::string_view::npos ||
                            (point + 1 < digits.size() && digits[point + 1] >= '0' && digits[point + 1] <= '9');
  if (digit_first && no_zero && digit_behind) json += text;
  else append_number(json, value);
  return true;
}

std::vector<std::byte> little_endian_bytes(DcmElement& element) {
  std::vector<std::byte> out(element.getLength());
  const OFCondition status =
      out.empty() ? EC_Normal : element.getPartialValue(out.data(), 0, static_cast<Uint32>(out.size()), nullptr, EBO_LittleEndian);
  if (status.bad())
    throw Error(Code::bad_input, "reading the value of (" + tag_text(element.getGTag(), element.getETag()) + "): " + status.text());
  return out;
}

std::string dicom_json(const Object& object) {
  std::string out = "{";
  Json json(out);
  json.members(object.data(), {});
  if (object.has_pixels()) {
    const std::string tag = tag_text(object.pixel_tag.group, object.pixel_tag.element);
    json.begin(tag, object.pixel_tag.element == 8 ? "OF" : object.pixel_tag.element == 9 ? "OD" : object.words ? "OW" : "OB");
    json.bulk(tag);
    out += '}';
  }
  return out + '}';
}

}  // namespace penta::io::dicom
