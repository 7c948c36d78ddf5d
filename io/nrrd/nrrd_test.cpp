#include "io/nrrd/nrrd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>

#include "core/error.h"
#include "core/test_data.h"
#include "io/formats.h"

namespace penta::io::nrrd {
namespace {

using Bytes = std::vector<std::byte>;

/// A header without its empty line, and voxels behind it.
template <class T>
Bytes file(const std::string& head, const std::vector<T>& voxels, bool big = false) {
  const std::string text = head + "\n";
  const auto raw = std::as_bytes(std::span(text));
  Bytes bytes(raw.begin(), raw.end());
  for (const T& voxel : voxels) {
    auto one = std::bit_cast<std::array<std::byte, sizeof(T)>>(voxel);
    if (big) std::reverse(one.begin(), one.end());
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  return bytes;
}

std::string refusal(const Bytes& bytes) {
  try {
    (void)read(bytes, "x.nrrd");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::bad_input);
    return error.what();
  }
  return "read without an error";
}

bool says(const Image& image, std::string_view code) {
  return std::any_of(image.remarks.begin(), image.remarks.end(), [&](const Remark& r) { return r.code == code; });
}

std::string placed(const std::string& space, const std::string& directions = "(2,0,0) (0,3,0) (0,0,4)") {
  return "NRRD0004\ntype: uint8\ndimension: 3\nspace: " + space + "\nsizes: 2 1 1\nspace directions: " + directions +
         "\nspace origin: (10,20,30)\nencoding: raw\n";
}

template <class Stored, class T>
void expect_type(const std::string& type, const std::vector<Stored>& stored, const std::vector<T>& wanted) {
  for (const bool big : {false, true}) {
    const Bytes bytes = file("NRRD0001\ntype: " + type + "\ndimension: 3\nsizes: 2 1 1\nspacings: 1 1 1\nendian: " +
                                 (big ? "big" : "little") + "\nencoding: raw\n",
                             stored, big);
    const Image image = read(bytes, "x");
    const auto voxels = std::get<Volume<T>>(image.volume()).voxels();
    EXPECT_EQ(std::vector<T>(voxels.begin(), voxels.end()), wanted) << type << " big " << big;
  }
}

// Published: the types of the format's definition, both byte orders.
TEST(Nrrd, EveryTypeBecomesTheNearestVoxelType) {
  expect_type<std::int8_t, std::int16_t>("signed char", {-128, 7}, {-128, 7});
  expect_type<std::uint8_t, std::uint8_t>("uchar", {255, 7}, {255, 7});
  expect_type<std::int16_t, std::int16_t>("short", {-32768, 7}, {-32768, 7});
  expect_type<std::uint16_t, std::uint16_t>("unsigned short", {65535, 7}, {65535, 7});
  expect_type<std::int32_t, std::int32_t>("int", {-70000, 7}, {-70000, 7});
  expect_type<std::uint32_t, std::int32_t>("uint32_t", {70000, 7}, {70000, 7});
  expect_type<std::int64_t, std::int32_t>("longlong", {-3, 7}, {-3, 7});
  expect_type<std::uint64_t, std::int32_t>("uint64", {3, 7}, {3, 7});
  expect_type<float, float>("float", {-0.5F, 1e9F}, {-0.5F, 1e9F});
  expect_type<double, float>("double", {-0.5, 0.25}, {-0.5F, 0.25F});
}

// Published: the spaces of the format's definition, section 3.
TEST(Nrrd, SpacesBecomeLps) {
  const auto origin = [](const std::string& space) {
    return grid_of(read(file<std::uint8_t>(placed(space), {1, 2}), "x").volume()).origin_mm();
  };
  for (const char* name : {"left-posterior-superior", "LPS"}) EXPECT_EQ(origin(name), (PatientPoint{10, 20, 30}));
  for (const char* name : {"right-anterior-superior", "RAS"}) EXPECT_EQ(origin(name), (PatientPoint{-10, -20, 30}));
  for (const char* name : {"Left-Anterior-Superior", "LAS"}) EXPECT_EQ(origin(name), (PatientPoint{10, -20, 30}));
  const Image ras = read(file<std::uint8_t>(placed("RAS"), {1, 2}), "x");
  EXPECT_EQ(grid_of(ras.volume()).axis(0), (Vector3{-1, 0, 0}));
  EXPECT_EQ(grid_of(ras.volume()).spacing_mm(), (Vector3{2, 3, 4}));
  EXPECT_TRUE(ras.remarks.empty());
  EXPECT_TRUE(says(read(file<std::uint8_t>(placed("scanner-xyz"), {1, 2}), "x"), "orientation_unknown"));
  EXPECT_NE(refusal(file<std::uint8_t>(placed("upside-down"), {1, 2})).find("upside-down"), std::string::npos);
}

TEST(Nrrd, AxesOutsideSpace) {
  const std::string start =
      "NRRD0005\n# a comment\nkey:=value\r\ntype: uint8\ndimension: 4\nspace: LPS\nencoding: raw\n";
  const Image colour = read(file<std::uint8_t>(start + "sizes: 3 2 1 1\nkinds: vector domain domain domain\n"
                                                       "space directions: none (1, 0, 0) (0, 1, 0) (0, 0, 1)\n",
                                               {1, 2, 3, 4, 5, 6}),
                            "x");
  EXPECT_EQ(std::get<Volume<Rgb8>>(colour.volume()).at(1, 0, 0), (Rgb8{4, 5, 6}));
  const std::string directions = "space directions: none (1,0,0) (0,1,0) (0,0,1)\n";
  const Image first = read(
      file<std::uint8_t>(start + "sizes: 3 2 1 1\nkinds: list domain domain domain\n" + directions, {1, 2, 3, 4, 5, 6}),
      "x");
  const auto& volumes = std::get<VolumeSequence>(first.pixels);
  ASSERT_EQ(volumes.size(), 3U);
  EXPECT_EQ(std::get<Volume<std::uint8_t>>(volumes[1]).at(0, 0, 0), 2);
  EXPECT_EQ(std::get<Volume<std::uint8_t>>(volumes[1]).at(1, 0, 0), 5);
  const Image last = read(file<std::uint8_t>(start + "sizes: 2 1 1 2\nkinds: domain domain domain time\n"
                                                     "space directions: (1,0,0) (0,1,0) (0,0,1) (nan,nan,nan)\n",
                                             {1, 2, 3, 4}),
                          "x");
  EXPECT_EQ(std::get<Volume<std::uint8_t>>(std::get<VolumeSequence>(last.pixels)[1]).at(0, 0, 0), 3);
  EXPECT_NE(refusal(file<std::uint8_t>(
                        start + "sizes: 6 1 1 1\nkinds: 3D-symmetric-matrix domain domain domain\n" + directions,
                        {1, 2, 3, 4, 5, 6}))
                .find("6 components"),
            std::string::npos);
}

TEST(Nrrd, PicturesHaveOneSlice) {
  const Image flat =
      read(file<std::uint8_t>("NRRD0004\ntype: uchar\ndimension: 2\nspace: LPS\nsizes: 2 1\n"
                              "space directions: (0,2,0) (0,0,3)\nspace origin: (0,0,0)\nencoding: raw\n",
                              {1, 2}),
           "x");
  EXPECT_EQ(grid_of(flat.volume()).axis(2), (Vector3{1, 0, 0}));
  const Image bare =
      read(file<std::uint8_t>("NRRD0001\ntype: uchar\ndimension: 2\nsizes: 2 1\nencoding: raw\n", {1, 2}), "x");
  EXPECT_TRUE(says(bare, "spacing_unknown"));
  EXPECT_TRUE(says(bare, "orientation_unknown"));
}

TEST(Nrrd, WhatIsWrongIsNamed) {
  const auto refused = [](const std::string& head, const char* text) {
    const std::string why = refusal(file<std::uint8_t>(head, {1, 2}));
    EXPECT_NE(why.find(text), std::string::npos) << why;
    EXPECT_NE(why.find("x.nrrd"), std::string::npos) << why;
  };
  const auto with = [](const std::string& from, const std::string& to) {
    std::string head = placed("LPS");
    return head.replace(head.find(from), from.size(), to);
  };
  refused(placed("LPS") + "data file: brain.raw\n", "brain.raw");
  refused(placed("LPS") + "datafile: LIST", "LIST");
  refused(placed("LPS", "(0,0,0) (0,3,0) (0,0,4)"), "space directions");
  refused(placed("LPS", "(nan,0,0) (0,3,0) (0,0,4)"), "space directions");
  refused(placed("LPS", "(2,0,0) (1,3,0) (0,0,4)"), "sheared");
  refused(placed("LPS", "(2,0,0) (0,3,0)"), "space directions");
  refused(placed("LPS", "(2,0,0) (0,3,0) (0,0"), "space directions");
  refused(placed("LPS", "(2,0,0) (0,3,0) (0,0,x)"), "space directions");
  refused(with("2 1 1", "3 1 1"), "cut off");
  refused(with("2 1 1", "2 0 1"), "sizes");
  refused(with("2 1 1", "2 1"), "sizes");
  refused(with("2 1 1", "4000000 4000000 4000000"), "8 GiB");
  refused(with("2 1 1", "9223372036854775807 2 2"), "8 GiB");
  refused(with("dimension: 3", "dimension: 17"), "dimension");
  refused(with("uint8", "block"), "block");
  refused(with("uint8", "int16"), "endian");
  refused(with("raw", "bzip2"), "bzip2");
  refused(with("raw", "ascii"), "ascii");
  refused(with("raw", "gzip"), "gzip");
  refused(with("encoding: raw", "encoding: raw\nline skip: 2"), "line skip");
  refused(with("raw", "hex"), "hex");
  refused(with("raw", "zrl"), "zrl");
  refused(with("encoding: raw", "encoding: raw\nbyte skip: -2"), "byte skip");
  refused(with("encoding: raw", "encoding: raw\ntype: float"), "twice");
  refused(with("encoding: raw", "encoding raw"), "colon");
  refused("NRRD0001\ntype: uchar\ndimension: 2\nsizes: 2 1\nspacings: 0 1\nencoding: raw\n", "spacings");
  EXPECT_NE(refusal(Bytes{}).find("magic"), std::string::npos);
}

TEST(Nrrd, BytesAreSkippedAsAsked) {
  const auto first = [](const std::string& skip, const std::vector<std::uint8_t>& voxels) {
    const Image image = read(file(placed("LPS") + "byte skip: " + skip + "\n", voxels), "x");
    return std::get<Volume<std::uint8_t>>(image.volume()).at(0, 0, 0);
  };
  EXPECT_EQ(first("1", {9, 1, 2}), 1);
  EXPECT_EQ(first("-1", {9, 9, 1, 2}), 1);
}

// Published: VoxelNum of brain1 in the baselines of pyradiomics (baseline_firstorder.csv).
TEST(Nrrd, BrainOfPyradiomics) {
  const auto folder = test_data("multi/pyradiomics");
  if (!folder) GTEST_SKIP() << "data not here: multi/pyradiomics";
  const LabelMap labels = io::read_labels(*folder / "brain1_label.nrrd");
  EXPECT_EQ(labels.grid().size(), (Size3{256, 256, 25}));
  EXPECT_FALSE(labels.planar);
  ASSERT_EQ(labels.segments.size(), 1U);
  EXPECT_EQ(voxel_count(labels, labels.segments[0]), 4137);
  EXPECT_TRUE(io::read_image(*folder / "brain1_image.nrrd").is_volume());
}

// Inverse: two voxels, 1 and 258, however they lie.
TEST(Nrrd, VoxelsInOtherFilesAndAsText) {
  const auto values = [](const std::string& more, const std::string& encoding,
                         const std::map<std::string, std::string>& there, const std::string& behind = "") {
    const std::string head =
        "NRRD0005\ntype: uint16\ndimension: 3\nspace: LPS\nsizes: 2 1 1\nspace directions: (2,0,0) "
        "(0,3,0) (0,0,4)\nendian: little\nencoding: " +
        encoding + "\n" + more + behind;
    const auto raw = std::as_bytes(std::span(head));
    const Image image = read(raw, "x.nhdr", [&](const std::string& name) {
      const auto bytes = std::as_bytes(std::span(there.at(name)));
      return Bytes(bytes.begin(), bytes.end());
    });
    const auto voxels = std::get<Volume<std::uint16_t>>(image.volume()).voxels();
    return std::vector<int>(voxels.begin(), voxels.end());
  };
  const std::vector<int> wanted{1, 258};
  const std::string one("\x01\x00", 2), two("\x02\x01", 2);
  EXPECT_EQ(values("data file: a.raw\n", "raw", {{"a.raw", one + two}}), wanted);
  EXPECT_EQ(values("data file: a.raw", "raw", {{"a.raw", one + two}}), wanted);
  EXPECT_EQ(values("line skip: 1\nbyte skip: 2\ndata file: a.raw\n\n", "raw", {{"a.raw", "title\nxx" + one + two}}),
            wanted);
  EXPECT_EQ(values("byte skip: -1\ndata file: a.raw\n", "raw", {{"a.raw", "title\nxx" + one + two}}), wanted);
  EXPECT_EQ(values("data file: LIST\na.raw\nb.raw\n", "raw", {{"a.raw", one}, {"b.raw", two}}), wanted);
  EXPECT_EQ(values("data file: s%03d.raw 10 9 -1\n", "raw", {{"s010.raw", one}, {"s009.raw", two}}), wanted);
  EXPECT_EQ(values("\n", "ascii", {}, " 1, 258\n"), wanted);
  EXPECT_EQ(values("data file: a.txt\n", "txt", {{"a.txt", "1\n258"}}), wanted);
  EXPECT_EQ(values("\n", "hex", {}, "0100 0\n201"), wanted);
  // bzip2 -9 of the four bytes.
  const std::string packed(
      "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x40\xa5\x3b\x8b\x00\x00\x00\xc0\x00"
      "\x70\x00\x20\x00\x21\x98\x19\x83\x2c\x2e\xe4\x8a\x70\xa1\x20\x81\x4a\x77\x16",
      38);
  EXPECT_EQ(values("data file: a.bz2\n", "bzip2", {{"a.bz2", packed}}), wanted);
}

// Published: SimpleITK 2.5 on the same file.
TEST(Nrrd, PublishedPairOfItk) {
  const auto path = test_data("mr/itk-examples/BrainT1SliceBorder20DirectionPlus30.nhdr");
  if (!path) GTEST_SKIP() << "data not here: mr/itk-examples";
  const Image image = read_image(*path);
  std::int64_t sum = 0;
  for (const std::uint8_t v : std::get<Volume<std::uint8_t>>(image.volume()).voxels()) sum += v;
  EXPECT_EQ(sum, 2671939);
  EXPECT_NEAR(grid_of(image.volume()).axis(0)[1], 0.5, 1e-6);
  EXPECT_TRUE(says(image, "orientation_unknown"));
}

}  // namespace
}  // namespace penta::io::nrrd
