#include <algorithm>
#include <array>
#include <optional>

#include "core/error.h"
#include "io/dicom/file.h"
#include "io/dicom/web.h"

namespace penta::io::dicom {

namespace {

constexpr std::int64_t first_element = 132;

unsigned word_at(std::span<const std::byte> bytes, std::size_t at) noexcept {
  return std::to_integer<unsigned>(bytes[at]) | std::to_integer<unsigned>(bytes[at + 1]) << 8;
}

bool has_long_length(std::span<const std::byte> vr) noexcept {
  constexpr std::array<std::string_view, 7> long_vrs{"OB", "OW", "OF", "SQ", "UN", "UT", "UC"};
  const std::array<char, 2> letters{static_cast<char>(vr[0]), static_cast<char>(vr[1])};
  return std::find(long_vrs.begin(), long_vrs.end(), std::string_view(letters.data(), 2)) != long_vrs.end();
}

/// Where the data set begins: behind the elements of group 2, which are explicit VR little endian (PS3.10 7.1).
std::optional<std::int64_t> data_set_offset(const File& file) {
  std::int64_t at = first_element;
  std::array<std::byte, 12> head{};
  while (at + 12 <= file.stamp().bytes) {
    file.read(at, head);
    if (word_at(head, 0) != 2) return at;
    const bool is_long = has_long_length(std::span(head).subspan(4, 2));
    const std::int64_t length = is_long ? word_at(head, 8) + (static_cast<std::int64_t>(word_at(head, 10)) << 16) : word_at(head, 6);
    at += (is_long ? 12 : 8) + length;
  }
  return std::nullopt;
}

bool same_bytes(const File& a, std::int64_t a_from, const File& b, std::int64_t b_from) {
  const std::int64_t end = a.stamp().bytes;
  if (end - a_from != b.stamp().bytes - b_from) return false;
  constexpr std::int64_t piece = 1 << 20;
  std::vector<std::byte> of_a(piece), of_b(piece);
  for (std::int64_t at = a_from; at < end; at += piece) {
    const auto count = static_cast<std::size_t>(std::min(piece, end - at));
    const std::span<std::byte> left(of_a.data(), count), right(of_b.data(), count);
    a.read(at, left);
    b.read(b_from + at - a_from, right);
    if (!std::equal(left.begin(), left.end(), right.begin())) return false;
  }
  return true;
}

}  // namespace

bool same_data_set(const std::filesystem::path& one, const std::filesystem::path& other) {
  try {
    const File a(one, "the instance"), b(other, "the instance");
    const auto a_from = data_set_offset(a), b_from = data_set_offset(b);
    return a_from && b_from && same_bytes(a, *a_from, b, *b_from);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace penta::io::dicom
