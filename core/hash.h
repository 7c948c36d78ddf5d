#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace penta {

/// SHA-256 (FIPS 180-4) of what was added, in any number of pieces.
class Sha256 {
 public:
  Sha256() noexcept;
  Sha256& add(std::span<const std::byte> bytes) noexcept;
  Sha256& add(std::string_view text) noexcept { return add(std::as_bytes(std::span(text.data(), text.size()))); }
  [[nodiscard]] std::array<std::uint8_t, 32> digest() noexcept;
  /// 64 lower-case hex digits.
  [[nodiscard]] std::string hex() noexcept;

 private:
  std::array<std::uint32_t, 8> state_;
  std::array<std::uint8_t, 64> pending_{};
  std::uint64_t length_ = 0;
};

[[nodiscard]] std::string sha256_hex(std::span<const std::byte> bytes);
/// A UID under 2.25 (PS3.5 B.2) from a hash of `text`: the same text gives the same UID.
[[nodiscard]] std::string uid_from(std::string_view text);

}  // namespace penta
