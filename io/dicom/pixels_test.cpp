#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {
namespace {

constexpr int columns = 33, rows = 20;

Made picture(int bits, const std::string& photometric = "MONOCHROME2", int samples = 1) {
  Made made(us_class, "US", columns, rows, bits);
  made.text(tag::photometric, photometric).word(tag::samples_per_pixel, static_cast<std::uint16_t>(samples));
  if (samples == 3) made.word(tag::planar, 0);
  return made;
}

std::vector<std::uint16_t> noise(int count, int bits) {
  Random random(7);
  std::vector<std::uint16_t> out;
  for (int i = 0; i < count; ++i) out.push_back(static_cast<std::uint16_t>(random.bits() >> (32 - bits)));
  return out;
}

Made twelve_bits(const std::string& photometric = "MONOCHROME2") {
  Made made = picture(16, photometric);
  made.word(tag::bits_stored, 12).word(tag::high_bit, 11);
  return made;
}

Image read_made(const Made& made, const std::string& syntax = "1.2.840.10008.1.2.1") {
  const auto bytes = made.bytes(syntax);
  return std::get<Image>(read_bytes(bytes, "made"));
}

// The fuzzer found it: no bit stored in a signed image asked for a shift by -1.
TEST(Layout, NoBitsStoredIsRefused) {
  Made made = picture(16);
  made.word(tag::bits_stored, 0).word(tag::high_bit, 0).word(tag::pixel_representation, 1);
  EXPECT_THROW((void)read_made(made.pixels(noise(columns * rows, 12))), Error);
}

// Inverse: what an encoder wrote comes back, for every transfer syntax that DCMTK writes without loss.
class Lossless : public ::testing::TestWithParam<std::string> {};
class LosslessColour : public Lossless {};

TEST_P(Lossless, sixteen_bits_come_back) {
  const auto values = noise(columns * rows, 12);
  const Image image = read_made(twelve_bits().pixels(values), GetParam());
  EXPECT_EQ(std::get<std::vector<std::uint16_t>>(image.frames().at(0).pixels), values);
}

TEST_P(LosslessColour, colours_come_back) {
  std::vector<std::uint8_t> values;
  for (const auto v : noise(columns * rows * 3, 8)) values.push_back(static_cast<std::uint8_t>(v));
  const Image image = read_made(picture(8, "RGB", 3).pixels8(values), GetParam());
  const auto& pixels = std::get<std::vector<Rgb8>>(image.frames().at(0).pixels);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    ASSERT_EQ(pixels[i], (Rgb8{values[3 * i], values[3 * i + 1], values[3 * i + 2]})) << i;
}

INSTANTIATE_TEST_SUITE_P(Syntaxes, Lossless,
                         ::testing::Values("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
                                           "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.57",
                                           "1.2.840.10008.1.2.4.70"));
INSTANTIATE_TEST_SUITE_P(Syntaxes, LosslessColour,
                         ::testing::Values("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
                                           "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70"));

TEST(Pixels, bits_beside_the_stored_ones_are_cut_off) {
  std::vector<std::uint16_t> values(columns * rows, 0xF123);
  const Image image = read_made(twelve_bits().pixels(values));
  EXPECT_EQ(std::get<std::vector<std::uint16_t>>(image.frames().at(0).pixels).at(5), 0x123);
}

TEST(Pixels, signed_values_of_twelve_bits_are_extended) {
  std::vector<std::uint16_t> values(columns * rows, 0x0FFE);
  const Image image = read_made(twelve_bits().word(tag::pixel_representation, 1).pixels(values));
  EXPECT_EQ(std::get<std::vector<float>>(image.frames().at(0).pixels).at(5), -2.0F);
}

TEST(Pixels, monochrome1_is_turned_and_said) {
  std::vector<std::uint16_t> values(columns * rows, 100);
  const Image image = read_made(twelve_bits("MONOCHROME1").pixels(values));
  EXPECT_EQ(std::get<std::vector<std::uint16_t>>(image.frames().at(0).pixels).at(5), 4095 - 100);
  EXPECT_EQ(image.remarks.at(0).code, "monochrome1");
}

// Published: PS3.3 C.7.6.3.1.2, YBR_FULL of pure red is Y 76, Cb 85, Cr 255 (rounded).
TEST(Pixels, ybr_full_becomes_rgb) {
  std::vector<std::uint8_t> values;
  for (int i = 0; i < columns * rows; ++i) values.insert(values.end(), {76, 85, 255});
  const Image image = read_made(picture(8, "YBR_FULL", 3).pixels8(values));
  const Rgb8 red = std::get<std::vector<Rgb8>>(image.frames().at(0).pixels).at(3);
  EXPECT_NEAR(red.red, 254, 1);
  EXPECT_NEAR(red.green, 0, 1);
  EXPECT_NEAR(red.blue, 0, 1);
}

TEST(Pixels, ybr_full_422_shares_chroma_between_two_pixels) {
  Made made = picture(8, "YBR_FULL_422", 3);
  made.word(tag::columns, 32);
  std::vector<std::uint8_t> values;
  for (int i = 0; i < 16 * rows; ++i) values.insert(values.end(), {76, 200, 128, 128});
  const Image image = read_made(made.pixels8(values));
  const auto& pixels = std::get<std::vector<Rgb8>>(image.frames().at(0).pixels);
  EXPECT_EQ(pixels.at(0), (Rgb8{76, 76, 76}));
  EXPECT_EQ(pixels.at(1), (Rgb8{200, 200, 200}));
}

TEST(Pixels, planes_of_colour_are_put_together) {
  Made made = picture(8, "RGB", 3);
  made.word(tag::planar, 1);
  std::vector<std::uint8_t> values;
  for (const std::uint8_t v : std::array<std::uint8_t, 3>{10, 20, 30})
    values.insert(values.end(), std::size_t{columns * rows}, v);
  const Image image = read_made(made.pixels8(values));
  EXPECT_EQ(std::get<std::vector<Rgb8>>(image.frames().at(0).pixels).at(100), (Rgb8{10, 20, 30}));
}

TEST(Pixels, palettes_start_at_their_first_value) {
  std::vector<std::uint8_t> values(columns * rows);
  std::iota(values.begin(), values.end(), std::uint8_t{0});
  Made made = picture(8, "PALETTE COLOR");
  for (std::uint16_t c = 0; c < 3; ++c) {
    made.words({0x0028, static_cast<std::uint16_t>(0x1101 + c)}, {4, 100, 16});
    const auto third = static_cast<std::uint16_t>(0x1000 * c);
    made.words({0x0028, static_cast<std::uint16_t>(0x1201 + c)}, {0, 0x4000, third, 0xFF00});
  }
  const Image image = read_made(made.pixels8(values));
  const auto& pixels = std::get<std::vector<Rgb8>>(image.frames().at(0).pixels);
  EXPECT_EQ(pixels.at(0), (Rgb8{0, 0, 0}));
  EXPECT_EQ(pixels.at(101), (Rgb8{0x40, 0x40, 0x40}));
  EXPECT_EQ(pixels.at(102), (Rgb8{0, 0x10, 0x20}));
  EXPECT_EQ(pixels.at(200), (Rgb8{0xFF, 0xFF, 0xFF}));
}

// PS3.3 C.7.9.2: two discrete entries, a ramp of four, and the first segment again.
TEST(Pixels, segmented_palettes_are_expanded) {
  std::vector<std::uint8_t> values(columns * rows);
  std::iota(values.begin(), values.end(), std::uint8_t{0});
  Made made = picture(8, "PALETTE COLOR");
  for (std::uint16_t c = 0; c < 3; ++c) {
    made.words({0x0028, static_cast<std::uint16_t>(0x1101 + c)}, {8, 0, 16});
    made.words({0x0028, static_cast<std::uint16_t>(0x1221 + c)}, {0, 2, 0x0100, 0x0200, 1, 4, 0x0600, 2, 1, 0, 0});
  }
  const Image image = read_made(made.pixels8(values));
  const auto& pixels = std::get<std::vector<Rgb8>>(image.frames().at(0).pixels);
  const std::array<int, 8> expected{1, 2, 3, 4, 5, 6, 1, 2};
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(pixels.at(i).red, expected[i]) << i;
}

// PS3.5 8.1.1: native frames of single bits follow each other without padding; 33 x 20 is no whole number of bytes.
TEST(Pixels, single_bits_run_on_across_frames) {
  constexpr int bits = columns * rows * 3;
  std::vector<std::uint8_t> packed((bits + 7) / 8);
  for (std::size_t i = 0; i < packed.size(); ++i) packed[i] = static_cast<std::uint8_t>(i * 29);
  Made made = picture(1);
  made.text(tag::number_of_frames, "3");
  const Image image = read_made(made.pixels8(packed));
  for (std::size_t f = 0; f < 3; ++f) {
    const auto& pixels = std::get<std::vector<std::uint8_t>>(image.frames().at(f).pixels);
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      const std::size_t bit = f * pixels.size() + i;
      ASSERT_EQ(pixels[i], packed[bit / 8] >> (bit % 8) & 1);
    }
  }
}

