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
  [[nodiscard]] std::size_t at() const noexcept { return at_; }

  void run() noexcept {
    while (!lost_ && deepest_ <= nesting_limit && step()) {
    }
  }

 private:
  struct Level {
    std::size_t end;
    bool undefined_length, is_item;
  };

  [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t count) const noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
      value |= static_cast<std::uint32_t>(bytes_[at + i]) << (8 * (big_ ? count - 1 - i : i));
    return value;
  }

  void open(std::size_t value, std::uint32_t length, bool is_item) noexcept {
    if (levels_ == stack_.size()) {
      deepest_ = nesting_limit + 1;
      return;
    }
    stack_[levels_++] = {length == undefined ? bytes_.size() : value + length, length == undefined, is_item};
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
      else open(value, length, true);
    } else {
      at_ = value;
      close(element == 0xE00D);
    }
    return !lost_;
  }

  bool plain() noexcept {
    const char vr[2] = {static_cast<char>(bytes_[at_ + 4]), static_cast<char>(bytes_[at_ + 5])};
    const std::string_view name(vr, 2);
    std::uint32_t length = 0;
    std::size_t value = at_ + 8;
    bool sequence = false;
    if (implicit_) {
      length = number(at_ + 4, 4);
      // Without the dictionary a sequence of defined length looks like any value: one that starts with an item is one.
      sequence = length == undefined || (length >= 8 && value + 8 <= bytes_.size() && number(value, 2) == 0xFFFE &&
                                         number(value + 2, 2) == 0xE000);
    } else if (vr[0] < 'A' || vr[0] > 'Z' || vr[1] < 'A' || vr[1] > 'Z') {
      lost_ = true;
      return false;
    } else if (name == "SQ" || name == "UN" || name == "UT" || name == "UC" || name == "UR" || name == "SV" ||
               name == "UV" || vr[0] == 'O') {
      if (at_ + 12 > bytes_.size()) return false;
      length = number(at_ + 8, 4);
      value = at_ + 12;
      sequence = name == "SQ" || length == undefined;
      if (name == "UN" && length == undefined) lost_ = true;  // PS3.5 6.2.2: implicit inside
    } else {
      length = number(at_ + 6, 2);
    }
    if (sequence) {
      open(value, length, false);
      return !lost_;
    }
    if (length == undefined || length > bytes_.size() - value) return false;  // truncated, or a prefix of the file
    at_ = value + length;
    return true;
  }

  std::span<const std::byte> bytes_;
  bool big_, implicit_, lost_ = false;
  std::size_t at_ = 0, levels_ = 0;
  int deepest_ = 0;
  std::array<Level, 2 * nesting_limit + 2> stack_{};
};

}  // namespace

Nesting nesting_of(std::span<const std::byte> bytes, bool big_endian, bool implicit_vr) noexcept {
  Walk walk(bytes, big_endian, implicit_vr);
  walk.run();
  if (!walk.lost()) return {walk.depth()};
  constexpr int safe_items = 1000;  // DCMTK needs less than 2 KiB of stack a level
  int item_tags = 0;
  for (std::size_t i = 0; i + 4 <= bytes.size() && item_tags <= safe_items; ++i) {
    if (bytes[i] < std::byte{0xFE}) continue;
    const bool little = bytes[i] == std::byte{0xFE} && bytes[i + 1] == std::byte{0xFF} && bytes[i + 2] == std::byte{0} &&
                        bytes[i + 3] == std::byte{0xE0};
    const bool big = bytes[i] == std::byte{0xFF} && bytes[i + 1] == std::byte{0xFE} && bytes[i + 2] == std::byte{0xE0} &&
                     bytes[i + 3] == std::byte{0};
    if (little || big) ++item_tags;
  }
  return {item_tags > safe_items ? nesting_limit + 1 : walk.depth()};
}

}  // namespace penta::io::dicom
