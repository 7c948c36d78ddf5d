#include "io/dicom/write_rle.h"

#include <algorithm>
#include <array>
#include <limits>

namespace penta::io::dicom {

namespace {

constexpr std::byte as_byte(std::size_t value) noexcept { return static_cast<std::byte>(value & 0xFFU); }

void put_u32(std::vector<std::byte>& bytes, std::uint64_t value) {
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(as_byte(value >> shift));
}

/// PackBits of one row that comes as runs (PS3.5 G.3.1): runs of three on are repeated, what is between is literal.
class Packer {
 public:
  explicit Packer(std::vector<std::byte>& out) : out_(out) {}
  void run(std::byte value, std::size_t count) {
    if (count < 3) {
      for (std::size_t k = 0; k < count; ++k) {
        literal_[length_++] = value;
        if (length_ == literal_.size()) flush();
      }
      return;
    }
    flush();
    while (count > 0) {
      const std::size_t part = std::min<std::size_t>(count, 128);
      // A control byte of -n repeats n + 1 times; for one byte it is a literal.
      out_.push_back(part == 1 ? std::byte{0} : as_byte(257 - part));
      out_.push_back(value);
      count -= part;
    }
  }
  void flush() {
    if (length_ == 0) return;
    out_.push_back(as_byte(length_ - 1));
    out_.insert(out_.end(), literal_.begin(), literal_.begin() + static_cast<std::ptrdiff_t>(length_));
    length_ = 0;
  }

 private:
  std::vector<std::byte>& out_;
  std::array<std::byte, 128> literal_{};
  std::size_t length_ = 0;
};

void pack_plane(std::vector<std::byte>& out, std::span<const std::uint16_t> labels, std::size_t columns,
                std::span<const std::uint16_t> numbers, unsigned shift) {
  Packer packer(out);
  for (std::size_t row = 0; row + columns <= labels.size(); row += columns) {
    for (std::size_t i = 0; i < columns;) {
      const std::uint16_t label = labels[row + i];
      const auto end = std::find_if(labels.begin() + static_cast<std::ptrdiff_t>(row + i),
                                    labels.begin() + static_cast<std::ptrdiff_t>(row + columns),
                                    [label](std::uint16_t other) { return other != label; });
      const auto next = static_cast<std::size_t>(end - labels.begin()) - row;
      packer.run(as_byte(static_cast<std::size_t>(numbers[label]) >> shift), next - i);
      i = next;
    }
    packer.flush();
  }
}

void put_item(std::vector<std::byte>& bytes, std::uint64_t length) {
  for (const unsigned value : {0xFEU, 0xFFU, 0x00U, 0xE0U}) bytes.push_back(as_byte(value));
  put_u32(bytes, length);
}

}  // namespace

std::vector<std::byte> rle_of_labels(std::span<const std::uint16_t> labels, std::size_t columns,
                                     std::span<const std::uint16_t> numbers, bool wide) {
  const std::size_t planes = wide ? 2 : 1;
  std::vector<std::byte> out(64);
  const auto set = [&](std::size_t word, std::size_t value) {
    for (std::size_t k = 0; k < 4; ++k) out[4 * word + k] = as_byte(value >> (8 * k));
  };
  set(0, planes);
  for (std::size_t plane = 0; plane < planes; ++plane) {
    set(plane + 1, out.size());
    pack_plane(out, labels, columns, numbers, static_cast<unsigned>(8 * (planes - 1 - plane)));
    if (out.size() % 2 != 0) out.push_back(std::byte{0});
  }
  return out;
}

void append_encapsulated(std::vector<std::byte>& bytes, std::span<const std::vector<std::byte>> frames) {
  std::uint64_t total = 0, last = 0;
  for (const auto& frame : frames) {
    last = total;
    total += frame.size() + 8;
  }
  bytes.reserve(bytes.size() + total + 4 * frames.size() + 32);
  for (const unsigned value : {0xE0U, 0x7FU, 0x10U, 0x00U, 0x4FU, 0x42U, 0x00U, 0x00U}) bytes.push_back(as_byte(value));
  put_u32(bytes, 0xFFFFFFFFU);
  const bool table = last <= std::numeric_limits<std::uint32_t>::max();
  put_item(bytes, table ? 4 * frames.size() : 0);
  std::uint64_t offset = 0;
  for (const auto& frame : frames) {
    if (table) put_u32(bytes, offset);
    offset += frame.size() + 8;
  }
  for (const auto& frame : frames) {
    put_item(bytes, frame.size());
    bytes.insert(bytes.end(), frame.begin(), frame.end());
  }
  for (const unsigned value : {0xFEU, 0xFFU, 0xDDU, 0xE0U}) bytes.push_back(as_byte(value));
  put_u32(bytes, 0);
}

}  // namespace penta::io::dicom
