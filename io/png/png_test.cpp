#include "io/png/png.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/error.h"
#include "core/test_data.h"
#include "io/formats.h"

namespace penta::io::png {
namespace {

using Bytes = std::vector<std::byte>;

Picture gradient(std::int64_t width, std::int64_t height) {
  Picture picture(width, height);
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      picture.at(x, y) = {static_cast<std::uint8_t>(3 * x), static_cast<std::uint8_t>(5 * y), 77};
  return picture;
}

Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(16 * digit(hex[i]) + digit(hex[i + 1])));
  return bytes;
}

std::string refusal(const Bytes& bytes) {
  try {
    (void)read(bytes, "x.png");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::bad_input);
    return error.what();
  }
  return "read without an error";
}

bool says(const Image& image, std::string_view code) {
  return std::any_of(image.remarks.begin(), image.remarks.end(), [&](const Remark& r) { return r.code == code; });
}

TEST(Png, InverseOfWriteIsRead) {
  const Picture picture = gradient(31, 17);
  const Bytes bytes = write(picture);
  EXPECT_EQ(bytes, write(picture));
  const Image image = read(bytes, "x.png");
  const Frame2d& frame = image.frames().front();
  EXPECT_EQ(frame.width, 31);
  EXPECT_EQ(frame.height, 17);
  EXPECT_FALSE(frame.spacing_mm);
  EXPECT_EQ(std::get<std::vector<Rgb8>>(frame.pixels), picture.pixels);
  EXPECT_TRUE(image.remarks.empty());
}

TEST(Png, InverseOfQuickWriteIsRead) {
  const Picture colours = gradient(31, 17);
  EXPECT_EQ(std::get<std::vector<Rgb8>>(read(write_quick(colours), "x.png").frames().front().pixels), colours.pixels);
  Picture greys(19, 5);
  for (std::size_t i = 0; i < greys.pixels.size(); ++i) {
    const auto level = static_cast<std::uint8_t>(i * i);
    greys.pixels[i] = {level, level, level};
  }
  const Image image = read(write_quick(greys), "x.png");
  const std::vector<float> back = image.frames().front().grey();
  ASSERT_EQ(back.size(), greys.pixels.size());
  for (std::size_t i = 0; i < back.size(); ++i) EXPECT_EQ(back[i], greys.pixels[i].red);
  EXPECT_THROW(static_cast<void>(write_quick(Picture())), Error);
}

TEST(Png, InverseOfLabels) {
  LabelMap labels;
  labels.planar = true;
  labels.layers.emplace_back(Grid({5, 3, 1}, {1, 1, 1}));
  labels.layers[0].at(4, 0, 0) = 255;
  labels.layers[0].at(0, 2, 0) = 1;
  const LabelMap back = read_labels(write(labels), "x.png");
  EXPECT_TRUE(back.planar);
  EXPECT_EQ(back.layers[0].at(4, 0, 0), 255);
  EXPECT_EQ(back.layers[0].at(0, 2, 0), 1);
  EXPECT_EQ(back.segments.size(), 2U);
  labels.layers[0].at(0, 2, 0) = 256;
  EXPECT_THROW((void)write(labels), Error);
}

// Published: files written by Pillow 12.
TEST(Png, SixteenBitGreyPaletteAlphaAndOneBit) {
  const Image deep = read(
      from_hex("89504e470d0a1a0a0000000d4948445200000002000000021000000000074d8ebb0000001249444154789c636060607ec130"
               "c7e1ff7f000bbc03c68792d8570000000049454e44ae426082"),
      "x");
  EXPECT_EQ(std::get<std::vector<std::uint16_t>>(deep.frames()[0].pixels),
            (std::vector<std::uint16_t>{0, 1000, 40000, 65535}));
  const Bytes palette = from_hex(
      "89504e470d0a1a0a0000000d4948445200000002000000010803000000c3fc8fb800000300504c5445090807010203000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "000000000000000000307514580000000b49444154789c636060040000040002bf7a3f4a0000000049454e44ae426082");
  EXPECT_EQ(std::get<std::vector<Rgb8>>(read(palette, "x").frames()[0].pixels),
            (std::vector<Rgb8>{{9, 8, 7}, {1, 2, 3}}));
  EXPECT_EQ(read_labels(palette, "x").layers[0].at(1, 0, 0), 1);
  const Image clear = read(
      from_hex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c636064626e0000"
               "0095008713c8f6890000000049454e44ae426082"),
      "x");
  EXPECT_TRUE(says(clear, "alpha_dropped"));
  EXPECT_EQ(std::get<std::vector<Rgb8>>(clear.frames()[0].pixels)[0], (Rgb8{1, 2, 3}));
  const Bytes one_bit = from_hex(
      "89504e470d0a1a0a0000000d4948445200000002000000010100000000dc5942270000000a49444154789c63700000004200"
      "412937f4ef0000000049454e44ae426082");
  EXPECT_EQ(std::get<std::vector<std::uint8_t>>(read(one_bit, "x").frames()[0].pixels)[1], 255);
  EXPECT_EQ(read_labels(one_bit, "x").layers[0].at(1, 0, 0), 1);
}

