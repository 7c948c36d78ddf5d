#include "io/dicom/jpegls_lossless.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace penta::io::dicom {

namespace {

constexpr int reset = 64, contexts = 365;
// Lengths of runs, as powers of two (T.87, A.2.1).
constexpr std::array<int, 32> run_bits{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
                                       4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// Bits of a scan, most significant first; after a byte FF the next one has seven (T.87, 9.1).
class Bits {
 public:
  explicit Bits(std::span<const std::byte> bytes)
      : at_(reinterpret_cast<const std::uint8_t*>(bytes.data())), end_(at_ + bytes.size()) {}

  /// Afterwards there are at least 57.
  void refill() noexcept {
    if (valid_ > 56) return;
    if (end_ - at_ >= 8 && !after_ff_) {
      std::uint64_t word = 0;
      std::memcpy(&word, at_, 8);
      word = __builtin_bswap64(word);
      constexpr std::uint64_t ones = 0x0101010101010101U;
      if (((~word - ones) & word & (ones << 7)) == 0) {  // none of the eight bytes is FF
        word_ |= word >> valid_;
        const int bytes = (63 - valid_) >> 3;
        at_ += bytes;
        valid_ += 8 * bytes;
        return;
      }
    }
    refill_bytewise();
  }
  // The last bit is not among those that are sure to be there; with it set no zero needs a branch.
  [[nodiscard]] int zeros() const noexcept { return std::countl_zero(word_ | 1); }
  void drop(int count) noexcept {
    word_ <<= count;
    valid_ -= count;
  }
  [[nodiscard]] std::int32_t take(int count) noexcept {
    const auto value = static_cast<std::int32_t>(word_ >> 1 >> (63 - count));
    drop(count);
    return value;
  }
  /// More bits were taken than there are.
  [[nodiscard]] bool overrun() const noexcept { return valid_ < made_up_; }

 private:
  void refill_bytewise() noexcept {
    while (valid_ <= 56) {
      const bool marker = at_ < end_ && after_ff_ && (*at_ & 0x80) != 0;
      if (at_ == end_ || marker) {
        end_ = at_;
        made_up_ += 8;
        valid_ += 8;
        continue;
      }
      const int width = after_ff_ ? 7 : 8;
      word_ |= static_cast<std::uint64_t>(*at_) << (64 - width - valid_);
      valid_ += width;
      after_ff_ = *at_++ == 0xFF;
    }
  }

  std::uint64_t word_ = 0;
  int valid_ = 0;
  std::int64_t made_up_ = 0;
  const std::uint8_t *at_, *end_;
  bool after_ff_ = false;
};

struct Context {
  std::int32_t a = 0, b = 0, c = 0, n = 1;
};
struct RunContext {
  std::int32_t a = 0, n = 1, negative = 0;
};

// The least k with n * 2^k >= a (A.5.1), which is at most 16 in a sound stream.
int golomb_length(std::int32_t n, std::int32_t a) noexcept {
  const int k = std::countl_zero(static_cast<std::uint32_t>(n) | 1) - std::countl_zero(static_cast<std::uint32_t>(a) | 1);
  const int least = k < 0 ? 0 : k;
  return std::min(least + ((static_cast<std::int64_t>(n) << least) < a ? 1 : 0), 16);
}

struct Frame {
  int precision = 0;
  std::array<int, 3> thresholds{};  ///< 0: the default
  std::span<const std::byte> scan;
};

class Scan {
 public:
  explicit Scan(const Frame& frame)
      : bits_(frame.scan), precision_(frame.precision), maximum_((1 << precision_) - 1), limit_(4 * precision_) {
    const int factor = (std::min(maximum_, 4095) + 128) / 256;  // C.2.4.1.1
    const auto [first, second, third] = frame.thresholds;
    const int t1 = first > 0 ? first : factor + 2, t2 = second > 0 ? second : 4 * factor + 3;
    t3_ = third > 0 ? third : 17 * factor + 4;
    for (int d = -t3_; d <= t3_; ++d) {
      const int size = std::abs(d), level = size == 0 ? 0 : size < t1 ? 1 : size < t2 ? 2 : size < t3_ ? 3 : 4;
      levels_.push_back(static_cast<std::int8_t>(d < 0 ? -level : level));
    }
    const std::int32_t a = std::max(2, (maximum_ + 1 + 32) / 64);  // A.2.1
    for (Context& one : contexts_) one.a = a;
    for (RunContext& one : run_contexts_) one.a = a;
  }

  [[nodiscard]] bool overrun() const noexcept { return bits_.overrun(); }

  /// `above` and `line` have a sample before the first and one behind the last.
  void decode_line(std::int32_t* above, std::int32_t* line, std::int64_t columns) noexcept {
    line[-1] = above[0];
    above[columns] = above[columns - 1];
    std::int32_t left = line[-1], over = above[0], over_left = above[-1];
    for (std::int64_t x = 0; x < columns;) {
      const std::int32_t over_right = above[x + 1];
      const int q = 81 * level(over_right - over) + 9 * level(over - over_left) + level(over_left - left);
      if (q == 0) {
        x = decode_run(above, line, x, columns, left);
        if (x >= columns) return;
        left = line[x - 1], over = above[x], over_left = above[x - 1];
        continue;
      }
      left = line[x] = regular(q, left, over, over_left);
      over_left = over, over = over_right, ++x;
    }
  }

 private:
  [[nodiscard]] int level(std::int32_t difference) const noexcept {
    return levels_[static_cast<std::size_t>(std::clamp(difference, -t3_, t3_) + t3_)];
  }

  // Limited Golomb code (A.5.3).
  [[nodiscard]] std::int32_t golomb(int k, int limit) noexcept {
    bits_.refill();
    const int prefix = bits_.zeros(), longest = limit - precision_ - 1;
    if (prefix < longest) {
      bits_.drop(prefix + 1);
      if (prefix + k > 55) bits_.refill();
      return (prefix << k) | bits_.take(k);
    }
    bits_.drop(longest + 1);
    bits_.refill();
    return bits_.take(precision_) + 1;
  }

  [[nodiscard]] std::int32_t regular(int q, std::int32_t a, std::int32_t b, std::int32_t c) noexcept {
    const int sign = q >> 31;
    Context& context = contexts_[static_cast<std::size_t>((q ^ sign) - sign)];
    const std::int32_t low = std::min(a, b), high = std::max(a, b);
    const std::int32_t edge = std::min(std::max(a + b - c, low), high);  // A.4.1, the median of a, b and a + b - c
    const std::int32_t predicted = std::clamp(edge + ((context.c ^ sign) - sign), 0, maximum_);
    const int k = golomb_length(context.n, context.a);
    const std::int32_t mapped = golomb(k, limit_);
    std::int32_t error = (mapped >> 1) ^ -(mapped & 1);
    if (k == 0) error ^= (2 * context.b + context.n - 1) >> 31;  // A.5.2
    update(context, error);
    return (predicted + ((error ^ sign) - sign)) & maximum_;
  }

  // A.6, without branches on what noise decides.
  static void update(Context& context, std::int32_t error) noexcept {
    context.b += error;
    context.a += std::abs(error);
    if (context.n == reset) context.a >>= 1, context.b >>= 1, context.n >>= 1;
    ++context.n;
    const std::int32_t b = context.b, n = context.n;
    const std::int32_t low = b <= -n ? -1 : 0, high = b > 0 ? -1 : 0;
    context.b = (std::max(b + n, 1 - n) & low) | (std::min(b - n, 0) & high) | (b & ~(low | high));
    context.c = std::min(std::max(context.c + low - high, -128), 127);
  }

  // A.7; where decoding goes on.
  std::int64_t decode_run(const std::int32_t* above, std::int32_t* line, std::int64_t x, std::int64_t columns,
                          std::int32_t value) noexcept {
    for (;;) {
      bits_.refill();
      const std::int64_t room = columns - x;
      if (bits_.take(1) == 0) {
        const std::int64_t count = std::min<std::int64_t>(bits_.take(run_bits[run_]), room);
        std::fill_n(line + x, count, value);
        x += count;
        break;
      }
      const std::int64_t whole = std::int64_t{1} << run_bits[run_], count = std::min(whole, room);
      std::fill_n(line + x, count, value);
      x += count;
      if (count == whole && run_ < run_bits.size() - 1) ++run_;
      if (x == columns) return x;
    }
    if (x == columns) return x;  // a broken stream: a run that ends otherwise leaves room for one sample
    line[x] = interruption(value, above[x]);
    if (run_ > 0) --run_;
    return x + 1;
  }

  // The sample that ends a run (A.7.2).
  [[nodiscard]] std::int32_t interruption(std::int32_t a, std::int32_t b) noexcept {
    const int same = a == b ? 1 : 0;
    RunContext& context = run_contexts_[static_cast<std::size_t>(same)];
    const int k = golomb_length(context.n, context.a + (same != 0 ? context.n >> 1 : 0));
    const std::int32_t mapped = golomb(k, limit_ - run_bits[run_] - 1);
    const std::int32_t both = mapped + same, odd = both & 1;
    std::int32_t error = (both + odd) / 2;
    if ((k != 0 || 2 * context.negative >= context.n) == (odd != 0)) error = -error;
    if (error < 0) ++context.negative;
    context.a += (mapped + 1 - same) >> 1;
    if (context.n == reset) context.a >>= 1, context.n >>= 1, context.negative >>= 1;
    ++context.n;
    return (b + (same == 0 && a > b ? -error : error)) & maximum_;
  }

  Bits bits_;
  int precision_;
  std::int32_t maximum_;
  int limit_, t3_ = 0;
  std::vector<std::int8_t> levels_;
  std::array<Context, contexts> contexts_{};
  std::array<RunContext, 2> run_contexts_{};
  std::size_t run_ = 0;
};

// Markers up to the scan (T.87, C.1); nothing where a segment says more than the defaults.
std::optional<Frame> frame_of(std::span<const std::byte> stream, std::int64_t columns, std::int64_t rows) {
  const auto byte = [&](std::size_t i) { return std::to_integer<int>(stream[i]); };
  const auto word = [&](std::size_t i) { return byte(i) << 8 | byte(i + 1); };
  if (stream.size() < 4 || word(0) != 0xFFD8) return std::nullopt;
  Frame frame;
  for (std::size_t at = 2; at + 4 <= stream.size();) {
    const int marker = word(at);
    const auto length = static_cast<std::size_t>(word(at + 2));
    const std::size_t next = at + 2 + length;
    if (length < 2 || next > stream.size()) return std::nullopt;
    if (marker == 0xFFF7) {
      if (length != 11 || word(at + 5) != rows || word(at + 7) != columns || byte(at + 9) != 1) return std::nullopt;
      frame.precision = byte(at + 4);
    } else if (marker == 0xFFF8) {
      // Parameters as CharLS writes them above 12 bits (C.2.4.1.1): only thresholds may be others than the defaults.
      const bool usual = length == 13 && byte(at + 4) == 1 && word(at + 5) == (1 << frame.precision) - 1 &&
                         word(at + 13) == reset;
      if (!usual) return std::nullopt;
      for (std::size_t i = 0; i < 3; ++i) frame.thresholds[i] = word(at + 7 + 2 * i);
    } else if (marker == 0xFFDA) {
      // One channel, no mapping table, lossless, not interleaved, no point transform.
      if (length != 8 || byte(at + 4) != 1 || byte(at + 6) != 0 || word(at + 7) != 0 || byte(at + 9) != 0) return std::nullopt;
      if (frame.precision < 9 || frame.precision > 16) return std::nullopt;
      frame.scan = stream.subspan(next);
      return frame;
    } else if (marker != 0xFFFE && (marker & 0xFFF0) != 0xFFE0) {
      return std::nullopt;
    }
    at = next;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> decode_jpegls_lossless(std::span<const std::byte> stream, std::int64_t columns,
                                                                std::int64_t rows) {
  const auto frame = frame_of(stream, columns, rows);
  if (!frame) return std::nullopt;
  Scan scan(*frame);
  const auto width = static_cast<std::size_t>(columns);
  std::vector<std::int32_t> one(width + 2), other(width + 2);
  std::vector<std::uint8_t> out(width * static_cast<std::size_t>(rows) * 2);
  std::int32_t *above = one.data() + 1, *line = other.data() + 1;
  for (std::size_t y = 0; y < static_cast<std::size_t>(rows); ++y, std::swap(above, line)) {
    scan.decode_line(above, line, columns);
    if (scan.overrun()) return std::nullopt;
    std::uint8_t* to = out.data() + y * width * 2;
    for (std::size_t x = 0; x < width; ++x) {
      const auto sample = static_cast<std::uint16_t>(line[x]);
      std::memcpy(to + 2 * x, &sample, 2);
    }
  }
  return out;
}

}  // namespace penta::io::dicom
