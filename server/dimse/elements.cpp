#include "server/dimse/elements.h"

#include <algorithm>
#include <array>

#include "core/hash.h"

namespace penta::server::dimse {

namespace {

constexpr std::uint32_t undefined_length = 0xFFFFFFFF, item = 0xFFFEE000, item_end = 0xFFFEE00D, sequence_end = 0xFFFEE0DD;
constexpr int depth_max = 16;

// VRs whose explicit form has two reserved bytes and 32 bits of length (PS3.5 7.1.2).
bool is_long(std::string_view vr) {
  constexpr std::array<std::string_view, 13> those{"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"};
  return std::find(those.begin(), those.end(), vr) != those.end();
}

struct Head {
  std::uint32_t tag = 0, length = 0;
  std::string_view vr;
  std::size_t bytes = 0;  ///< 0: the bytes end before
};

class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, Encoding encoding) : bytes_(bytes), encoding_(encoding) {}

  [[nodiscard]] bool at_end() const noexcept { return at_ >= bytes_.size(); }
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }
  [[nodiscard]] std::span<const std::byte> take(std::size_t count) {
    const auto piece = bytes_.subspan(at_, count);
    at_ += count;
    return piece;
  }

  [[nodiscard]] Head head() {
    Head h;
    if (left() < 8) return h;
    h.tag = static_cast<std::uint32_t>(u16(at_)) << 16U | u16(at_ + 2);
    h.bytes = 8;
    if (encoding_ == Encoding::implicit_little || h.tag >> 16U == 0xFFFE) {
      h.length = u32(at_ + 4);
    } else {
      h.vr = {reinterpret_cast<const char*>(bytes_.data()) + at_ + 4, 2};
      if (!std::all_of(h.vr.begin(), h.vr.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) return {};
      if (!is_long(h.vr)) {
        h.length = u16(at_ + 6);
      } else {
        if (left() < 12) return {};
        h.length = u32(at_ + 8);
        h.bytes = 12;
      }
    }
    at_ += h.bytes;
    return h;
  }

  // What follows the head of a sequence (or item) of undefined length, to its end.
  [[nodiscard]] bool skip_undefined(int depth) {
    while (depth <= depth_max) {
      const Head h = head();
      if (h.bytes == 0) return false;
      if (h.tag == sequence_end || h.tag == item_end) return true;
      if (h.length == undefined_length) {
        if (!skip_undefined(depth + 1)) return false;
      } else {
        if (h.length > left()) return false;
        at_ += h.length;
      }
    }
    return false;
  }

 private:
  [[nodiscard]] std::uint16_t u16(std::size_t at) const noexcept {
    const std::uint16_t value = u16_at(bytes_, at);
    return encoding_ == Encoding::explicit_big ? static_cast<std::uint16_t>(value << 8U | value >> 8U) : value;
  }
  [[nodiscard]] std::uint32_t u32(std::size_t at) const noexcept {
    return encoding_ == Encoding::explicit_big ? static_cast<std::uint32_t>(u16(at)) << 16U | u16(at + 2)
                                               : static_cast<std::uint32_t>(u16(at + 2)) << 16U | u16(at);
  }

  std::span<const std::byte> bytes_;
  Encoding encoding_;
  std::size_t at_ = 0;
};

}  // namespace

std::string trimmed(std::span<const std::byte> value) {
  std::string text(reinterpret_cast<const char*>(value.data()), value.size());
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.pop_back();
  return text;
}

std::uint16_t u16_at(std::span<const std::byte> bytes, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) | std::to_integer<unsigned>(bytes[at + 1]) << 8U);
}

std::uint32_t u32_at(std::span<const std::byte> bytes, std::size_t at) noexcept {
  return static_cast<std::uint32_t>(u16_at(bytes, at + 2)) << 16U | u16_at(bytes, at);
}

Encoding encoding_of(std::string_view transfer_syntax) noexcept {
  if (transfer_syntax == "1.2.840.10008.1.2") return Encoding::implicit_little;
  if (transfer_syntax == "1.2.840.10008.1.2.2") return Encoding::explicit_big;
  // Deflated, and JPIP referenced deflated: the data set itself is packed.
  if (transfer_syntax == "1.2.840.10008.1.2.1.99" || transfer_syntax == "1.2.840.10008.1.2.4.95" ||
      transfer_syntax == "1.2.840.10008.1.2.4.205")
    return Encoding::closed;
  return transfer_syntax.starts_with("1.2.840.10008.1.2.") ? Encoding::explicit_little : Encoding::closed;
}

