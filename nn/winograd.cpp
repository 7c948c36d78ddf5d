#include "nn/winograd.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace penta::nn {

namespace {

constexpr std::int64_t points = 36;  // 6 x 6 of a tile of 4 x 4 output voxels
constexpr std::int64_t together = 8;  // output channels whose sums stay in registers
constexpr std::int64_t lanes = 16;
constexpr std::int64_t tiles_wanted = 192;
constexpr std::int64_t out_block = 32;  // output channels whose products are held at once

// F(4, 3) with the points 0, a, -a, b, -b and infinity. With the usual 1 and 2 the error is four times that of plain sums,
// with these two times; all numbers made of them are exact in float32.
constexpr float a1 = 0.625F, b1 = 1.5F;
constexpr float a2 = a1 * a1, b2 = b1 * b1, a3 = a2 * a1, b3 = b2 * b1;

/// G of F(4, 3): 3 weights to 6.
std::array<double, 6> transformed(double w0, double w1, double w2) {
  const auto at = [&](double p, double scale) { return (w0 + p * w1 + p * p * w2) / scale; };
  constexpr double a = 0.625, b = 1.5, by_a = 2 * a * a * (a * a - b * b), by_b = 2 * b * b * (b * b - a * a);
  return {w0 / (a * a * b * b), at(a, by_a), at(-a, by_a), at(b, by_b), at(-b, by_b), w2};
}

/// What one piece of work covers: the tiles of four lines, in some planes. Each line has a tile more than it needs, so that
/// the tiles of a plane follow those of the plane before.
struct Piece {
  const float* from = nullptr;
  bool channels_last = false;  ///< [z][y][x][channel], else [channel][z][y][x]
  Size3 size{};
  std::int64_t z = 0, y = 0;  ///< first output plane and line
  std::int64_t planes = 0;
  std::int64_t row = 0;       ///< tiles of a line
  std::int64_t stride = 0;    ///< floats from channel to channel
  [[nodiscard]] std::int64_t pitch() const noexcept { return 4 * row; }
  /// Floats from point to point: no power of two, whose lines would fall into one set of the cache.
  [[nodiscard]] std::int64_t next(std::int64_t channels) const noexcept { return channels * stride + lanes; }
};

/// At least so many floats at the start of a cache line.
float* aligned(std::vector<float>& memory, std::int64_t floats) {
  const auto wanted = static_cast<std::size_t>(floats + lanes);
  if (memory.size() < wanted) memory.resize(wanted);
  const auto past = reinterpret_cast<std::uintptr_t>(memory.data()) / sizeof(float) % static_cast<std::size_t>(lanes);
  return memory.data() + (static_cast<std::size_t>(lanes) - past);
}

std::int64_t padded(std::int64_t tiles) { return (tiles + lanes - 1) / lanes * lanes + lanes; }

#if defined(__x86_64__)

/// B of F(4, 3).
[[gnu::target("avx512f"), gnu::always_inline]] inline void transform_six(__m512 (&v)[6]) {
  const __m512 to_a = _mm512_set1_ps(a2), to_b = _mm512_set1_ps(b2), both = _mm512_set1_ps(a2 * b2), sum = _mm512_set1_ps(a2 + b2);
  const __m512 even_a = _mm512_fnmadd_ps(to_b, v[2], v[4]), odd_a = _mm512_set1_ps(a1) * _mm512_fnmadd_ps(to_b, v[1], v[3]);
  const __m512 even_b = _mm512_fnmadd_ps(to_a, v[2], v[4]), odd_b = _mm512_set1_ps(b1) * _mm512_fnmadd_ps(to_a, v[1], v[3]);
  const __m512 first = _mm512_fmadd_ps(both, v[0], _mm512_fnmadd_ps(sum, v[2], v[4]));
  const __m512 last = _mm512_fmadd_ps(both, v[1], _mm512_fnmadd_ps(sum, v[3], v[5]));
  v[0] = first;
  v[1] = even_a + odd_a;
  v[2] = even_a - odd_a;
  v[3] = even_b + odd_b;
  v[4] = even_b - odd_b;
  v[5] = last;
}

/// A of F(4, 3): six products to four sums.
[[gnu::target("avx512f"), gnu::always_inline]] inline void sum_six(const __m512 (&m)[6], __m512 (&to)[4]) {
  const __m512 a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  to[0] = m[0] + a + c;
  to[1] = _mm512_fmadd_ps(_mm512_set1_ps(a1), b, _mm512_set1_ps(b1) * d);
  to[2] = _mm512_fmadd_ps(_mm512_set1_ps(a2), a, _mm512_set1_ps(b2) * c);
  to[3] = _mm512_fmadd_ps(_mm512_set1_ps(a3), b, _mm512_fmadd_ps(_mm512_set1_ps(b3), d, m[5]));
}

/// 16 voxels of a line of channel-last voxels to 16 lines of voxels, for 16 channels.
[[gnu::target("avx512f"), gnu::always_inline]] inline void turn(const float* from, std::int64_t step, std::int64_t count, float* to,
                                                                std::int64_t length) {
  __m512i r[16], s[16];
  for (std::int64_t i = 0; i < 16; ++i) r[i] = i < count ? _mm512_loadu_si512(from + i * step) : _mm512_setzero_si512();
  for (int i = 0; i < 16; i += 2) {
    s[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    s[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4)
    for (int k = 0; k < 2; ++k) {
      r[i + 2 * k] = _mm512_unpacklo_epi64(s[i + k], s[i + 2 + k]);
      r[i + 2 * k + 1] = _mm512_unpackhi_epi64(s[i + k], s[i + 2 + k]);
    }
  for (int k = 0; k < 4; ++k) {
    const __m512i a = _mm512_shuffle_i32x4(r[k], r[4 + k], 0x88), b = _mm512_shuffle_i32x4(r[k], r[4 + k], 0xdd);
    const __m512i c = _mm512_shuffle_i32x4(r[8 + k], r[12 + k], 0x88), d = _mm512_shuffle_i32x4(r[8 + k], r[12 + k], 0xdd);
    _mm512_storeu_si512(to + k * length, _mm512_shuffle_i32x4(a, c, 0x88));
    _mm512_storeu_si512(to + (8 + k) * length, _mm512_shuffle_i32x4(a, c, 0xdd));
    _mm512_storeu_si512(to + (4 + k) * length, _mm512_shuffle_i32x4(b, d, 0x88));
    _mm512_storeu_si512(to + (12 + k) * length, _mm512_shuffle_i32x4(b, d, 0xdd));
  }
}

/// The lines that a piece needs, of one channel: floats from plane to plane and from line to line, the first line being
/// y - 1 of the plane z - 1.
struct Source {
  const float* from = nullptr;
  std::int64_t plane = 0, line = 0;
};

/// Lines of 16 channels from `first` on, [channel][plane][6 lines][x], of channel-last voxels.
[[gnu::target("avx512f")]] void turn_lines(const Piece& piece, std::int64_t channels, std::int64_t first, float* to, std::int64_t length) {
  const std::int64_t width = piece.size[0], height = piece.size[1], whole = (piece.planes + 2) * 6 * length;
  for (std::int64_t k = 0; k < piece.planes + 2; ++k)
    for (std::int64_t j = 0; j < 6; ++j) {
      const std::int64_t z = piece.z - 1 + k, y = piece.y - 1 + j;
      if (z < 0 || z >= piece.size[2] || y < 0 || y >= height) continue;
      const float* line = piece.from + (z * height + y) * width * channels + first;
      for (std::int64_t x = 0; x < width; x += lanes)
        turn(line + x * channels, channels, std::min(lanes, width - x), to + (k * 6 + j) * length + x, whole);
    }
}

/// Lines y - 1 .. y + 4 of the planes z - 1 .. z + planes of a channel as [line][plane][pitch], transformed along y; each
/// begins with x = -1.
[[gnu::target("avx512f")]] void lines_of(const Piece& piece, const Source& source, float* lines) {
  const std::int64_t width = piece.size[0], height = piece.size[1], pitch = piece.pitch(), length = (piece.planes + 2) * pitch;
  for (std::int64_t k = 0; k < piece.planes + 2; ++k) {
    const std::int64_t z = piece.z - 1 + k;
    float* to = lines + k * pitch;
    if (z < 0 || z >= piece.size[2]) {
      for (std::int64_t j = 0; j < 6; ++j) std::fill_n(to + j * length, pitch, 0.F);
      continue;
    }
    const float* from = source.from + k * source.plane;
    const bool above = piece.y > 0, below = piece.y + 4 < height;
    for (std::int64_t x = 0; x < width; x += lanes) {
      const auto mask = static_cast<__mmask16>(width - x >= lanes ? 0xffff : (1 << (width - x)) - 1);
      __m512 v[6];
      v[0] = above ? _mm512_maskz_loadu_ps(mask, from + x) : _mm512_setzero_ps();
      for (std::int64_t j = 1; j < 5; ++j) v[j] = _mm512_maskz_loadu_ps(mask, from + j * source.line + x);
      v[5] = below ? _mm512_maskz_loadu_ps(mask, from + 5 * source.line + x) : _mm512_setzero_ps();
      transform_six(v);
      for (std::int64_t j = 0; j < 6; ++j) _mm512_mask_storeu_ps(to + j * length + 1 + x, mask, v[j]);
    }
    for (std::int64_t j = 0; j < 6; ++j) {
      to[j * length] = 0;
      for (std::int64_t x = width + 1; x < pitch; ++x) to[j * length + x] = 0;
    }
  }
}

/// Every fourth of 64 floats, from the first, second, third and fourth.
[[gnu::target("avx512f"), gnu::always_inline]] inline void by_four(const float* from, __m512 (&v)[4]) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  const __m512 a = _mm512_loadu_ps(from), b = _mm512_loadu_ps(from + 16), c = _mm512_loadu_ps(from + 32), d = _mm512_loadu_ps(from + 48);
  const __m512 e = _mm512_permutex2var_ps(a, even, b), f = _mm512_permutex2var_ps(c, even, d);
  const __m512 g = _mm512_permutex2var_ps(a, odd, b), h = _mm512_permutex2var_ps(c, odd, d);
  v[0] = _mm512_permutex2var_ps(e, even, f);
  v[2] = _mm512_permutex2var_ps(e, odd, f);
  v[1] = _mm512_permutex2var_ps(g, even, h);
  v[3] = _mm512_permutex2var_ps(g, odd, h);
}

/// The transformed input [point][channel][tile].
[[gnu::target("avx512f")]] void transform_in(const Piece& piece, std::int64_t channels, float* seen, float* lines, float* turned) {
  const std::int64_t tiles = (piece.planes + 2) * piece.row, length = (piece.planes + 2) * piece.pitch();
  const std::int64_t voxels = piece.size[0] * piece.size[1] * piece.size[2], next = piece.next(channels);
  const std::int64_t plane = piece.size[0] * piece.size[1], wide = (piece.size[0] + lanes - 1) / lanes * lanes;
  for (std::int64_t c = 0; c < channels; ++c) {
    if (piece.channels_last && c % lanes == 0) turn_lines(piece, channels, c, turned, wide);
    // The line before the first may lie outside: it is not read then.
    const Source lying{turned + c % lanes * (piece.planes + 2) * 6 * wide, 6 * wide, wide};
    const Source given{piece.from + c * voxels + (piece.z - 1) * plane + (piece.y - 1) * piece.size[0], plane, piece.size[0]};
    lines_of(piece, piece.channels_last ? lying : given, lines);
    for (std::int64_t j = 0; j < 6; ++j)
      for (std::int64_t t = 0; t < tiles; t += lanes) {
        __m512 first[4], second[4];
        by_four(lines + j * length + 4 * t, first);
        by_four(lines + j * length + 4 * t + 4, second);
        __m512 v[6] = {first[0], first[1], first[2], first[3], second[0], second[1]};
        transform_six(v);
        float* to = seen + 6 * j * next + c * piece.stride + t;
        for (std::int64_t k = 0; k < 6; ++k) _mm512_storeu_ps(to + k * next, v[k]);
      }
  }
}

/// Products [8 channels][16 count tiles]: weights [z][in][8] times seen [in][tile], from plane to plane `row` tiles on.
template <int count>
[[gnu::target("avx512f")]] void multiply(const float* weights, const float* seen, std::int64_t channels, const Piece& piece, float* to) {
  __m512 sums[together][count];
#pragma GCC unroll 8
  for (int o = 0; o < together; ++o)
#pragma GCC unroll 3
    for (int i = 0; i < count; ++i) sums[o][i] = _mm512_setzero_ps();
  for (std::int64_t z = 0; z < 3; ++z)
    for (std::int64_t c = 0; c < channels; ++c, weights += together) {
      const float* line = seen + c * piece.stride + z * piece.row;
      __m512 v[count];
#pragma GCC unroll 3
      for (int i = 0; i < count; ++i) v[i] = _mm512_loadu_ps(line + i * lanes);
#pragma GCC unroll 8
      for (int o = 0; o < together; ++o) {
        const __m512 w = _mm512_set1_ps(weights[o]);
#pragma GCC unroll 3
        for (int i = 0; i < count; ++i) sums[o][i] = _mm512_fmadd_ps(w, v[i], sums[o][i]);
      }
    }
#pragma GCC unroll 8
  for (int o = 0; o < together; ++o)
#pragma GCC unroll 3
    for (int i = 0; i < count; ++i) _mm512_storeu_ps(to + o * piece.stride + i * lanes, sums[o][i]);
}

void multiply_all(const float* weights, const float* seen, std::int64_t channels, const Piece& piece, float* to) {
  const std::int64_t tiles = piece.planes * piece.row;
  for (std::int64_t t = 0; t < tiles; t += 3 * lanes) {
    const std::int64_t left = (tiles - t + lanes - 1) / lanes;
    if (left >= 3) multiply<3>(weights, seen + t, channels, piece, to + t);
    else if (left == 2) multiply<2>(weights, seen + t, channels, piece, to + t);
    else multiply<1>(weights, seen + t, channels, piece, to + t);
  }
}

/// Products of an output channel (`next` floats from point to point) to its voxels, by way of [line][plane][pitch].
[[gnu::target("avx512f")]] void transform_out(const Piece& piece, const float* products, std::int64_t next, float bias, float* lines,
                                              float* channel) {
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  const std::int64_t tiles = piece.planes * piece.row, length = 4 * padded(tiles);
  const __m512 add = _mm512_set1_ps(bias);
  for (std::int64_t t = 0; t < tiles; t += lanes) {
    __m512 half[6][4];  // [line of products][x]
    for (std::int64_t j = 0; j < 6; ++j) {
      __m512 m[6];
      for (std::int64_t k = 0; k < 6; ++k) m[k] = _mm512_loadu_ps(products + (6 * j + k) * next + t);
      sum_six(m, half[j]);
    }
    __m512 sums[4][4];  // [x][y]
    for (std::int64_t x = 0; x < 4; ++x) {
      const __m512 column[6] = {half[0][x], half[1][x], half[2][x], half[3][x], half[4][x], half[5][x]};
      sum_six(column, sums[x]);
    }
    for (std::int64_t y = 0; y < 4; ++y) {
      const __m512 a = _mm512_permutex2var_ps(sums[0][y], low, sums[2][y]), b = _mm512_permutex2var_ps(sums[1][y], low, sums[3][y]);
      const __m512 c = _mm512_permutex2var_ps(sums[0][y], high, sums[2][y]), d = _mm512_permutex2var_ps(sums[1][y], high, sums[3][y]);
      float* to = lines + y * length + 4 * t;
      _mm512_storeu_ps(to, _mm512_permutex2var_ps(a, low, b) + add);
      _mm512_storeu_ps(to + 16, _mm512_permutex2var_ps(a, high, b) + add);
      _mm512_storeu_ps(to + 32, _mm512_permutex2var_ps(c, low, d) + add);
      _mm512_storeu_ps(to + 48, _mm512_permutex2var_ps(c, high, d) + add);
    }
  }
  for (std::int64_t z = 0; z < piece.planes; ++z)
    for (std::int64_t y = 0; y < 4; ++y)
      std::copy_n(lines + y * length + z * piece.pitch(), piece.size[0],
                  channel + ((piece.z + z) * piece.size[1] + piece.y + y) * piece.size[0]);
}

#else

void transform_in(const Piece&, std::int64_t, float*, float*, float*) {}
void multiply_all(const float*, const float*, std::int64_t, const Piece&, float*) {}
void transform_out(const Piece&, const float*, std::int64_t, float, float*, float*) {}

#endif

}  // namespace

bool Winograd::possible(std::int64_t channels_in, std::int64_t channels_out, const Size3& size) noexcept {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") && channels_in % together == 0 && channels_out % together == 0 && size[0] % 4 == 0 &&
         size[1] % 4 == 0;
#else
  return channels_in < 0 && channels_out < 0 && size[0] < 0;
#endif
}

Winograd::Winograd(std::span<const float> weights, std::span<const float> bias, std::int64_t channels_in, std::int64_t channels_out)
    : in_(channels_in), out_(channels_out), weights_(static_cast<std::size_t>(points * 3 * in_ * out_)), bias_(bias.begin(), bias.end()) {
  bias_.resize(static_cast<std::size_t>(out_));
  const auto number = [](float v) { return static_cast<double>(v); };
  for (std::int64_t o = 0; o < out_; ++o)
    for (std::int64_t c = 0; c < in_; ++c)
      for (std::int64_t z = 0; z < 3; ++z) {
        const float* w = weights.data() + ((o * in_ + c) * 3 + z) * 9;
        std::array<std::array<double, 6>, 3> half{};  // [y][point along x]
        for (std::size_t y = 0; y < 3; ++y) half[y] = transformed(number(w[3 * y]), number(w[3 * y + 1]), number(w[3 * y + 2]));
        for (std::size_t x = 0; x < 6; ++x) {
          const std::array<double, 6> column = transformed(half[0][x], half[1][x], half[2][x]);
          for (std::size_t y = 0; y < 6; ++y) {
            const auto block = static_cast<std::int64_t>(6 * y + x) * (out_ / together) + o / together;
            weights_[static_cast<std::size_t>(((block * 3 + z) * in_ + c) * together + o % together)] = static_cast<float>(column[y]);
          }
        }
      }
}

void Winograd::run(const float* from, float* to, const Size3& size, bool channels_last) const {
  const std::int64_t row = size[0] / 4 + 1, rows = size[1] / 4, voxels = size[0] * size[1] * size[2];
  constexpr std::int64_t pieces_wanted = 12;
  std::int64_t planes = std::clamp<std::int64_t>(tiles_wanted / row, 1, size[2]);
  while (planes > 3 && (size[2] + planes - 1) / planes * rows < pieces_wanted) planes = (planes + 1) / 2;
  const std::int64_t blocks = (size[2] + planes - 1) / planes;
  parallel_for(blocks * rows, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t stride = padded((planes + 2) * row);
    const std::int64_t block = std::min(out_block, out_);
    // Kept from piece to piece: to take and clear them anew would cost as much as the work.
    static thread_local std::vector<float> seen, products, lines, turned;
    float* const held = aligned(seen, points * (in_ * stride + lanes) + 3 * lanes);
    float* const made = aligned(products, points * (block * stride + lanes));
    float* const work = aligned(lines, 6 * 4 * stride + 8 * lanes);
    const std::int64_t wide = channels_last ? lanes * (planes + 2) * 6 * (size[0] + lanes) : 0;
    float* const lying = aligned(turned, wide);
    for (std::int64_t at = begin; at < end; ++at) {
      Piece piece{from, channels_last, size, planes * (at / rows), 4 * (at % rows), 0, row, stride};
      piece.planes = std::min(planes, size[2] - piece.z);
      transform_in(piece, in_, held, work, lying);
      for (std::int64_t first = 0; first < out_; first += block) {
        const std::int64_t count = std::min(block, out_ - first);
        for (std::int64_t p = 0; p < points; ++p)
          for (std::int64_t o = 0; o < count; o += together)
            multiply_all(weights_.data() + (p * (out_ / together) + (first + o) / together) * 3 * in_ * together,
                         held + p * piece.next(in_), in_, piece, made + p * piece.next(count) + o * stride);
        for (std::int64_t o = 0; o < count; ++o)
          transform_out(piece, made + o * stride, piece.next(count), bias_[static_cast<std::size_t>(first + o)],
                        work, to + (first + o) * voxels);
      }
    }
  });
}

}  // namespace penta::nn
