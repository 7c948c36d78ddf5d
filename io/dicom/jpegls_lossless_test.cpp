#include <charls/charls.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/random.h"
#include "io/dicom/jpegls_lossless.h"

namespace penta::io::dicom {
namespace {

constexpr int columns = 61, rows = 47;

// Flat parts (runs), slopes, edges and noise, so that every branch of T.87 is met.
std::vector<std::uint16_t> picture(int precision, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint16_t> out;
  const double top = (1 << precision) - 1, noise = top * std::pow(10, -1.0 - static_cast<double>(seed % 4));
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x < columns; ++x) {
      double value = (x / 12 + y / 9) % 3 == 0 ? top * 0.4 : (x / 12 + y / 9) % 3 == 1 ? top * x / columns : 0;
      if ((x + y) / 20 % 2 == 1) value += noise * random.normal();
      if (random.uniform() < 0.01) value = top * random.uniform();
      out.push_back(static_cast<std::uint16_t>(std::lround(std::fmin(std::fmax(value, 0), top))));
    }
  return out;
}

std::vector<std::byte> encoded(const std::vector<std::uint16_t>& samples, int precision) {
  charls::jpegls_encoder encoder;
  encoder.frame_info({columns, rows, precision, 1});
  std::vector<std::byte> out(encoder.estimated_destination_size());
  encoder.destination(out);
  out.resize(encoder.encode(samples));
  return out;
}

// Inverse of CharLS's encoder, at every precision.
TEST(JpegLsLossless, InverseOfTheEncoder) {
  for (int precision = 9; precision <= 16; ++precision)
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const auto samples = picture(precision, seed);
      const auto back = decode_jpegls_lossless(encoded(samples, precision), columns, rows);
      ASSERT_TRUE(back) << precision << " bits, picture " << seed;
      ASSERT_EQ(back->size(), samples.size() * 2);
      ASSERT_EQ(std::memcmp(back->data(), samples.data(), back->size()), 0) << precision << " bits, picture " << seed;
    }
}

// A stream that is cut or is of another size is left to CharLS, and no damage does harm.
TEST(JpegLsLossless, BrokenStreamsAreLeftAlone) {
  const auto stream = encoded(picture(12, 1), 12);
  EXPECT_FALSE(decode_jpegls_lossless(stream, columns + 1, rows));
  for (std::size_t length = 0; length < stream.size() - 20; length += 7)
    EXPECT_FALSE(decode_jpegls_lossless(std::span(stream).first(length), columns, rows)) << length;
  Random random(3);
  for (int turn = 0; turn < 3000; ++turn) {
    auto damaged = stream;
    for (int i = 0; i < 4; ++i) damaged[random.bits() % damaged.size()] = static_cast<std::byte>(random.bits());
    (void)decode_jpegls_lossless(damaged, columns, rows);
  }
}

}  // namespace
}  // namespace penta::io::dicom
