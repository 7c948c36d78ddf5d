#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "io/dicom/jpeg2000_blocks.h"

namespace penta::io::dicom::j2k {

/// What SIZ, COD and QCD say (ITU-T T.800, A.5.1, A.6.1, A.6.4) of a codestream with one tile and one channel from 0, 0
/// on, without quantisation and without a partition into precincts.
struct Header {
  std::size_t columns = 0, rows = 0;
  int precision = 0, levels = 0, layers = 0, guard_bits = 0;
  bool is_signed = false, resolution_first = false, start_markers = false, end_markers = false;
  std::size_t block_columns = 0, block_rows = 0;
  std::vector<int> exponents;  ///< a band: LL, then HL, LH, HH of every level
};

struct Block {
  std::size_t x = 0, y = 0, columns = 0, rows = 0;  ///< place in its band
  bool included = false;
  int planes = 0, passes = 0;
  int length_bits = 3;
  std::uint32_t next_length = 0;
  std::vector<std::span<const std::uint8_t>> parts;  ///< one a layer
};

/// A tag tree (T.800, B.10.2).
class TagTree {
 public:
  TagTree(std::size_t columns, std::size_t rows);
  /// Reads on until it is known whether the value of this leaf is less than `limit`.
  template <class Bits>
  [[nodiscard]] bool is_less(std::size_t x, std::size_t y, int limit, Bits& bits);

 private:
  struct Node {
    int value = 1 << 30, least = 0;
  };
  struct Level {
    std::size_t columns, first;
  };
  std::vector<Node> nodes_;
  std::vector<Level> levels_;
};

struct BandBlocks {
  Band band = Band::ll;
  std::size_t x = 0, y = 0, columns = 0, rows = 0;  ///< place among all coefficients
  std::size_t across = 0, down = 0;
  int most_planes = 0;
  std::vector<Block> blocks;
  TagTree inclusion, empty_planes;
};

/// Bands of each resolution, the smallest first.
using Resolutions = std::vector<std::vector<BandBlocks>>;

[[nodiscard]] Resolutions resolutions_of(const Header& header);

/// Reads all packets (T.800, B.9 and B.10): afterwards each block knows its bytes. False where they are broken, more or
/// less than there ought to be, or where a block does not come to its last plane.
[[nodiscard]] bool read_packets(const Header& header, std::span<const std::uint8_t> bytes, Resolutions& resolutions);

}  // namespace penta::io::dicom::j2k
