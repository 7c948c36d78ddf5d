#include "io/dicom/jpeg2000_packets.h"

#include <algorithm>
#include <bit>

namespace penta::io::dicom::j2k {

namespace {

// Bits of a packet header; after a byte FF the next one has seven (B.10.1).
class Bits {
 public:
  Bits(std::span<const std::uint8_t> bytes, std::size_t at) : bytes_(bytes), at_(at) {}

  [[nodiscard]] std::uint32_t bit() noexcept {
    if (left_ == 0) {
      if (at_ >= bytes_.size()) {
        broken_ = true;
        return 0;
      }
      left_ = last_ == 0xFF ? 7 : 8;
      last_ = bytes_[at_++];
    }
    return last_ >> --left_ & 1U;
  }
  [[nodiscard]] std::uint32_t bits(int count) noexcept {
    std::uint32_t out = 0;
    while (count-- > 0) out = out << 1 | bit();
    return out;
  }
  [[nodiscard]] bool broken() const noexcept { return broken_; }
  /// Where the next whole byte is.
  [[nodiscard]] std::size_t end() const noexcept { return at_ + (last_ == 0xFF ? 1 : 0); }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_;
  int left_ = 0;
  std::uint32_t last_ = 0;
  bool broken_ = false;
};

// Table B.4.
int pass_count(Bits& bits) {
  if (bits.bit() == 0) return 1;
  if (bits.bit() == 0) return 2;
  if (const std::uint32_t two = bits.bits(2); two < 3) return static_cast<int>(3 + two);
  if (const std::uint32_t five = bits.bits(5); five < 31) return static_cast<int>(6 + five);
  return static_cast<int>(37 + bits.bits(7));
}

bool read_block(BandBlocks& band, Block& block, std::size_t x, std::size_t y, int layer, Bits& bits) {
  block.next_length = 0;
  const bool now = block.included ? bits.bit() != 0 : band.inclusion.is_less(x, y, layer + 1, bits);
  if (bits.broken()) return false;
  if (!now) return true;
  if (!block.included) {
    int empty = 0;
    while (empty <= band.most_planes && !band.empty_planes.is_less(x, y, empty + 1, bits) && !bits.broken()) ++empty;
    block.planes = band.most_planes - empty;
    if (bits.broken() || block.planes < 1) return false;
    block.included = true;
  }
  const int passes = pass_count(bits);
  while (!bits.broken() && bits.bit() != 0 && block.length_bits < 32) ++block.length_bits;
  const int width = block.length_bits + static_cast<int>(std::bit_width(static_cast<unsigned>(passes))) - 1;
  if (bits.broken() || width > 31) return false;
  block.passes += passes;
  block.next_length = bits.bits(width);
  return !bits.broken() && block.passes <= 3 * block.planes - 2;
}

bool read_header(std::vector<BandBlocks>& bands, int layer, Bits& bits) {
  if (bits.bit() == 0) {
    for (BandBlocks& band : bands)
      for (Block& block : band.blocks) block.next_length = 0;
    return !bits.broken();
  }
  for (BandBlocks& band : bands)
    for (std::size_t y = 0, i = 0; y < band.down; ++y)
      for (std::size_t x = 0; x < band.across; ++x, ++i)
        if (!read_block(band, band.blocks[i], x, y, layer, bits)) return false;
  return true;
}

class Packets {
 public:
  Packets(const Header& header, std::span<const std::uint8_t> bytes) : header_(header), bytes_(bytes) {}

  [[nodiscard]] bool read(std::vector<BandBlocks>& bands, int layer) {
    if (header_.start_markers && marker(0x91)) at_ += 6;  // SOP, which may be left out
    Bits bits(bytes_, at_);
    if (!read_header(bands, layer, bits)) return false;
    at_ = bits.end();
    if (header_.end_markers) {
      if (!marker(0x92)) return false;
      at_ += 2;
    }
    for (BandBlocks& band : bands)
      for (Block& block : band.blocks) {
        if (at_ > bytes_.size() || block.next_length > bytes_.size() - at_) return false;
        if (block.next_length > 0) block.parts.push_back(bytes_.subspan(at_, block.next_length));
        at_ += block.next_length;
      }
    return true;
  }
  [[nodiscard]] bool at_end() const noexcept { return at_ == bytes_.size(); }

