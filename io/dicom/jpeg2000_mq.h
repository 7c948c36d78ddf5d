#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace penta::io::dicom::j2k {

/// One row of the probability table of the MQ coder (ITU-T T.800, Table C.2).
struct MqRow {
  std::uint16_t qe;
  std::uint8_t after_more, after_less, swap;
};

constexpr std::array<MqRow, 47> mq_rows{{
    {0x5601, 1, 1, 1},   {0x3401, 2, 6, 0},   {0x1801, 3, 9, 0},   {0x0AC1, 4, 12, 0},  {0x0521, 5, 29, 0},
    {0x0221, 38, 33, 0}, {0x5601, 7, 6, 1},   {0x5401, 8, 14, 0},  {0x4801, 9, 14, 0},  {0x3801, 10, 14, 0},
    {0x3001, 11, 17, 0}, {0x2401, 12, 18, 0}, {0x1C01, 13, 20, 0}, {0x1601, 29, 21, 0}, {0x5601, 15, 14, 1},
    {0x5401, 16, 14, 0}, {0x5101, 17, 15, 0}, {0x4801, 18, 16, 0}, {0x3801, 19, 17, 0}, {0x3401, 20, 18, 0},
    {0x3001, 21, 19, 0}, {0x2801, 22, 19, 0}, {0x2401, 23, 20, 0}, {0x2201, 24, 21, 0}, {0x1C01, 25, 22, 0},
    {0x1801, 26, 23, 0}, {0x1601, 27, 24, 0}, {0x1401, 28, 25, 0}, {0x1201, 29, 26, 0}, {0x1101, 30, 27, 0},
    {0x0AC1, 31, 28, 0}, {0x09C1, 32, 29, 0}, {0x08A1, 33, 30, 0}, {0x0521, 34, 31, 0}, {0x0441, 35, 32, 0},
    {0x02A1, 36, 33, 0}, {0x0221, 37, 34, 0}, {0x0141, 38, 35, 0}, {0x0111, 39, 36, 0}, {0x0085, 40, 37, 0},
    {0x0049, 41, 38, 0}, {0x0025, 42, 39, 0}, {0x0015, 43, 40, 0}, {0x0009, 44, 41, 0}, {0x0005, 45, 42, 0},
    {0x0001, 45, 43, 0}, {0x5601, 46, 46, 0},
}};

/// State of a context as one word: Qe in the upper 16 bits, bit 16 the more probable symbol, below the place of its
/// MqNext in bytes.
constexpr std::uint64_t mq_state(unsigned row, unsigned symbol) noexcept {
  return static_cast<std::uint64_t>(mq_rows[row].qe) << 48 | symbol << 16 | (row * 2 + symbol) * 16;
}

/// What is flipped in a state after the more and after the less probable symbol.
struct MqNext {
  std::uint64_t more, less;
};

constexpr std::array<MqNext, 94> mq_next = [] {
  std::array<MqNext, 94> out{};
  for (unsigned i = 0; i < 94; ++i) {
    const MqRow& row = mq_rows[i / 2];
    const std::uint64_t state = mq_state(i / 2, i & 1);
    out[i] = {state ^ mq_state(row.after_more, i & 1), state ^ mq_state(row.after_less, (i & 1) ^ row.swap)};
  }
  return out;
}();

/// MQ decoder (T.800, C.3) on bits that unstuff() has laid side by side. Without branches on what is decoded: for noise
/// they would be guessed wrongly every third time. The interval lies in the upper 16 bits of 64.
class Mq {
 public:
  Mq(const std::uint8_t* bits, const std::uint8_t* end) noexcept : at_(bits), end_(end) {
    c_ = next32() << 31;
    valid_ = 33;
  }

  [[gnu::always_inline]] std::uint32_t decode(std::uint64_t& context) noexcept {
    const std::uint64_t state = context, qe = state & (std::uint64_t{0xFFFF} << 48);
    const MqNext& next = mq_next[static_cast<std::uint16_t>(state) / sizeof(MqNext)];
    const std::uint64_t rest = a_ - qe;
    const std::uint64_t less_side = mask_if(c_ < qe), less = less_side ^ mask_if(rest < qe);
    // After the more probable symbol the state is another one only where the interval is doubled: `rest` is small.
    const std::uint64_t more_flips = next.more & ~static_cast<std::uint64_t>(static_cast<std::int64_t>(rest) >> 63);
    context = state ^ more_flips ^ ((more_flips ^ next.less) & less);
    const std::uint64_t a = rest ^ ((rest ^ qe) & less_side);
    c_ -= qe & ~less_side;
    const int shift = __builtin_clzll(a);  // never 0
    a_ = a << shift;
    c_ <<= shift;
    valid_ -= shift;
    if (valid_ < 32) [[unlikely]] refill();
    return static_cast<std::uint32_t>((state >> 16 ^ less) & 1);
  }

  /// The same for a context that is nearly sure of its symbol: most often that costs no more than two subtractions.
  [[gnu::always_inline]] std::uint32_t decode_likely(std::uint64_t& context) noexcept {
    const std::uint64_t qe = context & (std::uint64_t{0xFFFF} << 48), rest = a_ - qe;
    if (c_ >= qe && (rest >> 63) != 0) [[likely]] {
      a_ = rest;
      c_ -= qe;
      return static_cast<std::uint32_t>(context >> 16 & 1);
    }
    return decode(context);
  }

 private:
  // All bits or none, in a way that the compiler cannot turn into a branch.
  [[gnu::always_inline]] static std::uint64_t mask_if(bool yes) noexcept {
    std::uint64_t mask = std::uint64_t{0} - static_cast<std::uint64_t>(yes);
    asm("" : "+r"(mask));
    return mask;
  }
  [[nodiscard]] std::uint64_t next32() noexcept {
    if (at_ >= end_) return 0xFFFFFFFFU;  // after the end there are ones (C.3.4)
    std::uint32_t word = 0;
    std::memcpy(&word, at_, 4);
    at_ += 4;
    return __builtin_bswap32(word);
  }
  void refill() noexcept {
    c_ |= next32() << (32 - valid_);
    valid_ += 32;
  }

  std::uint64_t a_ = std::uint64_t{1} << 63, c_ = 0;
  int valid_ = 0;
  const std::uint8_t *at_, *end_;
};

}  // namespace penta::io::dicom::j2k