bool walk(std::span<const std::byte> bytes, Encoding encoding, const std::function<bool(const Element&)>& visit) {
  if (encoding == Encoding::closed) return false;
  Cursor cursor(bytes, encoding);
  while (!cursor.at_end()) {
    const Head h = cursor.head();
    if (h.bytes == 0 || h.tag == item || h.tag == item_end || h.tag == sequence_end) return false;
    Element element{h.tag, h.vr, {}, h.vr == "SQ"};
    if (h.length == undefined_length) {
      if (!cursor.skip_undefined(0)) return false;
      element.sequence = true;
    } else {
      if (h.length > cursor.left()) return false;
      element.value = cursor.take(h.length);
    }
    if (element.sequence) element.value = {};
    if (!visit(element)) return true;
  }
  return true;
}

HeadUids head_uids(std::span<const std::byte> bytes, Encoding encoding) {
  HeadUids uids;
  walk(bytes, encoding, [&](const Element& e) {
    if (e.tag == 0x00080016) uids.sop_class = trimmed(e.value);
    if (e.tag == 0x00080018) uids.sop_instance = trimmed(e.value);
    return e.tag < 0x00080018;
  });
  return uids;
}

void ElementWriter::put16(std::uint16_t value) {
  bytes_.push_back(static_cast<std::byte>(value & 255U));
  bytes_.push_back(static_cast<std::byte>(value >> 8U));
}

void ElementWriter::put32(std::uint32_t value) {
  put16(static_cast<std::uint16_t>(value & 0xFFFFU));
  put16(static_cast<std::uint16_t>(value >> 16U));
}

void ElementWriter::value(std::uint32_t tag, std::string_view vr, std::span<const std::byte> value) {
  put16(static_cast<std::uint16_t>(tag >> 16U));
  put16(static_cast<std::uint16_t>(tag & 0xFFFFU));
  if (!explicit_vr_) {
    put32(static_cast<std::uint32_t>(value.size()));
  } else {
    for (const char c : vr) bytes_.push_back(static_cast<std::byte>(c));
    if (is_long(vr)) {
      put16(0);
      put32(static_cast<std::uint32_t>(value.size()));
    } else {
      value = value.first(std::min<std::size_t>(value.size(), 0xFFFE));
      put16(static_cast<std::uint16_t>(value.size()));
    }
  }
  add(value);
}

void ElementWriter::text(std::uint32_t tag, std::string_view vr, std::string_view value) {
  std::string padded(value);
  if (padded.size() % 2 != 0) padded += vr == "UI" ? '\0' : ' ';
  this->value(tag, vr, std::as_bytes(std::span(padded)));
}

void ElementWriter::u16(std::uint32_t tag, std::uint16_t number) {
  const std::array bytes{static_cast<std::byte>(number & 255U), static_cast<std::byte>(number >> 8U)};
  value(tag, "US", bytes);
}

void ElementWriter::u32(std::uint32_t tag, std::uint32_t number) {
  std::array<std::byte, 4> bytes{};
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::byte>(number >> (8 * i) & 255U);
  value(tag, "UL", bytes);
}

std::vector<std::byte> meta_header(const std::string& sop_class, const std::string& sop_instance,
                                   const std::string& transfer_syntax) {
  ElementWriter group(true);
  const std::array version{std::byte{0}, std::byte{1}};
  group.value(0x00020001, "OB", version);
  group.text(0x00020002, "UI", sop_class);
  group.text(0x00020003, "UI", sop_instance);
  group.text(0x00020010, "UI", transfer_syntax);
  group.text(0x00020012, "UI", uid_from("pentascope implementation"));
  group.text(0x00020013, "SH", "PENTASCOPE");
  ElementWriter all(true);
  all.add(std::vector<std::byte>(128));
  all.add(std::as_bytes(std::span(std::string_view("DICM"))));
  all.u32(0x00020000, static_cast<std::uint32_t>(group.bytes().size()));
  all.add(group.bytes());
  return all.bytes();
}

std::size_t data_set_offset(std::span<const std::byte> bytes) noexcept {
  constexpr std::size_t start = 132, group_length = 12;
  constexpr std::string_view magic = "DICM";
  if (bytes.size() < start + group_length) return 0;
  for (std::size_t i = 0; i < magic.size(); ++i)
    if (bytes[128 + i] != static_cast<std::byte>(magic[i])) return 0;
  if (u16_at(bytes, start) == 2 && u16_at(bytes, start + 2) == 0) return start + group_length + u32_at(bytes, start + 8);
  // Without the group's length: element by element.
  std::size_t at = start;
  while (at + 8 <= bytes.size() && u16_at(bytes, at) == 2) {
    const std::string_view vr(reinterpret_cast<const char*>(bytes.data()) + at + 4, 2);
    if (is_long(vr)) {
      if (at + 12 > bytes.size()) return 0;
      at += 12 + std::size_t{u32_at(bytes, at + 8)};
    } else {
      at += 8 + std::size_t{u16_at(bytes, at + 6)};
    }
  }
  return at + 8 <= bytes.size() ? at : 0;
}

}  // namespace penta::server::dimse
