#include "engine/store/frame_bytes.h"

#include "core/error.h"

namespace penta::engine {

namespace {

// Small numbers of either sign are small (zigzag).
void put(std::vector<std::byte>& out, std::int64_t value) {
  auto bits = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  while (bits >= 0x80) {
    out.push_back(static_cast<std::byte>((bits & 0x7F) | 0x80));
    bits >>= 7;
  }
  out.push_back(static_cast<std::byte>(bits));
}

class Numbers {
 public:
  explicit Numbers(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::int64_t next() {
    std::uint64_t bits = 0;
    for (int shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(bytes_[at_++]);
      bits |= (byte & 0x7F) << shift;
      if (byte < 0x80) return static_cast<std::int64_t>(bits >> 1) ^ -static_cast<std::int64_t>(bits & 1);
    }
    throw Error(Code::internal, "reading the catalogue: a list of frames is damaged");
  }
  /// A number of things that each take at least one byte.
  std::size_t count() {
    const std::int64_t value = next();
    if (value < 0 || static_cast<std::size_t>(value) > bytes_.size())
      throw Error(Code::internal, "reading the catalogue: a list of frames is damaged");
    return static_cast<std::size_t>(value);
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<std::byte> frames_to_bytes(const std::vector<std::vector<ByteRange>>& frames) {
  std::vector<std::byte> out;
  std::int64_t end = 0;
  put(out, static_cast<std::int64_t>(frames.size()));
  for (const auto& frame : frames) {
    put(out, static_cast<std::int64_t>(frame.size()));
    for (const ByteRange& range : frame) {
      put(out, range.offset - end);
      put(out, range.length);
      end = range.offset + range.length;
    }
  }
  return out;
}

std::vector<std::vector<ByteRange>> frames_from_bytes(std::span<const std::byte> bytes) {
  Numbers numbers(bytes);
  std::vector<std::vector<ByteRange>> out(numbers.count());
  std::int64_t end = 0;
  for (auto& frame : out) {
    frame.resize(numbers.count());
    for (ByteRange& range : frame) {
      range.offset = end + numbers.next();
      range.length = numbers.next();
      end = range.offset + range.length;
    }
  }
  return out;
}

}  // namespace penta::engine
