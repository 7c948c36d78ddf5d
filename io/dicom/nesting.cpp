#include "io/dicom/nesting.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace penta::io::dicom {

namespace {

constexpr std::uint32_t undefined = 0xFFFFFFFFU;

/// Walks elements with a stack of ends; `lost` once an element makes no sense.
class Walk {
 public:
  Walk(std::span<const std::byte> bytes, bool big_endian, bool implicit_vr)
      : bytes_(bytes), big_(big_endian), implicit_(implicit_vr) {}

  [[nodiscard]] bool lost() const noexcept { return lost_; }
  [[nodiscard]] int depth() const noexcept { return deepest_; }
  [[nodiscard]] bool overrun() const noexcept { return overrun_; }

  void run() noexcept {
    while (!lost_ && deepest_ <= nesting_limit && step()) {
    }
  }

 private:
  struct Level {
    std::size_t end;
    bool undefined_length, is_item, implicit_vr, guessed;
    bool raw = false;  ///< encapsulated pixel data (of an icon): its items hold bytes, not elements
  };

  [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t count) const noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
      value |= static_cast<std::uint32_t>(bytes_[at + i]) << (8 * (big_ ? count - 1 - i : i));
    return value;
  }

  [[nodiscard]] bool implicit() const noexcept { return levels_ > 0 ? stack_[levels_ - 1].implicit_vr : implicit_; }
  [[nodiscard]] bool guessed() const noexcept { return levels_ > 0 && stack_[levels_ - 1].guessed; }

  void open(std::size_t value, std::uint32_t length, bool is_item, bool implicit_vr, bool guessed_one) noexcept {
    if (levels_ == stack_.size()) {
      deepest_ = nesting_limit + 1;
      return;
    }
    const bool guess = guessed_one || guessed(), endless = length == undefined;
    stack_[levels_++] = {endless ? bytes_.size() : value + length, endless, is_item, implicit_vr, guess};
    int depth = 0;
    for (std::size_t i = 0; i < levels_; ++i) depth += stack_[i].is_item ? 0 : 1;
    deepest_ = depth > deepest_ ? depth : deepest_;
    at_ = value;
  }

  void close(bool item) noexcept {
    if (levels_ == 0 || !stack_[levels_ - 1].undefined_length || stack_[levels_ - 1].is_item != item) {
      lost_ = true;
      return;
    }
    --levels_;
  }

  bool step() noexcept {
    while (levels_ > 0 && !stack_[levels_ - 1].undefined_length && at_ >= stack_[levels_ - 1].end) --levels_;
    if (at_ + 8 > bytes_.size()) return false;
    const std::uint32_t group = number(at_, 2), element = number(at_ + 2, 2);
    if (group == 0xFFFE) return delimiter(element);
    if (levels_ == 0 && group >= 0x7FE0) return false;
    return plain();
  }

  bool delimiter(std::uint32_t element) noexcept {
    const std::uint32_t length = number(at_ + 4, 4);
    const std::size_t value = at_ + 8;
    if (element == 0xE000) {
      if (levels_ == 0 || stack_[levels_ - 1].is_item) lost_ = true;
      else if (stack_[levels_ - 1].raw) skip(value, length);
      else open(value, length, true, implicit(), false);
    } else {
      at_ = value;
      close(element == 0xE00D);
    }
    return !lost_;
  }

  bool plain() noexcept {
    const Header header = implicit() ? implicit_header() : explicit_header();
    if (header.value > bytes_.size()) return false;
    if (header.sequence) {
      // PS3.5 6.2.2: a UN of undefined length is a sequence in implicit VR.
      const bool pixels = number(at_, 2) == 0x7FE0;
      open(header.value, header.length, false, implicit() || header.unknown, header.guessed);
      if (levels_ > 0) stack_[levels_ - 1].raw = pixels;
      return !lost_;
    }
    return skip(header.value, header.length);
  }

  bool skip(std::size_t value, std::uint32_t length) noexcept {
    if (length > bytes_.size() - value) {
      overrun_ = !guessed();
      at_ = bytes_.size();
      return false;
    }
    at_ = value + length;
    return true;
  }

  struct Header {
    std::uint32_t length = 0;
    std::size_t value = 0;
    bool sequence = false, unknown = false, guessed = false;
  };

  // Without the dictionary a sequence of defined length looks like any value: one that starts with an item is one.
  [[nodiscard]] Header implicit_header() const noexcept {
    Header header{number(at_ + 4, 4), at_ + 8};
    header.guessed = header.length != undefined && header.length >= 8 && header.value + 8 <= bytes_.size() &&
                     number(header.value, 2) == 0xFFFE && number(header.value + 2, 2) == 0xE000;
    header.sequence = header.length == undefined || header.guessed;
    return header;
  }

  // VRs with a 16-bit length; all other capital letters have 32 bits (PS3.5 7.1.2), and so DCMTK reads unknown ones.
  [[nodiscard]] Header explicit_header() const noexcept {
    constexpr std::string_view brief = "AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US";
    const char vr[2] = {static_cast<char>(bytes_[at_ + 4]), static_cast<char>(bytes_[at_ + 5])};
    const std::string_view name(vr, 2);
    const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (!capital(vr[0]) || !capital(vr[1]) || brief.find(name) != std::string_view::npos)
      return {number(at_ + 6, 2), at_ + 8};
    if (at_ + 12 > bytes_.size()) return {0, bytes_.size() + 1};
    Header header{number(at_ + 8, 4), at_ + 12};
    header.sequence = name == "SQ" || header.length == undefined;
    header.unknown = name == "UN";
    return header;
  }

  std::span<const std::byte> bytes_;
  bool big_, implicit_, lost_ = false, overrun_ = false;
  std::size_t at_ = 0, levels_ = 0;
  int deepest_ = 0;
  std::array<Level, 2 * nesting_limit + 2> stack_{};
};

}  // namespace

Nesting nesting_of(std::span<const std::byte> bytes, bool big_endian, bool implicit_vr) noexcept {
  Walk walk(bytes, big_endian, implicit_vr);
  walk.run();
  if (!walk.lost()) return {walk.depth(), walk.overrun()};
  constexpr int safe_items = 1000;  // DCMTK needs less than 2 KiB of stack a level
  int item_tags = 0;
  for (std::size_t i = 0; i + 4 <= bytes.size() && item_tags <= safe_items; ++i) {
    if (bytes[i] < std::byte{0xFE}) continue;
    const auto is = [&](unsigned a, unsigned b, unsigned c, unsigned d) {
      const auto at = [&](std::size_t k) { return std::to_integer<unsigned>(bytes[i + k]); };
      return at(0) == a && at(1) == b && at(2) == c && at(3) == d;
    };
    const bool little = is(0xFE, 0xFF, 0, 0xE0), big = is(0xFF, 0xFE, 0xE0, 0);
    if (little || big) ++item_tags;
  }
  return {item_tags > safe_items ? nesting_limit + 1 : walk.depth(), false};
}

}  // namespace penta::io::dicom
