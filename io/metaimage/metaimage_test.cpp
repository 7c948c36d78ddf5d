#include "io/metaimage/metaimage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <complex>
#include <map>

#include "core/error.h"
#include "core/test_data.h"
#include "io/formats.h"

namespace penta::io::metaimage {
namespace {

using Bytes = std::vector<std::byte>;

const std::string good =
    "ObjectType = Image\r\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = False\n"
    "TransformMatrix = 0 1 0 -1 0 0 0 0 1\nOffset = 10 20 30\nCenterOfRotation = 0 0 0\nAnatomicalOrientation = RAI\n"
    "ElementSpacing = 2 3 4\nDimSize = 2 1 1\nElementType = MET_USHORT\nElementDataFile = LOCAL\n";

/// `good` with one thing changed, and the voxels 1 and 258, low byte first.
Bytes file(const std::string& from = "", const std::string& to = "") {
  std::string head = good;
  if (!from.empty()) head.replace(head.find(from), from.size(), to);
  head += std::string("\x01\x00\x02\x01", 4);
  const auto raw = std::as_bytes(std::span(head));
  return {raw.begin(), raw.end()};
}

bool says(const Image& image, std::string_view code) {
  return std::any_of(image.remarks.begin(), image.remarks.end(), [&](const Remark& r) { return r.code == code; });
}

// Published: MetaImageIO of ITK takes NDims numbers after each other as the direction of one index axis.
TEST(MetaImage, AFileByHand) {
  const Image image = read(file(), "x");
  const auto& volume = std::get<Volume<std::uint16_t>>(image.volume());
  EXPECT_EQ(volume.at(0, 0, 0), 1);
  EXPECT_EQ(volume.at(1, 0, 0), 258);
  EXPECT_EQ(volume.grid().axis(0), (Vector3{0, 1, 0}));
  EXPECT_EQ(volume.grid().axis(1), (Vector3{-1, 0, 0}));
  EXPECT_EQ(volume.grid().spacing_mm(), (Vector3{2, 3, 4}));
  EXPECT_EQ(volume.grid().origin_mm(), (PatientPoint{10, 20, 30}));
  EXPECT_TRUE(image.remarks.empty());
}

TEST(MetaImage, OtherSpellingsAndWhatTheyMean) {
  const Image big = read(file("MSB = False", "MSB = True"), "x");
  EXPECT_EQ(std::get<Volume<std::uint16_t>>(big.volume()).at(1, 0, 0), 513);
  EXPECT_EQ(grid_of(read(file("Offset", "Position"), "x").volume()).origin_mm(), (PatientPoint{10, 20, 30}));
  EXPECT_EQ(grid_of(read(file("TransformMatrix", "Orientation"), "x").volume()).axis(0), (Vector3{0, 1, 0}));
  EXPECT_TRUE(says(read(file("TransformMatrix = 0 1 0 -1 0 0 0 0 1\nOffset = 10 20 30\nCenterOfRotation = 0 0 0\n"
                             "AnatomicalOrientation = RAI",
                             "AnatomicalOrientation = RPS"),
                        "x"),
                   "orientation_unknown"));
  // RAI says from where the axes run: to the left, the back and the head.
  EXPECT_FALSE(says(read(file("TransformMatrix", "Unknown"), "x"), "orientation_unknown"));
  EXPECT_TRUE(says(read(file("DimSize", "ElementSize = 1 1 1\nDimSize"), "x"), "element_size_left"));
  EXPECT_TRUE(says(read(file("ElementSpacing", "Unknown"), "x"), "spacing_unknown"));
  const Image scaled = read(file("DimSize", "ElementToIntensityFunctionSlope = 0.5\nDimSize"), "x");
  EXPECT_EQ(std::get<Volume<float>>(scaled.volume()).at(1, 0, 0), 129.0F);
}

TEST(MetaImage, WhatIsWrongIsNamed) {
  const auto refused = [](const char* from, const char* to, const char* text) {
    try {
      (void)read(file(from, to), "x.mha");
      ADD_FAILURE() << "read with " << to;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::bad_input);
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("x.mha"), std::string::npos) << error.what();
    }
  };
  refused("LOCAL", "brain.raw", "brain.raw");
  refused("LOCAL", "LIST", "LIST");
  refused("NDims = 3", "NDims = 5", "NDims");
  refused("NDims = 3", "NDims = three", "NDims");
  refused("= 2 1 1", "= 2 1", "DimSize");
  refused("= 2 1 1", "= 3 1 1", "cut off");
  refused("= 2 1 1", "= 2 -1 1", "DimSize");
  refused("= 2 1 1", "= 4000000 4000000 4000000", "8 GiB");
  refused("= 2 3 4", "= 0 3 4", "ElementSpacing");
  refused("= 2 3 4", "= nan 3 4", "ElementSpacing");
  refused("= 2 3 4", "= inf 3 4", "TransformMatrix");
  refused("= 0 1 0 -1 0 0 0 0 1", "= 0 1 0 -1 0.5 0 0 0 1", "sheared");
  refused("= 0 1 0 -1 0 0 0 0 1", "= 0 0 0 0 0 0 0 0 0", "TransformMatrix");
  refused("= 0 1 0 -1 0 0 0 0 1", "= 0 1 0 -1", "TransformMatrix");
  refused("MET_USHORT", "MET_STRING", "MET_STRING");
  refused("DimSize", "ElementNumberOfChannels = 2\nDimSize", "ElementNumberOfChannels");
  refused("DimSize", "HeaderSize = 7\nDimSize", "HeaderSize");
  refused("DimSize", "NDims = 2\nDimSize", "twice");
  refused("BinaryData = True", "BinaryData = False", "BinaryData");
  refused("CompressedData = False", "CompressedData = True", "zlib");
  refused("= Image", "= Tube", "Tube");
  refused("DimSize", "junk\nDimSize", "'='");
}