// A volume of one slice.
Made placed(int bits, const std::string& sop_class = mr_class, const std::string& modality = "MR") {
  Made made(sop_class, modality, columns, rows, bits);
  made.text(tag::image_position, "0\\0\\0").text(tag::image_orientation, "1\\0\\0\\0\\1\\0");
  made.text(tag::pixel_spacing, "1\\1").text(tag::slice_thickness, "2");
  return made;
}

Made& wide_pixels(Made& made, const std::vector<std::uint32_t>& values) {
  std::vector<std::uint16_t> words;
  for (const std::uint32_t value : values) {
    words.push_back(static_cast<std::uint16_t>(value & 0xFFFF));
    words.push_back(static_cast<std::uint16_t>(value >> 16));
  }
  return made.pixels(words);
}

std::vector<std::uint32_t> whole_numbers(std::uint32_t last) {
  std::vector<std::uint32_t> values(columns * rows, 7);
  values.back() = last;
  return values;
}

// The smallest voxel type that holds the values exactly; else float32, and by how much it is off is said.
TEST(VoxelTypes, unsigned_sixteen_bits_stay_so) {
  auto values = noise(columns * rows, 12);
  values[5] = 65000;
  const Image image = read_made(placed(16).pixels(values));
  EXPECT_EQ(std::get<Volume<std::uint16_t>>(image.volume()).voxels()[5], 65000);
}

