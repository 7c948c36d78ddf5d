#include "core/hash.h"

#include <algorithm>
#include <cstring>

#include "core/sha256_blocks.h"

namespace penta {

Sha256::Sha256() noexcept
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {}

Sha256& Sha256::add(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return *this;  // an empty span may be null, which memcpy must not be given
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const Sha256Blocks blocks = sha256_blocks_here();
  std::size_t left = bytes.size();
  std::size_t held = length_ % 64;
  length_ += left;
  if (held > 0) {
    const std::size_t take = std::min(left, 64 - held);
    std::memcpy(pending_.data() + held, data, take);
    data += take, left -= take, held += take;
    if (held < 64) return *this;
    blocks(state_, pending_.data(), 1);
  }
  blocks(state_, data, left / 64);
  data += left / 64 * 64, left %= 64;
  if (left > 0) std::memcpy(pending_.data(), data, left);
  return *this;
}

std::array<std::uint8_t, 32> Sha256::digest() noexcept {
  const std::uint64_t bits = length_ * 8;
  const std::size_t held = length_ % 64;
  std::array<std::byte, 72> tail{std::byte{0x80}};
  const std::size_t zeros = (held < 56 ? 56 : 120) - held;
  std::array<std::byte, 8> size{};
  for (std::size_t i = 0; i < 8; ++i) size[i] = static_cast<std::byte>(bits >> (56 - 8 * i));
  add(std::span(tail).first(zeros)).add(size);
  std::array<std::uint8_t, 32> out{};
  for (std::size_t i = 0; i < 32; ++i) out[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  return out;
}

std::string Sha256::hex() noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest()) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) { return Sha256().add(bytes).hex(); }

std::string uid_from(std::string_view text) {
  const auto digest = Sha256().add(text).digest();
  __extension__ typedef unsigned __int128 Wide;
  Wide number = 0;
  for (std::size_t i = 0; i < 16; ++i) number = (number << 8) | digest[i];
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(number % 10));
    number /= 10;
  } while (number > 0);
  std::reverse(digits.begin(), digits.end());
  return "2.25." + digits;
}

}  // namespace penta