 private:
  [[nodiscard]] bool marker(int low) const noexcept {
    return at_ + 2 <= bytes_.size() && bytes_[at_] == 0xFF && bytes_[at_ + 1] == low;
  }

  const Header& header_;
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

BandBlocks band_of(const Header& header, int resolution, Band kind) {
  const auto part = [](std::size_t size, int level) {
    return (size + (std::size_t{1} << level) - 1) >> level;
  };
  const int level = header.levels - std::max(resolution - 1, 0);  // of what the band was split from, at least
  const bool right = kind == Band::hl || kind == Band::hh, lower = kind == Band::lh || kind == Band::hh;
  const std::size_t low_columns = part(header.columns, level), low_rows = part(header.rows, level);
  const std::size_t columns = right ? part(header.columns, level - 1) - low_columns : low_columns;
  const std::size_t rows = lower ? part(header.rows, level - 1) - low_rows : low_rows;
  const auto blocks = [](std::size_t size, std::size_t one) { return (size + one - 1) / one; };
  std::size_t across = blocks(columns, header.block_columns), down = blocks(rows, header.block_rows);
  if (across == 0 || down == 0) across = down = 0;
  const int number = resolution == 0 ? 0 : 3 * (resolution - 1) + static_cast<int>(kind);
  BandBlocks out{kind, right ? low_columns : 0, lower ? low_rows : 0, columns, rows, across, down,
                 header.guard_bits + header.exponents[static_cast<std::size_t>(number)] - 1, {}, {across, down},
                 {across, down}};
  out.blocks.reserve(across * down);
  for (std::size_t y = 0; y < down; ++y)
    for (std::size_t x = 0; x < across; ++x) {
      Block block;
      block.x = x * header.block_columns, block.y = y * header.block_rows;
      block.columns = std::min(header.block_columns, columns - block.x);
      block.rows = std::min(header.block_rows, rows - block.y);
      out.blocks.push_back(std::move(block));
    }
  return out;
}

}  // namespace

TagTree::TagTree(std::size_t columns, std::size_t rows) {
  std::size_t count = 0;
  while (columns > 0 && rows > 0) {
    levels_.push_back({columns, count});
    count += columns * rows;
    if (columns == 1 && rows == 1) break;
    columns = (columns + 1) / 2, rows = (rows + 1) / 2;
  }
  nodes_.resize(count);
}

template <class Bits>
bool TagTree::is_less(std::size_t x, std::size_t y, int limit, Bits& bits) {
  int least = 0, value = 0;
  for (std::size_t up = levels_.size(); up-- > 0;) {
    Node& node = nodes_[levels_[up].first + (y >> up) * levels_[up].columns + (x >> up)];
    node.least = std::max(node.least, least);
    while (node.least < limit && node.least < node.value) {
      if (bits.bit() != 0) node.value = node.least;
      else ++node.least;
    }
    least = node.least, value = node.value;
  }
  return value < limit;
}

Resolutions resolutions_of(const Header& header) {
  Resolutions out;
  for (int resolution = 0; resolution <= header.levels; ++resolution) {
    std::vector<BandBlocks>& bands = out.emplace_back();
    if (resolution == 0) bands.push_back(band_of(header, 0, Band::ll));
    else
      for (const Band kind : {Band::hl, Band::lh, Band::hh}) bands.push_back(band_of(header, resolution, kind));
  }
  return out;
}

bool read_packets(const Header& header, std::span<const std::uint8_t> bytes, Resolutions& resolutions) {
  Packets packets(header, bytes);
  if (header.resolution_first) {
    for (auto& bands : resolutions)
      for (int layer = 0; layer < header.layers; ++layer)
        if (!packets.read(bands, layer)) return false;
  } else {
    for (int layer = 0; layer < header.layers; ++layer)
      for (auto& bands : resolutions)
        if (!packets.read(bands, layer)) return false;
  }
  for (const auto& bands : resolutions)
    for (const BandBlocks& band : bands)
      for (const Block& block : band.blocks)
        if (block.included && block.passes != 3 * block.planes - 2) return false;
  return packets.at_end();
}

}  // namespace penta::io::dicom::j2k
