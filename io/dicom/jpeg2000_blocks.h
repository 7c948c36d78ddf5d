#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penta::io::dicom::j2k {

enum class Band : std::uint8_t { ll, hl, lh, hh };  ///< first letter: across, second: down (l: low, h: high)

/// Most columns and rows of a code block that are decoded here.
constexpr std::size_t block_side = 64;

/// Decodes code blocks (ITU-T T.800, Annex D, code-block style 0); keeps its memory from one to the next.
class BlockDecoder {
 public:
  /// Decodes all 3 * planes - 2 passes of a block of at most 64 x 64 coefficients with at most 30 planes into `out`,
  /// rows `stride` apart. Bytes that are wanting count as ones (C.3.4); any bytes do.
  void decode(std::span<const std::uint8_t> bytes, Band band, int planes, std::size_t columns, std::size_t rows,
              std::int32_t* out, std::size_t stride);

 private:
  static constexpr std::size_t flag_stride = block_side + 2, flag_rows = block_side / 4 + 2;

  /// Columns of a stripe of four rows, a bit each.
  struct Stripe {
    std::uint64_t some = 0;      ///< one of their coefficients is significant
    std::uint64_t full = 0;      ///< all are
    std::uint64_t to_refine = 0; ///< in this plane
    std::uint64_t closed = 0;    ///< nothing is left for the cleanup pass of this plane
    std::uint64_t filled = 0;    ///< became full in the significance pass of this plane
  };

  std::array<std::uint64_t, flag_stride * flag_rows> flags_{};
  std::array<Stripe, flag_rows> stripes_{};
  std::array<std::uint32_t, block_side * block_side> values_{};  ///< sign in bit 31, magnitude below
  std::array<std::uint32_t, 4 * block_side> refined_{};
  std::array<std::uint64_t, 19> contexts_{};
  std::vector<std::uint8_t> bits_;
  friend struct Passes;
};

}  // namespace penta::io::dicom::j2k