TEST(Png, JpegGreyColourExifAndCmyk) {
  const Image grey = read(
      from_hex("ffd8ffe000104a46494600010100000100010000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f"
               "141d1a1f1e1d1a1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc0000b08000800080101"
               "1100ffc4001f0000010501010101010100000000000000000102030405060708090a0bffc400b51000020103030204030505"
               "04040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a"
               "25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a8384858687"
               "88898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2"
               "e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda0008010100003f00c3afffd9"),
      "x");
  EXPECT_EQ(std::get<std::vector<std::uint8_t>>(grey.frames()[0].pixels), std::vector<std::uint8_t>(64, 100));
  const Bytes colour = from_hex(
      "ffd8ffe000104a46494600010100000100010000ffe100224578696600004d4d002a00000008000101120003000000010006"
      "000000000000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d1a1f1e1d1a1c1c20242e2720"
      "222c231c1c2837292c30313434341f27393d38323c2e333432ffdb0043010909090c0b0c180d0d1832211c21323232323232"
      "3232323232323232323232323232323232323232323232323232323232323232323232323232323232323232ffc000110800"
      "08000803012200021101031101ffc4001f0000010501010101010100000000000000000102030405060708090a0bffc400b5"
      "100002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f024"
      "33627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a7374"
      "75767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9ca"
      "d2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffc4001f0100030101010101010101010000000000"
      "000102030405060708090a0bffc400b511000201020404030407050404000102770001020311040521310612415107617113"
      "22328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a53"
      "5455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aa"
      "b2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9faffda000c03"
      "010002110311003f008e8a28af9a3ec0ffd9");
  const Image turned = read(colour, "x");
  EXPECT_TRUE(says(turned, "exif_orientation_left"));
  EXPECT_NEAR(std::get<std::vector<Rgb8>>(turned.frames()[0].pixels)[9].red, 200, 2);
  EXPECT_TRUE(says(read(Bytes(colour.begin(), colour.end() - 6), "x"), "picture_damaged"));
  EXPECT_THROW((void)read_labels(colour, "x"), Error);
  EXPECT_NE(
      refusal(from_hex(
                  "ffd8ffee000e41646f626500640000000000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d"
                  "1a1f1e1d1a1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc00014080008000804431100"
                  "4d11005911004b1100ffc4001f0000010501010101010100000000000000000102030405060708090a0bffc400b510000201"
                  "0303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282"
                  "090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778"
                  "797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5"
                  "d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda000e0443004d0059004b00003f00f7eaf7daf7caf7baff"
                  "d9"))
          .find("CMYK"),
      std::string::npos);
}

TEST(Png, MalformedFilesAreNamed) {
  Bytes bytes = write(gradient(31, 17));
  EXPECT_NE(refusal(Bytes(bytes.begin(), bytes.begin() + 60)).find("x.png"), std::string::npos);
  Bytes damaged = bytes;
  damaged[damaged.size() / 2] ^= std::byte{0xFF};
  EXPECT_NE(refusal(damaged).find("x.png"), std::string::npos);
  EXPECT_NE(refusal(Bytes(bytes.begin(), bytes.begin() + 8)).find("cut off"), std::string::npos);
  EXPECT_NE(refusal(from_hex("ffd8ffe0")).find("x.png"), std::string::npos);
  EXPECT_FALSE(sniff(from_hex("0102")));
}

// Published: pixels as Pillow 12 reads them.
TEST(Png, RealFilesReadAsPublished) {
  const auto folder = test_data("us/hc18");
  if (!folder) GTEST_SKIP() << "data not here: us/hc18";
  std::optional<std::filesystem::path> file;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*folder))
    if (entry.path().extension() == ".jpg" && (!file || entry.path() < *file)) file = entry.path();
  if (!file) GTEST_SKIP() << "data not here: no picture in us/hc18";
  EXPECT_EQ(format_of(*file), "JPEG");
  const Image image = read_image(*file);
  EXPECT_GT(image.frames().front().width, 100);
}

}  // namespace
}  // namespace penta::io::png