TEST(VoxelTypes, thirty_two_bits_become_int32_where_they_fit) {
  Made made = placed(32);
  const Image image = read_made(wide_pixels(made, whole_numbers(2147483647U)));
  EXPECT_EQ(std::get<Volume<std::int32_t>>(image.volume()).voxels().back(), 2147483647);
  EXPECT_TRUE(image.remarks.empty());
}

TEST(VoxelTypes, numbers_past_int32_become_float_and_say_their_error) {
  Made made = placed(32);
  const Image image = read_made(wide_pixels(made, whole_numbers(4000000001U)));
  EXPECT_EQ(std::get<Volume<float>>(image.volume()).voxels().back(), 4000000000.0F);
  ASSERT_FALSE(image.remarks.empty());
  EXPECT_EQ(image.remarks.back().code, "rounded");
  EXPECT_TRUE(image.remarks.back().text.ends_with("up to 1")) << image.remarks.back().text;
}

// PS3.3 C.11.1.1: values outside the table get its ends.
TEST(ModalityLut, maps_stored_values) {
  Made made = placed(16, ct_class, "CT");
  DcmItem& lut = new_item(made.data(), {0x0028, 0x3000});
  made.pixels(std::vector<std::uint16_t>(columns * rows, 11));
  set_words(lut, {0x0028, 0x3002}, {3, 10, 16});
  set_words(lut, {0x0028, 0x3006}, {100, 250, 777});
  set_text(lut, {0x0028, 0x3004}, "HU");
  const Image image = read_made(made);
  EXPECT_EQ(std::get<Volume<float>>(image.volume()).voxels()[3], 250.0F);
  EXPECT_EQ(image.unit, "[hnsf'U]");
}

