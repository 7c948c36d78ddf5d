#include "io/dicom/jpeg2000_blocks.h"

#include <algorithm>
#include <bit>

#include "io/dicom/jpeg2000_mq.h"

namespace penta::io::dicom::j2k {

namespace {

// A word of flags stands for a column of four coefficients, at bits 3 * row + side with row 0 to 5 (one above, four of
// its own, one below) and side 0 to 2 (left, own, right): who is significant, and from bit 20 on whose sign is minus.
constexpr std::uint64_t own_rows = 1U << 4 | 1U << 7 | 1U << 10 | 1U << 13, all_significance = (1U << 18) - 1;
constexpr int signs = 20;    ///< bit of the first sign
constexpr int visited = 40;  ///< + 3 * row + 1: had its turn in the significance pass of this plane
constexpr int refined = 41;  ///< + 3 * row + 1: had a refinement before

constexpr std::uint64_t with_sign(int bit) { return std::uint64_t{1} << bit | std::uint64_t{1} << (bit + signs); }

constexpr std::uint8_t zero_context(bool diagonal, int h, int v, int d) {  // T.800, Table D.1
  if (diagonal) {
    const int both = h + v;
    if (d >= 3) return 8;
    if (d == 2) return both >= 1 ? 7 : 6;
    if (d == 1) return static_cast<std::uint8_t>(3 + std::min(both, 2));
    return static_cast<std::uint8_t>(std::min(both, 2));
  }
  if (h == 2) return 8;
  if (h == 1) return v >= 1 ? 7 : d >= 1 ? 6 : 5;
  if (v > 0) return static_cast<std::uint8_t>(2 + v);
  return static_cast<std::uint8_t>(std::min(d, 2));
}

using ZeroContexts = std::array<std::uint8_t, 512>;

// By the nine flags around a coefficient: bits 0 to 2 above, 3 left, 5 right, 6 to 8 below.
constexpr ZeroContexts zero_contexts(Band band) {
  ZeroContexts out{};
  for (unsigned i = 0; i < 512; ++i) {
    const auto bit = [&](unsigned k) { return static_cast<int>(i >> k & 1); };
    const int across = bit(3) + bit(5), down = bit(1) + bit(7), d = bit(0) + bit(2) + bit(6) + bit(8);
    out[i] = band == Band::hl ? zero_context(false, down, across, d) : zero_context(band == Band::hh, across, down, d);
  }
  return out;
}

constexpr std::array<ZeroContexts, 4> zero_tables{zero_contexts(Band::ll), zero_contexts(Band::hl),
                                                  zero_contexts(Band::lh), zero_contexts(Band::hh)};

// 2 * context + what the decoded bit is flipped by (Tables D.2 and D.3); bits 1, 3, 5, 7: above, left, right and below
// are significant, the bit before each: its sign is minus.
constexpr std::array<std::uint8_t, 256> sign_contexts = [] {
  std::array<std::uint8_t, 256> out{};
  for (unsigned i = 0; i < 256; ++i) {
    const auto one = [&](unsigned k) { return (i >> k & 1) == 0 ? 0 : (i >> (k - 1) & 1) != 0 ? -1 : 1; };
    int h = std::clamp(one(3) + one(5), -1, 1), v = std::clamp(one(1) + one(7), -1, 1);
    const int flip = h < 0 || (h == 0 && v < 0) ? 1 : 0;
    if (flip != 0) h = -h, v = -v;
    const int context = h == 1 ? 12 + v : 9 + v;
    out[i] = static_cast<std::uint8_t>(2 * context + flip);
  }
  return out;
}();

constexpr std::size_t first_refinement = 14, run_context = 17, uniform_context = 18;

std::array<std::uint64_t, 19> first_contexts() {  // Table D.7
  std::array<std::uint64_t, 19> out{};
  out.fill(mq_state(0, 0));
  out[0] = mq_state(4, 0);
  out[run_context] = mq_state(3, 0);
  out[uniform_context] = mq_state(46, 0);
  return out;
}

// The bits of a segment side by side: a byte after FF has seven, and what is above them is a carry (C.3.4). After a
// marker, as after the end, there are ones.
void unstuff(std::span<const std::uint8_t> bytes, std::vector<std::uint8_t>& out) {
  out.resize(bytes.size() + 12);
  std::uint8_t* to = out.data();
  const std::uint8_t *at = bytes.data(), *const end = at + bytes.size();
  std::uint32_t held = 0;  // `count` bits that are not yet a byte
  int count = 0;
  bool after_ff = false;
  while (at < end) {
    if (end - at >= 8 && !after_ff) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, 8);
      constexpr std::uint64_t ones = 0x0101010101010101U;
      if (((~word - ones) & word & (ones << 7)) == 0) {  // none of the eight bytes is FF
        word = __builtin_bswap64(word);
        const std::uint64_t joined =
            count == 0 ? word : static_cast<std::uint64_t>(held) << (64 - count) | word >> count;
        const std::uint64_t swapped = __builtin_bswap64(joined);
        std::memcpy(to, &swapped, 8);
        held = static_cast<std::uint32_t>(word) & ((1U << count) - 1);
        at += 8, to += 8;
        continue;
      }
    }
    const std::uint32_t byte = *at;
    if (after_ff && byte > 0x8F) break;
    const int width = after_ff ? 7 : 8;
    held = (held << width) + byte;
    count += width;
    if (held >> count != 0) {  // a carry
      for (std::uint8_t* before = to; before > out.data() && ++*--before == 0;) {
      }
      held &= (1U << count) - 1;
    }
    while (count >= 8) *to++ = static_cast<std::uint8_t>(held >> (count - 8)), count -= 8;
    held &= (1U << count) - 1;
    after_ff = byte == 0xFF;
    ++at;
  }
  if (count > 0) *to++ = static_cast<std::uint8_t>(held << (8 - count) | ((1U << (8 - count)) - 1));
  while ((to - out.data()) % 4 != 0) *to++ = 0xFF;
  out.resize(static_cast<std::size_t>(to - out.data()));
}

}  // namespace

