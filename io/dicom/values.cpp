#include <charconv>
#include <cmath>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

std::optional<double> parse(std::string_view word) noexcept {
  if (!word.empty() && word.front() == '+') word.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

bool starts_data_set(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < 16) return false;
  const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(bytes[i]); };
  const bool little = (at(0) == 8 || at(0) == 2) && at(1) == 0 && at(3) == 0;
  const bool big = at(0) == 0 && at(1) == 8 && at(2) == 0;
  if (!little && !big) return false;
  const bool capitals = at(4) >= 'A' && at(4) <= 'Z' && at(5) >= 'A' && at(5) <= 'Z';
  if (capitals) {
    constexpr std::string_view known = "UL CS UI DA TM LO SH PN DT US OB SQ ST LT";
    const char vr[2] = {static_cast<char>(at(4)), static_cast<char>(at(5))};
    return known.find(std::string_view(vr, 2)) != std::string_view::npos;
  }
  // Implicit VR: a short first value, of even length, inside the bytes.
  const unsigned length = at(4) | at(5) << 8 | at(6) << 16 | at(7) << 24;
  return little && at(0) == 8 && length % 2 == 0 && length <= 256 && 8 + length <= bytes.size();
}

}  // namespace

bool sniff(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() >= 132 && bytes[128] == std::byte{'D'} && bytes[129] == std::byte{'I'} &&
      bytes[130] == std::byte{'C'} && bytes[131] == std::byte{'M'})
    return true;
  return starts_data_set(bytes);
}

std::vector<double> numbers(DcmItem& item, Tag tag) {
  std::vector<double> out;
  for (const std::string& word : words(item, tag)) {
    const auto value = parse(word);
    if (!value) return {};
    out.push_back(*value);
  }
  return out;
}

std::optional<double> number(DcmItem& item, Tag tag) {
  const auto all = words(item, tag);
  return all.empty() ? std::nullopt : parse(all.front());
}

std::optional<int> integer(DcmItem& item, Tag tag) {
  const auto value = number(item, tag);
  if (!value || std::abs(*value) > 2e9) return std::nullopt;
  return static_cast<int>(std::lround(*value));
}

}  // namespace penta::io::dicom
