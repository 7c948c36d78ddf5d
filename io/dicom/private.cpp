#include "io/dicom/private.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

template <class T>
std::vector<double> binary_numbers(std::span<const std::uint8_t> bytes) {
  std::vector<double> out;
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size() && out.size() < 4096; at += sizeof(T)) {
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    if (!std::isfinite(static_cast<double>(value))) return {};
    out.push_back(static_cast<double>(value));
  }
  return out;
}

std::uint32_t word_at(std::span<const std::uint8_t> bytes, std::size_t at) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(bytes[at + i]) << (8 * i);
  return value;
}

std::string text_at(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t length) {
  std::string out;
  for (std::size_t i = at; i < at + length && bytes[i] != 0; ++i) out += static_cast<char>(bytes[i]);
  const auto first = out.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

// "1000 \\8" as numbers; nothing where a part is none.
std::vector<double> text_numbers(std::string_view text) {
  std::vector<double> out;
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  for (std::size_t at = 0; at < text.size() && out.size() < 4096;) {
    const std::size_t end = std::min(text.find('\\', at), text.size());
    std::string_view part = text.substr(at, end - at);
    while (!part.empty() && (part.front() == ' ' || part.front() == '+')) part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    double value = 0;
    const auto [rest, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc{} || rest != part.data() + part.size() || !std::isfinite(value)) return {};
    out.push_back(value);
    at = end + 1;
  }
  return out;
}

constexpr std::size_t csa_tag_bytes = 84, csa_item_bytes = 16, csa_most_tags = 1024;

}  // namespace

std::optional<Tag> private_tag(DcmItem& item, std::uint16_t group, std::string_view creator, std::uint8_t element) {
  // One walk over the elements, which are in order: asking for each of 240 blocks would take as many.
  DcmObject* at = nullptr;
  while ((at = item.nextInContainer(at)) != nullptr && at->getGTag() <= group) {
    if (at->getGTag() != group || at->getETag() < 0x10 || at->getETag() > 0xFF) continue;
    if (!text(item, {group, at->getETag()}).starts_with(creator)) continue;
    const Tag tag{group, static_cast<std::uint16_t>(at->getETag() << 8 | element)};
    if (has(item, tag)) return tag;
  }
  return std::nullopt;
}

std::span<const std::uint8_t> bytes_of(DcmItem& item, Tag tag) {
  DcmElement* element = nullptr;
  if (item.findAndGetElement(DcmTagKey(tag.group, tag.element), element).bad() || element == nullptr) return {};
  // Implicit VR leaves private elements that no dictionary has without any.
  const DcmEVR vr = element->ident();
  if (vr != EVR_UN && vr != EVR_UNKNOWN && vr != EVR_UNKNOWN2B && vr != EVR_OB && vr != EVR_OW) return {};
  Uint8* bytes = nullptr;
  if (element->getUint8Array(bytes).bad() || bytes == nullptr) return {};
  return {bytes, element->getLength()};
}

std::vector<double> private_numbers(DcmItem& item, Tag tag, PrivateVr vr) {
  const auto raw = bytes_of(item, tag);
  if (raw.empty()) return numbers(item, tag);
  switch (vr) {
    case PrivateVr::float32: return binary_numbers<float>(raw);
    case PrivateVr::float64: return binary_numbers<double>(raw);
    case PrivateVr::int16: return binary_numbers<std::int16_t>(raw);
    case PrivateVr::int32: return binary_numbers<std::int32_t>(raw);
    case PrivateVr::text: return text_numbers({reinterpret_cast<const char*>(raw.data()), raw.size()});
  }
  return {};
}

CsaHeader read_csa(std::span<const std::uint8_t> bytes) {
  CsaHeader out;
  const bool newer = bytes.size() > 16 && std::memcmp(bytes.data(), "SV10", 4) == 0;
  std::size_t at = newer ? 8 : 0;
  if (bytes.size() < at + 8) return out;
  const std::uint32_t tags = word_at(bytes, at);
  if (tags < 1 || tags > csa_most_tags || word_at(bytes, at + 4) != 77) return out;
  at += 8;
  std::uint32_t first_items = 0;
  for (std::uint32_t tag = 0; tag < tags; ++tag) {
    if (at + csa_tag_bytes > bytes.size()) return {};
    std::vector<std::string>& values = out[text_at(bytes, at, 64)];
    const std::uint32_t items = word_at(bytes, at + 76);
    if (tag == 0) first_items = items;
    at += csa_tag_bytes;
    for (std::uint32_t i = 0; i < items; ++i) {
      if (at + csa_item_bytes > bytes.size()) return {};
      // The older format counts from the number of items of the first tag.
      const std::uint32_t length = newer ? word_at(bytes, at + 4) : word_at(bytes, at) - first_items;
      at += csa_item_bytes;
      if (length > bytes.size() - at) {
        if (!newer) return out;
        return {};
      }
      if (std::string value = text_at(bytes, at, length); !value.empty()) values.push_back(std::move(value));
      at = std::min(at + (static_cast<std::size_t>(length) + 3) / 4 * 4, bytes.size());
    }
  }
  return out;
}

std::vector<double> csa_numbers(const CsaHeader& header, std::string_view name) {
  const auto found = header.find(name);
  std::vector<double> out;
  if (found == header.end()) return out;
  for (const std::string& word : found->second) {
    double value = 0;
    const char* begin = word.data() + (word.front() == '+' ? 1 : 0);
    const auto [end, error] = std::from_chars(begin, word.data() + word.size(), value);
    if (error != std::errc{} || !std::isfinite(value)) return {};
    out.push_back(value);
  }
  return out;
}

CsaHeader csa_image_header(DcmItem& item) {
  const auto tag = private_tag(item, 0x0029, "SIEMENS CSA HEADER", 0x10);
  return tag ? read_csa(bytes_of(item, *tag)) : CsaHeader{};
}

}  // namespace penta::io::dicom