/// The header alone, with its voxels in what `there` gives by name.
Image detached(const std::string& from, const std::string& to, const std::map<std::string, std::string>& there) {
  std::string head = good;
  head.replace(head.find("LOCAL"), 5, "a.raw");
  if (!from.empty()) head.replace(head.find(from), from.size(), to);
  const auto raw = std::as_bytes(std::span(head));
  return read(raw.first(raw.size() - (head.ends_with('\n') ? 1 : 0)), "x.mhd", [&](const std::string& name) {
    const auto bytes = std::as_bytes(std::span(there.at(name)));
    return Bytes(bytes.begin(), bytes.end());
  });
}

// Inverse: 1 and 258 however they lie.
TEST(MetaImage, VoxelsInOtherFiles) {
  const auto values = [](const Image& image) {
    const auto voxels = std::get<Volume<std::uint16_t>>(image.volume()).voxels();
    return std::vector<int>(voxels.begin(), voxels.end());
  };
  const std::vector<int> wanted{1, 258};
  const std::string one("\x01\x00", 2), two("\x02\x01", 2);
  EXPECT_EQ(values(detached("", "", {{"a.raw", one + two}})), wanted);
  EXPECT_EQ(values(detached("DimSize", "HeaderSize = 3\nDimSize", {{"a.raw", "abc" + one + two}})), wanted);
  EXPECT_EQ(values(detached("DimSize", "HeaderSize = -1\nDimSize", {{"a.raw", "abcdef" + one + two}})), wanted);
  EXPECT_EQ(values(detached("a.raw", "LIST\na.raw\nb.raw", {{"a.raw", one}, {"b.raw", two}})), wanted);
  EXPECT_EQ(values(detached("a.raw", "s%02d.raw 9 10 1", {{"s09.raw", one}, {"s10.raw", two}})), wanted);
  EXPECT_EQ(values(detached("BinaryData = True", "BinaryData = False", {{"a.raw", " 1\n258 "}})), wanted);
  const auto refused = [](const std::string& from, const std::string& to, const std::string& data) {
    EXPECT_THROW((void)detached(from, to, {{"a.raw", data}, {"s1.raw", data}, {"s2.raw", data}, {"s3.raw", data}}),
                 Error)
        << to;
  };
  refused("", "", one);
  refused("a.raw", "LIST", one);
  refused("a.raw", "s%d.raw 1 3 1", one);  // three files for two voxels
  refused("a.raw", "s%d.raw 3 1 1", one);
  refused("a.raw", "s%d%d.raw 1 2 1", one);
  refused("a.raw", "s%s.raw 1 2 1", one);
  refused("BinaryData = True", "BinaryData = False", "1 65536");
}

TEST(MetaImage, InverseComplex) {
  Image image;
  VolumeSequence volumes;
  Volume<std::complex<float>> volume(Grid({2, 1, 1}, {1, 2, 3}));
  volume.voxels()[1] = {-1.5F, 0x1p-140F};
  volumes.emplace_back(std::move(volume));
  image.pixels = std::move(volumes);
  const Image again = read(write(image), "x.mha");
  EXPECT_EQ(std::get<Volume<std::complex<float>>>(again.volume()).voxels()[1], (std::complex<float>{-1.5F, 0x1p-140F}));
  EXPECT_TRUE(says(again, "channels_as_complex"));
}

template <class T>
double sum(const Image& image) {
  const auto voxels = std::get<Volume<T>>(image.volume()).voxels();
  double total = 0;
  for (const T v : voxels) total += static_cast<double>(v);
  return total;
}

// Published: SimpleITK 2.5 on the same files; us/rf-itk/SOURCE.md.
TEST(MetaImage, RadioFrequencyLinesOfAMouse) {
  const auto path = test_data("us/rf-itk/MouseLiverRF.mha"), b_mode = test_data("us/rf-itk/MouseLiverB.mha");
  if (!path || !b_mode) GTEST_SKIP() << "data not here: us/rf-itk";
  const Image rf = read_image(*path);
  EXPECT_EQ(grid_of(rf.volume()).size(), (Size3{1536, 128, 4}));
  EXPECT_EQ(grid_of(rf.volume()).spacing_mm(), (Vector3{0.0128417, 0.1, 0.1}));
  EXPECT_EQ(sum<std::int32_t>(rf), -31074794);
  const Image b = read_image(*b_mode);
  EXPECT_EQ(grid_of(b.volume()).axis(0), (Vector3{0, 1, 0}));
  EXPECT_EQ(sum<std::uint8_t>(b), 10733023);
}

TEST(MetaImage, PublishedPairsOfItk) {
  if (!test_data("mr/itk-examples")) GTEST_SKIP() << "data not here: mr/itk-examples";
  const Image raw =
      read_image(*test_data("mr/itk-examples/BrainProtonDensity3Slices.mha"));  // its voxels lie in a .raw
  EXPECT_EQ(sum<std::uint8_t>(raw), 14725708);
  const Image packed =
      read_image(*test_data("mr/itk-examples/BrainProtonDensitySliceShifted13x17yDirectionPlus30.mhd"));
  EXPECT_EQ(sum<std::uint8_t>(packed), 4861905);
  EXPECT_NEAR(grid_of(packed.volume()).axis(0)[1], 0.5, 1e-6);
  const Image complex = read_image(*test_data("mr/itk-examples/itkBrainSliceComplex.mha"));
  EXPECT_TRUE(std::holds_alternative<Volume<std::complex<float>>>(complex.volume()));
}

}  // namespace
}  // namespace penta::io::metaimage