/// The three passes over a bit plane (T.800, D.3).
struct Passes {
  using Stripe = BlockDecoder::Stripe;
  struct Place {
    std::uint64_t* word;
    std::uint32_t* value;
    std::uint64_t* some;
    std::uint64_t column;
  };

  BlockDecoder& block;
  std::uint64_t* contexts;
  const std::uint8_t* zero;
  Mq mq_;
  std::size_t columns, rows;
  std::uint64_t all_columns;

  static constexpr std::size_t stride = BlockDecoder::flag_stride;

  // The rows of a stripe that exist.
  [[nodiscard]] std::uint64_t rows_of(std::size_t stripe) const noexcept {
    const std::size_t left = rows - 4 * stripe;
    return left >= 4 ? own_rows : own_rows & ((1U << (3 * left + 2)) - 1);
  }

  // Decodes the sign of the coefficient at bit `at` of word `f`, which has become significant, and tells its
  // neighbours.
  [[gnu::always_inline]] void begin(Mq& mq, std::uint64_t& f, std::uint64_t& next, const Place& place,
                                    int at, std::uint32_t magnitude) noexcept {
    const std::uint64_t around = f >> (at - 4);
    const std::uint8_t entry = sign_contexts[(around & 0xAA) | (around >> (signs + 1) & 0x55)];
    const std::uint32_t minus = mq.decode(contexts[entry >> 1]) ^ (entry & 1U);
    place.value[static_cast<std::size_t>((at * 11 >> 5) - 1) * block_side] = minus << 31 | magnitude;
    const std::uint64_t flag = (static_cast<std::uint64_t>(minus) << signs | 1) << at;
    f |= flag;
    std::uint64_t *const word = place.word, *const above = word - stride, *const below = word + stride;
    word[-1] |= flag << 1;
    next |= flag >> 1;
    above[-1] |= flag << 13 & with_sign(17);
    above[0] |= flag << 12 & with_sign(16);
    above[1] |= flag << 11 & with_sign(15);
    below[-1] |= flag >> 11 & with_sign(2);
    below[0] |= flag >> 12 & with_sign(1);
    below[1] |= flag >> 13 & with_sign(0);
    *place.some |= place.column;
  }

  [[nodiscard]] Place place(std::size_t stripe_row, int x) const noexcept {
    return {block.flags_.data() + (stripe_row + 1) * stride + 1 + x,
            block.values_.data() + 4 * stripe_row * block_side + x,
            &block.stripes_[stripe_row + 1].some, std::uint64_t{1} << x};
  }

  // Those of the column that have a significant neighbour.
  [[gnu::always_inline]] static std::uint64_t has_neighbour(std::uint64_t f) noexcept {
    const std::uint64_t beside = f << 1 | f >> 1, any = f | beside;
    return beside | any << 3 | any >> 3;
  }

  // The word of the next column is held in a register: what this column tells it need not go through memory.
  void significance(int plane) noexcept {
    Mq mq = mq_;
    const std::uint32_t magnitude = 1U << plane;
    for (std::size_t row = 0; 4 * row < rows; ++row) {
      const std::uint64_t own = rows_of(row);
      Stripe& stripe = block.stripes_[row + 1];
      stripe.to_refine = stripe.some;
      std::uint64_t closed = 0, filled = 0;
      Place here = place(row, 0);
      std::uint64_t next = *here.word;
      for (std::size_t x = 0; x < columns; ++x, ++here.word, ++here.value, here.column <<= 1) {
        std::uint64_t f = next, todo = has_neighbour(f) & ~f & own, done = todo;
        next = here.word[1];
        if (todo == 0) {
          *here.word = f;
          continue;
        }
        do {
          const int at = std::countr_zero(todo);
          todo &= todo - 1;
          if (mq.decode(contexts[zero[f >> (at - 4) & 0x1FF]]) != 0) {
            begin(mq, f, next, here, at, magnitude);
            const std::uint64_t below = (std::uint64_t{8} << at) & own & ~f;
            todo |= below;
            done |= below;
          }
        } while (todo != 0);
        *here.word = (f & ~(own_rows << visited)) | done << visited;
        if (((f | done) & own) == own) closed |= here.column;
        if ((f & own) == own) filled |= here.column;
      }
      stripe.closed = closed | stripe.full;
      stripe.filled = filled;
      stripe.full |= filled;
    }
    mq_ = mq;
  }

