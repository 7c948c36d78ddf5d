#include "core/sha256_blocks.h"

#include <bit>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace penta {

namespace {

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
alignas(16) constexpr std::array<std::uint32_t, 64> constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void plain_block(std::array<std::uint32_t, 8>& state, const std::uint8_t* data) noexcept {
  std::array<std::uint32_t, 64> w{};
  for (std::size_t i = 0; i < 16; ++i)
    w[i] = (std::uint32_t{data[4 * i]} << 24) | (std::uint32_t{data[4 * i + 1]} << 16) |
           (std::uint32_t{data[4 * i + 2]} << 8) | std::uint32_t{data[4 * i + 3]};
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + constants[i] + w[i];
    const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const std::array<std::uint32_t, 8> add{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) state[i] += add[i];
}

#if defined(__x86_64__)

// The SHA instructions hold the state as the lanes f e b a and h g d c, lowest first.
struct Lanes {
  __m128i feba, hgdc;
};

[[gnu::target("sha,sse4.1")]] inline void four_rounds(Lanes& state, __m128i words, std::size_t round) noexcept {
  const auto* some = reinterpret_cast<const __m128i*>(constants.data() + round);
  const __m128i added = _mm_add_epi32(words, _mm_load_si128(some));
  state.hgdc = _mm_sha256rnds2_epu32(state.hgdc, state.feba, added);
  state.feba = _mm_sha256rnds2_epu32(state.feba, state.hgdc, _mm_shuffle_epi32(added, 0x0E));
}

// The next four words of the schedule (6.2.2) from the sixteen before them, oldest first.
[[gnu::target("sha,sse4.1")]] inline __m128i next_words(__m128i a, __m128i b, __m128i c, __m128i d) noexcept {
  return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(a, b), _mm_alignr_epi8(d, c, 4)), d);
}

[[gnu::target("sha,sse4.1")]] void sha_block(Lanes& state, const std::uint8_t* data) noexcept {
  const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  const auto* words = reinterpret_cast<const __m128i*>(data);
  __m128i a = _mm_shuffle_epi8(_mm_loadu_si128(words), swap), b = _mm_shuffle_epi8(_mm_loadu_si128(words + 1), swap);
  __m128i c = _mm_shuffle_epi8(_mm_loadu_si128(words + 2), swap), d = _mm_shuffle_epi8(_mm_loadu_si128(words + 3), swap);
  const Lanes before = state;
  four_rounds(state, a, 0), four_rounds(state, b, 4), four_rounds(state, c, 8), four_rounds(state, d, 12);
  for (std::size_t round = 16; round < 64; round += 16) {
    a = next_words(a, b, c, d), four_rounds(state, a, round);
    b = next_words(b, c, d, a), four_rounds(state, b, round + 4);
    c = next_words(c, d, a, b), four_rounds(state, c, round + 8);
    d = next_words(d, a, b, c), four_rounds(state, d, round + 12);
  }
  state = {_mm_add_epi32(state.feba, before.feba), _mm_add_epi32(state.hgdc, before.hgdc)};
}

[[gnu::target("sha,sse4.1")]] void sha_blocks(std::array<std::uint32_t, 8>& state, const std::uint8_t* data, std::size_t count) noexcept {
  auto* const place = reinterpret_cast<__m128i*>(state.data());
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(place), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(place + 1), 0x1B);
  Lanes lanes{_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xF0)};
  for (; count > 0; --count, data += 64) sha_block(lanes, data);
  const __m128i abef = _mm_shuffle_epi32(lanes.feba, 0x1B), ghcd = _mm_shuffle_epi32(lanes.hgdc, 0xB1);
  _mm_storeu_si128(place, _mm_blend_epi16(abef, ghcd, 0xF0));
  _mm_storeu_si128(place + 1, _mm_alignr_epi8(ghcd, abef, 8));
}

// Leaf 7, EBX bit 29: SHA; leaf 1, ECX bits 9 and 19: SSSE3 and SSE4.1.
bool has_sha() noexcept {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c >> 9 & c >> 19 & 1) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 29 & 1) != 0;
}

#endif

}  // namespace

void sha256_blocks_plain(std::array<std::uint32_t, 8>& state, const std::uint8_t* data, std::size_t count) noexcept {
  for (; count > 0; --count, data += 64) plain_block(state, data);
}

Sha256Blocks sha256_blocks_here() noexcept {
#if defined(__x86_64__)
  static const bool fast = has_sha();
  if (fast) return sha_blocks;
#endif
  return sha256_blocks_plain;
}

}  // namespace penta
