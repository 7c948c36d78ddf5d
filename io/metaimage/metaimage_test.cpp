#include "io/metaimage/metaimage.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"

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
  EXPECT_TRUE(says(read(file("TransformMatrix", "Unknown"), "x"), "orientation_unknown"));
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

}  // namespace
}  // namespace penta::io::metaimage