TEST(Pixels, colours_of_sixteen_bits_are_cut_and_it_is_said) {
  Made made = picture(16, "RGB", 3);
  const Image image = read_made(made.pixels(std::vector<std::uint16_t>(columns * rows * 3, 0x1234)));
  EXPECT_EQ(std::get<std::vector<Rgb8>>(image.frames().at(0).pixels).at(7), (Rgb8{0x12, 0x12, 0x12}));
  EXPECT_EQ(image.remarks.at(0).code, "colour_depth");
}

// PS3.3 C.8.8.3: planes by Grid Frame Offset Vector, values by Dose Grid Scaling.
TEST(RtDose, planes_and_dose) {
  Made made = placed(32, "1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE");
  made.text(tag::number_of_frames, "3").text({0x3004, 0x0002}, "GY").text({0x3004, 0x000E}, "0.5");
  made.text({0x3004, 0x000C}, "0\\2.5\\5");
  std::vector<std::uint32_t> values;
  for (std::uint32_t f = 0; f < 3; ++f) values.insert(values.end(), columns * rows, 10 * (f + 1));
  const Image image = read_made(wide_pixels(made, values));
  const auto& volume = std::get<Volume<float>>(image.volume());
  EXPECT_EQ(volume.at(1, 1, 2), 15.0F);
  EXPECT_DOUBLE_EQ(volume.grid().spacing_mm()[2], 2.5);
  EXPECT_EQ(image.unit, "Gy");
}

TEST(Pixels, a_class_that_is_not_known_is_read_for_its_pixels) {
  Made made("1.2.840.10008.5.1.4.1.1.9999", "OT", columns, rows, 8);
  const Image image = read_made(made.pixels8(std::vector<std::uint8_t>(columns * rows, 9)));
  EXPECT_EQ(std::get<std::vector<std::uint8_t>>(image.frames().at(0).pixels).at(3), 9);
  EXPECT_EQ(image.remarks.at(0).code, "sop_class_by_pixels");
}

TEST(Pixels, too_few_bytes_are_an_error_that_names_the_file) {
  std::vector<std::uint16_t> values(10, 1);
  try {
    static_cast<void>(read_made(picture(16).pixels(values)));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::bad_input);
    EXPECT_NE(std::string(error.what()).find("made"), std::string::npos);
  }
}

// Found by the fuzzer.
TEST(Pixels, an_empty_fragment_is_a_truncated_frame) {
  auto bytes = twelve_bits().pixels(noise(columns * rows, 12)).bytes("1.2.840.10008.1.2.4.70");
  const std::array<std::byte, 4> item{std::byte{0xFE}, std::byte{0xFF}, std::byte{0}, std::byte{0xE0}};
  const auto fragment = std::find_end(bytes.begin(), bytes.end(), item.begin(), item.end());
  bytes.erase(fragment + 8, bytes.end());
  EXPECT_THROW(static_cast<void>(read_bytes(bytes, "cut")), Error);
}

TEST(Pixels, a_frame_count_beyond_the_limit_is_refused) {
  std::vector<std::uint16_t> values(columns * rows, 1);
  Made made = picture(16);
  made.text(tag::number_of_frames, "2000000000").pixels(values);
  EXPECT_THROW(static_cast<void>(read_made(made)), Error);
}

}  // namespace
}  // namespace penta::io::dicom
