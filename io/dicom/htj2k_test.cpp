// Inverse: what OpenJPH encoded comes back (PS3.5 10.18: HTJ2K lossless, RPCL, and with loss).
#include <gtest/gtest.h>
#include <openjph/ojph_arch.h>
#include <openjph/ojph_codestream.h>
#include <openjph/ojph_file.h>
#include <openjph/ojph_mem.h>
#include <openjph/ojph_params.h>

#include <cmath>

#include "core/error.h"
#include "core/image.h"
#include "core/random.h"
#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {
namespace {

constexpr int columns = 65, rows = 43;

struct Encoding {
  int components = 1, bits = 16;
  bool is_signed = false, reversible = true;
  const char* order = "LRCP";
};

// Values by pixel, then by component.
std::vector<std::byte> encode(const std::vector<std::int32_t>& values, const Encoding& how) {
  ojph::codestream stream;
  const auto width = static_cast<ojph::ui32>(columns), height = static_cast<ojph::ui32>(rows);
  const auto components = static_cast<ojph::ui32>(how.components);
  ojph::param_siz size = stream.access_siz();
  size.set_image_extent(ojph::point(width, height));
  size.set_num_components(components);
  for (ojph::ui32 c = 0; c < components; ++c)
    size.set_component(c, ojph::point(1, 1), static_cast<ojph::ui32>(how.bits), how.is_signed);
  size.set_tile_size(ojph::size(width, height));
  ojph::param_cod coding = stream.access_cod();
  coding.set_num_decomposition(4);
  coding.set_progression_order(how.order);
  coding.set_color_transform(how.components == 3);
  coding.set_reversible(how.reversible);
  if (!how.reversible) stream.access_qcd().set_irrev_quant(0.0002F);
  stream.set_planar(false);
  ojph::mem_outfile out;
  out.open();
  stream.write_headers(&out);
  ojph::ui32 next = 0;
  ojph::line_buf* line = stream.exchange(nullptr, next);
  for (std::size_t y = 0; y < static_cast<std::size_t>(rows); ++y)
    for (std::size_t c = 0; c < components; ++c) {
      for (std::size_t x = 0; x < static_cast<std::size_t>(columns); ++x)
        line->i32[x] = values[(y * columns + x) * components + next];
      line = stream.exchange(line, next);
    }
  stream.flush();
  const auto* data = reinterpret_cast<const std::byte*>(out.get_data());
  std::vector<std::byte> bytes(data, data + out.tell());
  stream.close();
  return bytes;
}

// A ramp with noise, within the range of the bits.
std::vector<std::int32_t> values_of(const Encoding& how) {
  Random random(3);
  std::vector<std::int32_t> out;
  const std::int32_t half = 1 << (how.bits - 1), lowest = how.is_signed ? -half : 0;
  for (int i = 0; i < columns * rows * how.components; ++i) {
    const auto noise = static_cast<std::int32_t>(random.bits() % 64);
    out.push_back(lowest + (i * 7 + noise) % (2 * half));
  }
  return out;
}

Made picture(const Encoding& how) {
  Made made(us_class, "US", columns, rows, how.bits <= 8 ? 8 : 16);
  made.word(tag::bits_stored, static_cast<std::uint16_t>(how.bits));
  made.word(tag::high_bit, static_cast<std::uint16_t>(how.bits - 1));
  made.word(tag::pixel_representation, how.is_signed ? 1 : 0);
  if (how.components == 3)
    made.word(tag::samples_per_pixel, 3).word(tag::planar, 0).text(tag::photometric, "YBR_RCT");
  return made;
}

Image decoded(const Encoding& how, const std::vector<std::int32_t>& values, const std::string& syntax) {
  return std::get<Image>(read_bytes(picture(how).encapsulated(syntax, {encode(values, how)}), "made"));
}

class Htj2k : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Htj2k, InverseTwelveBits) {
  const Encoding how{1, 12, false, true, GetParam().second};
  const auto values = values_of(how);
  const Image image = decoded(how, values, GetParam().first);
  const auto& pixels = std::get<std::vector<std::uint16_t>>(image.frames().at(0).pixels);
  EXPECT_EQ(std::vector<std::int32_t>(pixels.begin(), pixels.end()), values);
}

TEST_P(Htj2k, InverseSignedSixteenBits) {
  const Encoding how{1, 16, true, true, GetParam().second};
  const auto values = values_of(how);
  const Image image = decoded(how, values, GetParam().first);
  const auto& pixels = std::get<std::vector<float>>(image.frames().at(0).pixels);
  EXPECT_EQ(std::vector<std::int32_t>(pixels.begin(), pixels.end()), values);
}

TEST_P(Htj2k, InverseColour) {
  const Encoding how{3, 8, false, true, GetParam().second};
  const auto values = values_of(how);
  const Image image = decoded(how, values, GetParam().first);
  const auto& pixels = std::get<std::vector<Rgb8>>(image.frames().at(0).pixels);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const Rgb8 expected{static_cast<std::uint8_t>(values[3 * i]), static_cast<std::uint8_t>(values[3 * i + 1]),
                        static_cast<std::uint8_t>(values[3 * i + 2])};
    ASSERT_EQ(pixels[i], expected) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Syntaxes, Htj2k,
                         ::testing::Values(std::pair{"1.2.840.10008.1.2.4.201", "LRCP"},
                                           std::pair{"1.2.840.10008.1.2.4.202", "RPCL"}),
                         [](const auto& row) { return std::string(row.param.second); });

TEST(Htj2kLossy, InverseWithinTheQuantisationStep) {
  const Encoding how{1, 12, false, false, "RPCL"};
  // Smooth: a step of 0.0002 of the range is 0.8 of a value.
  std::vector<std::int32_t> values;
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x < columns; ++x) values.push_back(static_cast<std::int32_t>(2000 + 900 * std::sin(0.1 * x) + 5 * y));
  const Image image = decoded(how, values, "1.2.840.10008.1.2.4.203");
  const auto& pixels = std::get<std::vector<std::uint16_t>>(image.frames().at(0).pixels);
  for (std::size_t i = 0; i < pixels.size(); ++i) ASSERT_NEAR(pixels[i], values[i], 3) << i;
}

// The size of the stream is compared before memory is set aside for it.
TEST(Htj2kBroken, AnotherSizeThanTheHeaderSaysIsRefused) {
  const Encoding how;
  auto stream = encode(values_of(how), how);
  Made made = picture(how);
  made.word(tag::columns, columns + 1);
  EXPECT_THROW(static_cast<void>(read_bytes(made.encapsulated("1.2.840.10008.1.2.4.201", {stream}), "made")), Error);
  stream.resize(stream.size() / 2);
  EXPECT_THROW(static_cast<void>(read_bytes(picture(how).encapsulated("1.2.840.10008.1.2.4.201", {stream}), "made")), Error);
}

}  // namespace
}  // namespace penta::io::dicom