  void refinement(int plane) noexcept {
    Mq mq = mq_;
    std::uint32_t* const list = block.refined_.data();
    for (std::size_t row = 0; 4 * row < rows; ++row) {
      const std::uint64_t own = rows_of(row);
      std::uint64_t* const words = block.flags_.data() + (row + 1) * stride + 1;
      std::size_t count = 0;
      for (std::uint64_t left = block.stripes_[row + 1].to_refine; left != 0; left &= left - 1) {
        const auto x = static_cast<std::uint32_t>(std::countr_zero(left));
        const std::uint64_t f = words[x], turn = f & ~(f >> visited) & own;
        const std::uint64_t before = f >> refined, either = before | has_neighbour(f);
        words[x] = f | turn << refined;
#pragma GCC unroll 4
        for (std::uint32_t y = 0; y < 4; ++y) {
          const unsigned at = 4 + 3 * y;
          const auto context = static_cast<std::uint32_t>((either >> at & 1) + (before >> at & 1));
          list[count] = (y * static_cast<std::uint32_t>(block_side) + x) << 2 | context;
          count += turn >> at & 1;
        }
      }
      std::uint32_t* const value = block.values_.data() + 4 * row * block_side;
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t bit = mq.decode(contexts[first_refinement + (list[i] & 3)]);
        value[list[i] >> 2] |= bit << plane;
      }
    }
    mq_ = mq;
  }

  void cleanup(int plane) noexcept {
    Mq mq = mq_;
    const std::uint32_t magnitude = 1U << plane;
    for (std::size_t row = 0; 4 * row < rows; ++row) {
      const std::uint64_t own = rows_of(row);
      Stripe& stripe = block.stripes_[row + 1];
      for (std::uint64_t left = stripe.filled; left != 0; left &= left - 1)
        *place(row, std::countr_zero(left)).word &= ~(own_rows << visited);
      for (std::uint64_t left = ~stripe.closed & all_columns; left != 0; left &= left - 1) {
        const Place at_column = place(row, std::countr_zero(left));
        std::uint64_t f = *at_column.word, todo = ~(f | f >> visited) & own;
        if ((f & all_significance) == 0 && own == own_rows) {
          if (mq.decode_likely(contexts[run_context]) == 0) continue;
          const std::uint32_t high = mq.decode(contexts[uniform_context]), low = mq.decode(contexts[uniform_context]);
          const int at = static_cast<int>(4 + 3 * (2 * high + low));
          begin(mq, f, at_column.word[1], at_column, at, magnitude);
          todo &= ~((std::uint64_t{2} << at) - 1);
        }
        while (todo != 0) {
          const int at = std::countr_zero(todo);
          todo &= todo - 1;
          if (mq.decode(contexts[zero[f >> (at - 4) & 0x1FF]]) != 0)
            begin(mq, f, at_column.word[1], at_column, at, magnitude);
        }
        *at_column.word = f & ~(own_rows << visited);
        if ((f & own) == own) stripe.full |= at_column.column;
      }
    }
    mq_ = mq;
  }
};

void BlockDecoder::decode(std::span<const std::uint8_t> bytes, Band band, int planes, std::size_t columns,
                          std::size_t rows, std::int32_t* out, std::size_t stride) {
  unstuff(bytes, bits_);
  std::fill_n(flags_.begin(), ((rows + 3) / 4 + 2) * flag_stride, 0);
  std::fill_n(values_.begin(), rows * block_side, 0);
  stripes_.fill({});
  contexts_ = first_contexts();
  Passes passes{*this, contexts_.data(), zero_tables[static_cast<std::size_t>(band)].data(),
                Mq(bits_.data(), bits_.data() + bits_.size()), columns, rows,
                ~std::uint64_t{0} >> (block_side - columns)};
  for (int plane = planes - 1; plane >= 0; --plane) {
    if (plane != planes - 1) {
      passes.significance(plane);
      passes.refinement(plane);
    }
    passes.cleanup(plane);
  }
  for (std::size_t y = 0; y < rows; ++y) {
    const std::uint32_t* from = values_.data() + y * block_side;
    std::int32_t* to = out + y * stride;
    for (std::size_t x = 0; x < columns; ++x) {
      const auto size = static_cast<std::int32_t>(from[x] & 0x7FFFFFFFU);
      to[x] = (from[x] >> 31) != 0 ? -size : size;
    }
  }
}

}  // namespace penta::io::dicom::j2k
