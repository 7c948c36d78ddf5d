#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "io/nifti/gzip.h"
#include "io/nifti/header.h"
#include "io/nifti/made_test.h"

namespace penta::io::nifti {
namespace {

Image image_of(const FileBytes& file) { return read(file.bytes(), "x.nii"); }

std::string text_of(const Image& image, std::string_view code) {
  for (const Remark& r : image.remarks)
    if (r.code == code) return r.text;
  return "no such remark";
}

FileBytes file_of(std::int16_t datatype, std::int16_t bits, std::vector<std::int64_t> dim) {
  return FileBytes(1, false, datatype, bits, std::move(dim)).diagonal(1, 1, 1);
}

/// What lies beside a header, in memory.
ReadBeside folder(std::map<std::string, Bytes> files) {
  return [files = std::move(files)](const std::string& name) {
    const auto it = files.find(name);
    if (it == files.end()) throw Error(Code::bad_input, "no file '" + name + "'");
    return it->second;
  };
}

/// The two files that `file` would be as a pair.
std::pair<Bytes, Bytes> split(const FileBytes& file, int version) {
  const Bytes& all = file.bytes();
  const auto start = all.begin() + (version == 1 ? 352 : 544);
  std::pair<Bytes, Bytes> out{{all.begin(), start}, {start, all.end()}};
  out.first[version == 1 ? 345 : 5] = std::byte{'i'};
  return out;
}

// Published: the value rule of the house, at the edges of float32 and int32.
TEST(NiftiValues, FloatThatFloat32CannotHoldSaysItsLargestError) {
  const Image lossy = image_of(file_of(64, 64, {2}).voxels<double>({16777217.5, 2}));
  EXPECT_EQ(only<float>(lossy).at(0, 0, 0), 16777218.0F);
  EXPECT_NE(text_of(lossy, "precision_lost").find("largest error is 0.5"), std::string::npos);
  const Image whole = image_of(file_of(64, 64, {2}).voxels<double>({16777217, -2147483648.0}));
  EXPECT_EQ(only<std::int32_t>(whole).at(0, 0, 0), 16777217);
  EXPECT_TRUE(whole.remarks.empty());
  const Image wide = image_of(file_of(64, 64, {2}).voxels<double>({1e300, 2}));
  EXPECT_TRUE(says(wide, "range_lost"));
  const Image odd = image_of(file_of(64, 64, {3}).voxels<double>({std::nan(""), 0.5, INFINITY}));
  EXPECT_TRUE(std::isnan(only<float>(odd).at(0, 0, 0)));
  EXPECT_EQ(only<float>(odd).at(2, 0, 0), INFINITY);
  EXPECT_TRUE(says(odd, "values_not_finite") && !says(odd, "precision_lost"));
}

TEST(NiftiValues, WideWholeNumbers) {
  const Image exact = image_of(file_of(1280, 64, {2}).voxels<std::uint64_t>({1ULL << 63U, 0}));
  EXPECT_EQ(only<float>(exact).at(0, 0, 0), 9223372036854775808.0F);
  EXPECT_FALSE(says(exact, "precision_lost"));
  const Image lossy = image_of(file_of(1024, 64, {2}).voxels<std::int64_t>({(1LL << 40) + 3, 0}));
  EXPECT_NE(text_of(lossy, "precision_lost").find("largest error is 3"), std::string::npos);
  const Image edge = image_of(file_of(1024, 64, {2}).voxels<std::int64_t>({-2147483648LL, 2147483647}));
  EXPECT_EQ(only<std::int32_t>(edge).at(0, 0, 0), std::numeric_limits<std::int32_t>::min());
}

TEST(NiftiValues, WholeSlopesKeepWholeNumbers) {
  const Image hounsfield = image_of(file_of(512, 16, {2}).scale(1, -1024).voxels<std::uint16_t>({0, 4095}));
  EXPECT_EQ(only<std::int16_t>(hounsfield).at(0, 0, 0), -1024);
  EXPECT_EQ(only<std::int16_t>(hounsfield).at(1, 0, 0), 3071);
  const Image bytes = image_of(file_of(2, 8, {2}).scale(2, 1).voxels<std::uint8_t>({0, 127}));
  EXPECT_EQ(only<std::uint8_t>(bytes).at(1, 0, 0), 255);
  const Image wide = image_of(file_of(4, 16, {2}).scale(70000, 0).voxels<std::int16_t>({-1, 30000}));
  EXPECT_EQ(only<std::int32_t>(wide).at(1, 0, 0), 2100000000);
  const Image beyond = image_of(file_of(8, 32, {2}).scale(3, 0).voxels<std::int32_t>({-1, 2000000001}));
  EXPECT_EQ(only<float>(beyond).at(0, 0, 0), -3.0F);
  EXPECT_NE(text_of(beyond, "precision_lost").find("largest error is 3"), std::string::npos);
}

TEST(NiftiValues, ComplexOfFloat64) {
  const Image image = image_of(file_of(1792, 128, {1}).voxels<double>({0.1, -2}));
  EXPECT_EQ(only<std::complex<float>>(image).at(0, 0, 0), (std::complex<float>{0.1F, -2}));
  EXPECT_NE(text_of(image, "precision_lost").find("largest error is 1.49e-09"), std::string::npos);
}

TEST(NiftiValues, BitsAlphaAndColourVectors) {
  const Image bits = image_of(file_of(1, 1, {5, 1, 1, 2}).voxels<std::uint8_t>({0b10010110, 0b00000001}));
  const auto& volumes = std::get<VolumeSequence>(bits.pixels);
  const auto first = std::get<Volume<std::uint8_t>>(volumes[0]).voxels();
  const auto second = std::get<Volume<std::uint8_t>>(volumes[1]).voxels();
  EXPECT_EQ(std::vector<int>(first.begin(), first.end()), (std::vector<int>{0, 1, 1, 0, 1}));
  EXPECT_EQ(std::vector<int>(second.begin(), second.end()), (std::vector<int>{0, 0, 1, 1, 0}));
  const auto rgba = [](std::uint8_t alpha) {
    return image_of(file_of(2304, 32, {2}).voxels<std::uint8_t>({1, 2, 3, 255, 4, 5, 6, alpha}));
  };
  EXPECT_EQ(only<Rgb8>(rgba(255)).at(1, 0, 0), (Rgb8{4, 5, 6}));
  EXPECT_FALSE(says(rgba(255), "alpha_dropped"));
  EXPECT_TRUE(says(rgba(254), "alpha_dropped"));
  const Image vector = image_of(
      file_of(2, 8, {2, 1, 1, 1, 3}).put<std::int16_t>(68, 2003).voxels<std::uint8_t>({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(only<Rgb8>(vector).at(1, 0, 0), (Rgb8{2, 4, 6}));
}

// Inverse: what dim[5] holds goes back to dim[5].
TEST(NiftiValues, VectorsAreComponentsAndDisplacementsAreRefused) {
  const auto file = [](std::int16_t intent) {
    return file_of(16, 32, {2, 1, 1, 1, 3}).put(68, intent).voxels<float>({1, 2, 3, 4, 5, 6});
  };
  const Image vector = image_of(file(1007));
  EXPECT_EQ(vector.axis, SequenceAxis::component);
  EXPECT_EQ(std::get<VolumeSequence>(vector.pixels).size(), 3U);
  const Bytes again = write(vector, Compression::none);
  EXPECT_EQ(load<std::int16_t>(again.data() + 40, false), 5);
  EXPECT_EQ(load<std::int16_t>(again.data() + 50, false), 3);
  EXPECT_EQ(read(again, "x").axis, SequenceAxis::component);
  EXPECT_NE(refusal(file(1006).bytes()).find("displacement field"), std::string::npos);
}

// Inverse: a pair of either version and byte order, packed and plain.
TEST(NiftiPair, VoxelsComeFromTheFileBeside) {
  for (const int version : {1, 2})
    for (const bool big : {false, true}) {
      FileBytes file(version, big, 4, 16, {2, 1, 1});
      file.diagonal(1, 1, 1).voxels<std::int16_t>({-5, 300});
      if (version == 1) file.put<float>(108, 0);
      if (version == 2) file.put<std::int64_t>(168, 0);
      const auto [header, voxels] = split(file, version);
      EXPECT_TRUE(sniff(header));
      const Image plain = read(header, "/a/b/x.hdr", folder({{"x.img", voxels}}));
      EXPECT_EQ(only<std::int16_t>(plain).at(1, 0, 0), 300);
      const Image packed = read(gzip(header), "x.hdr.gz", folder({{"x.img.gz", gzip(voxels)}}));
      EXPECT_EQ(only<std::int16_t>(packed).at(0, 0, 0), -5);
      EXPECT_EQ(only<std::int16_t>(read(header, "X.HDR", folder({{"X.IMG", voxels}}))).at(0, 0, 0), -5);
      EXPECT_THROW((void)read(header, "x.hdr", folder({})), Error);
      EXPECT_THROW((void)read(header, "x.hdr", folder({{"x.img", Bytes(3)}})), Error);
    }
}

TEST(NiftiPair, InverseOfWritePairIsRead) {
  Image image;
  VolumeSequence volumes;
  volumes.emplace_back(Volume<float>(Grid({3, 2, 2}, {1, 2, 3}, {4, 5, 6})));
  std::get<Volume<float>>(volumes[0]).at(2, 1, 1) = 7.5F;
  image.pixels = std::move(volumes);
  const Pair pair = write_pair(image);
  const Image back = read(pair.header, "a.hdr", folder({{"a.img", pair.voxels}}));
  EXPECT_EQ(only<float>(back).at(2, 1, 1), 7.5F);
  EXPECT_TRUE(grid_of(back.volume()).same_as(grid_of(image.volume()), 1e-6));
  EXPECT_TRUE(back.remarks.empty());
}

// Published: dbh.h of ANALYZE 7.5; orient 0 has x run to the left, so LPS x and RAS y and z run with the indices.
TEST(NiftiPair, AnalyzeIsReadAndItsOrientationIsUnknown) {
  FileBytes file(1, true, 4, 16, {2, 1, 1});
  auto [header, voxels] = split(file.pixdim(1, 2).put<float>(108, 0).voxels<std::int16_t>({1, 2}), 1);
  std::fill(header.begin() + 344, header.end(), std::byte{0});
  header.resize(348);
  ASSERT_TRUE(sniff(header));
  const Image image = read(header, "x.hdr", folder({{"x.img", voxels}}));
  EXPECT_TRUE(says(image, "orientation_unknown"));
  EXPECT_EQ(only<std::int16_t>(image).at(1, 0, 0), 2);
  EXPECT_EQ(grid_of(image.volume()).to_patient({1, 0, 0}), (PatientPoint{2, 0, 0}));
  EXPECT_EQ(grid_of(image.volume()).axis(1), (Vector3{0, -1, 0}));
}

TEST(NiftiRules, TimeUnits) {
  const auto times = [](int unit) {
    FileBytes file = file_of(2, 8, {1, 1, 1, 3});
    return image_of(file.units(2 + unit).pixdim(4, 1500).voxels<std::uint8_t>({1, 2, 3})).axis_values;
  };
  EXPECT_EQ(times(8), (std::vector<double>{0, 1500, 3000}));
  EXPECT_EQ(times(16), (std::vector<double>{0, 1.5, 3}));
  EXPECT_NEAR(times(24)[1], 1.5e-3, 1e-12);
  EXPECT_TRUE(times(0).empty());
  EXPECT_TRUE(times(32).empty());
}

TEST(NiftiRules, TheSformStandsInForABadPixdim) {
  const auto with = [](double pixdim) {
    return image_of(file_of(2, 8, {2, 1, 1}).pixdim(1, pixdim).voxels<std::uint8_t>({1, 2}));
  };
  EXPECT_TRUE(says(with(0), "pixdim_wrong"));
  EXPECT_EQ(grid_of(with(0).volume()).spacing_mm()[0], 1);
  EXPECT_TRUE(says(with(1.5), "pixdim_sform_disagree"));
  EXPECT_TRUE(says(with(-1), "negative_spacing"));
}

TEST(NiftiRules, QuaternionsQfacAndCodes) {
  const auto quaternion = [](double b, double qfac) {
    FileBytes file(1, false, 2, 8, {2, 2, 2});
    return image_of(file.qform(1).pixdim(0, qfac).number(256, 352, b).voxels(std::vector<std::uint8_t>(8)));
  };
  const Image longer = quaternion(2, 1);  // a half turn about x
  EXPECT_TRUE(says(longer, "quaternion_not_normal"));
  EXPECT_EQ(grid_of(longer.volume()).axis(2)[2], -1);
  EXPECT_EQ(grid_of(quaternion(0, -1).volume()).axis(2)[2], -1);
  EXPECT_EQ(grid_of(quaternion(0, 0).volume()).axis(2)[2], 1);
  EXPECT_TRUE(says(quaternion(0, 3), "qfac_unusual"));
  const Image mni = image_of(file_of(2, 8, {1}).sform(4).voxels<std::uint8_t>({1}));
  EXPECT_NE(text_of(mni, "space_of_file").find("MNI152"), std::string::npos);
  EXPECT_FALSE(says(image_of(file_of(2, 8, {1}).voxels<std::uint8_t>({1})), "space_of_file"));
}

// Phantom: the sform of a gantry tilt puts each slice where the file says, and no volume is claimed.
TEST(NiftiRules, SlantedSlicesAreKeptOneByOne) {
  FileBytes file = file_of(4, 16, {2, 2, 3});
  file.srow(1, {0, 1, -0.5, 10}).srow(2, {0, 0, -2, 20});
  const Image image = image_of(file.voxels<std::int16_t>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  const auto& stack = std::get<SliceStack>(image.pixels);
  ASSERT_EQ(stack.slices.size(), 3U);
  EXPECT_TRUE(says(image, "slices_slanted"));
  const Vector3 normal = cross(stack.row_axis, stack.column_axis);
  EXPECT_LT(dot(normal, {0, 0, stack.slices[0].origin_mm.z}), dot(normal, {0, 0, stack.slices[2].origin_mm.z}));
  for (const auto& slice : stack.slices) {
    const double z = (20 - slice.origin_mm.z) / 2;  // the file's slice number
    EXPECT_EQ(slice.pixels[3], 4 * z + 3);
    EXPECT_EQ(slice.origin_mm.y, -(10 - 0.5 * z));
  }
}

TEST(NiftiRules, ExtensionsAreNoVoxelsAndAZeroDimBeyondSpaceIsOne) {
  FileBytes file = file_of(2, 8, {2, 1, 1});
  file.put<float>(108, 384).put<std::uint8_t>(348, 1);
  file.put<std::int32_t>(352, 32).put<std::int32_t>(356, 6).put<std::uint8_t>(383, 77);
  EXPECT_EQ(only<std::uint8_t>(image_of(file.voxels<std::uint8_t>({8, 9}))).at(0, 0, 0), 8);
  EXPECT_TRUE(says(image_of(file_of(2, 8, {1, 1, 1, 0}).voxels<std::uint8_t>({1})), "dim_wrong"));
}

// Inverse: NIfTI-2 where NIfTI-1 cannot count so far.
TEST(NiftiWrite, LongAxesMakeNifti2) {
  Image image;
  VolumeSequence volumes;
  volumes.emplace_back(Volume<std::uint8_t>(Grid({40000, 1, 2}, {0.1, 0.3, 0.7}, {-31.51, 12.27, 100.13})));
  std::get<Volume<std::uint8_t>>(volumes[0]).at(39999, 0, 1) = 9;
  image.pixels = std::move(volumes);
  for (const Compression compression : {Compression::none, Compression::gzip}) {
    const Image back = read(write(image, compression), "x");
    EXPECT_EQ(only<std::uint8_t>(back).at(39999, 0, 1), 9);
    EXPECT_TRUE(grid_of(back.volume()).same_as(grid_of(image.volume()), 1e-9));
    EXPECT_TRUE(back.remarks.empty());
  }
  const Pair pair = write_pair(image);
  EXPECT_EQ(only<std::uint8_t>(read(pair.header, "a.hdr", folder({{"a.img", pair.voxels}}))).at(39999, 0, 1), 9);
}

TEST(NiftiWrite, HeaderSaysTimeAndLabels) {
  Image image;
  VolumeSequence volumes;
  for (int t = 0; t < 3; ++t) volumes.emplace_back(Volume<std::uint8_t>(Grid({2, 2, 2}, {1, 1, 1})));
  image.pixels = std::move(volumes);
  image.axis = SequenceAxis::time;
  image.axis_values = {10, 12.5, 15};
  const Bytes timed = write(image, Compression::none);
  EXPECT_EQ(load<float>(timed.data() + 92, false), 2.5F);
  EXPECT_EQ(timed[123], std::byte{2 + 8});
  image.axis_values = {0, 1, 7};
  EXPECT_EQ(write(image, Compression::none)[123], std::byte{2});
  LabelMap labels;
  labels.layers.emplace_back(Grid({2, 1, 1}, {1, 1, 1}));
  EXPECT_EQ(load<std::int16_t>(write(labels, 0, Compression::none).data() + 68, false), 1002);
}

Bytes noise(std::size_t count) {
  Bytes bytes(count);
  std::uint32_t state = 1;
  for (std::byte& b : bytes) b = static_cast<std::byte>((state = state * 1664525U + 1013904223U) >> 28U);
  return bytes;
}

// Inverse and twin: members side by side, one after the other through zlib, and cut at any place.
TEST(NiftiGzip, MembersAreReadInParallelAndInARow) {
  const Bytes plain = noise(5 << 20);
  const std::array<std::span<const std::byte>, 2> pieces{std::span(plain).first(352), std::span(plain).subspan(352)};
  const Bytes packed = gzip_members(pieces);
  EXPECT_EQ(gunzip(packed, plain.size(), "x"), plain);
  EXPECT_EQ(gunzip_head(packed, plain.size()), plain);
  EXPECT_EQ(gunzip(packed, plain.size() - 7, "x"), Bytes(plain.begin(), plain.end() - 7));
  Bytes damaged = packed;
  damaged[packed.size() / 2] ^= std::byte{1};
  EXPECT_THROW((void)gunzip(damaged, plain.size(), "x"), Error);
  EXPECT_THROW((void)gunzip(std::span(packed).first(packed.size() - 1), plain.size(), "x"), Error);
}

TEST(NiftiGzip, WhatFollowsIsSaid) {
  const FileBytes file = file_of(2, 8, {2, 1, 1}).voxels<std::uint8_t>({7, 9});
  const auto with = [&](std::byte value) {
    Bytes packed = gzip(file.bytes());
    packed.insert(packed.end(), 40, value);
    return read(packed, "x");
  };
  EXPECT_NE(text_of(with(std::byte{0}), "trailing_bytes").find("zeros"), std::string::npos);
  EXPECT_NE(text_of(with(std::byte{5}), "trailing_bytes").find("no gzip"), std::string::npos);
  EXPECT_TRUE(says(read(FileBytes(file).voxels<std::uint8_t>({1}).bytes(), "x"), "trailing_bytes"));
  EXPECT_TRUE(read(gzip(file.bytes()), "x").remarks.empty());
}

TEST(NiftiGzip, ABombIsRefusedBeforeItIsUnpacked) {
  EXPECT_THROW(check_expansion(600ULL << 20U, 1 << 20, "x"), Error);
  EXPECT_NO_THROW(check_expansion(500ULL << 20U, 1 << 20, "x"));
  EXPECT_NO_THROW(check_expansion(600ULL << 20U, 4 << 20, "x"));
  EXPECT_THROW(check_expansion(1 << 20, 100, "x"), Error);
}

}  // namespace
}  // namespace penta::io::nifti
