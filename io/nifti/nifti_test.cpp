#include "io/nifti/nifti.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "core/test_data.h"
#include "io/formats.h"
#include "io/nifti/gzip.h"
#include "io/nifti/made_test.h"

namespace penta::io::nifti {
namespace {

template <class T, class Stored>
void expect_type(std::int16_t datatype, std::vector<Stored> stored, std::vector<T> wanted) {
  for (const int version : {1, 2})
    for (const bool big : {false, true}) {
      FileBytes file(version, big, datatype, 8 * sizeof(Stored), {2, 1, 1});
      file.diagonal(1, 1, 1).voxels(stored);
      const Image image = read(file.bytes(), "x.nii");
      const auto voxels = only<T>(image).voxels();
      EXPECT_EQ(std::vector<T>(voxels.begin(), voxels.end()), wanted) << datatype << " v" << version << " big " << big;
    }
}

// Published: the datatypes of nifti1.h, both versions and byte orders.
TEST(Nifti, EveryDatatypeBecomesTheNearestVoxelType) {
  expect_type<std::uint8_t, std::uint8_t>(2, {0, 255}, {0, 255});
  expect_type<std::int16_t, std::int16_t>(4, {-32768, 7}, {-32768, 7});
  expect_type<std::int32_t, std::int32_t>(8, {-70000, 7}, {-70000, 7});
  expect_type<float, float>(16, {-0.5F, 1e9F}, {-0.5F, 1e9F});
  expect_type<float, double>(64, {-0.5, 0.1}, {-0.5F, 0.1F});
  expect_type<std::int16_t, std::int8_t>(256, {-128, 7}, {-128, 7});
  expect_type<std::uint16_t, std::uint16_t>(512, {65535, 7}, {65535, 7});
  expect_type<std::int32_t, std::uint32_t>(768, {70000, 7}, {70000, 7});
  expect_type<float, std::uint32_t>(768, {4294967295U, 7}, {4294967296.0F, 7});
  expect_type<std::int32_t, std::int64_t>(1024, {-3, 7}, {-3, 7});
  expect_type<float, std::int64_t>(1024, {1LL << 40, 7}, {1099511627776.0F, 7});
  expect_type<std::int32_t, std::uint64_t>(1280, {3, 7}, {3, 7});
}

TEST(Nifti, ComplexAndColourVoxels) {
  const Image complex =
      read(FileBytes(1, true, 32, 64, {2}).diagonal(1, 1, 1).voxels<float>({1, 2, 3, 4}).bytes(), "x");
  EXPECT_EQ(only<std::complex<float>>(complex).at(1, 0, 0), (std::complex<float>{3, 4}));
  const Image colour =
      read(FileBytes(1, false, 128, 24, {2}).diagonal(1, 1, 1).voxels<std::uint8_t>({1, 2, 3, 4, 5, 6}).bytes(), "x");
  EXPECT_EQ(only<Rgb8>(colour).at(1, 0, 0), (Rgb8{4, 5, 6}));
}

TEST(Nifti, LossesAreSaid) {
  FileBytes exact(1, false, 64, 64, {2}), lossy(1, false, 64, 64, {2}), wide(1, false, 1024, 64, {2});
  EXPECT_FALSE(says(read(exact.diagonal(1, 1, 1).voxels<double>({0.5, 2}).bytes(), "x"), "precision_lost"));
  EXPECT_TRUE(says(read(lossy.diagonal(1, 1, 1).voxels<double>({0.1, 2}).bytes(), "x"), "precision_lost"));
  EXPECT_TRUE(
      says(read(wide.diagonal(1, 1, 1).voxels<std::int64_t>({(1LL << 40) + 1, 2}).bytes(), "x"), "precision_lost"));
}

TEST(Nifti, SlopeAndInterceptApplyAndZeroSlopeMeansNone) {
  const auto file = [](double slope, double intercept) {
    return read(FileBytes(1, false, 4, 16, {2})
                    .diagonal(1, 1, 1)
                    .scale(slope, intercept)
                    .voxels<std::int16_t>({10, -4})
                    .bytes(),
                "x");
  };
  EXPECT_FLOAT_EQ(only<float>(file(0.5, -1024)).at(1, 0, 0), -1026.0F);
  EXPECT_EQ(only<std::int16_t>(file(0, 5)).at(1, 0, 0), -4);
  EXPECT_EQ(only<std::int16_t>(file(1, 0)).at(1, 0, 0), -4);
  EXPECT_TRUE(says(file(std::nan(""), 0), "scaling_not_finite"));
}

TEST(Nifti, RasBecomesLps) {
  const Image image = read(FileBytes(1, false, 2, 8, {1, 1, 1})
                               .sform(1)
                               .srow(0, {0, 0, -2, 11})
                               .srow(1, {3, 0, 0, 12})
                               .srow(2, {0, 4, 0, 13})
                               .voxels<std::uint8_t>({1})
                               .bytes(),
                           "x");
  const Grid& grid = grid_of(image.volume());
  EXPECT_EQ(grid.spacing_mm(), (Vector3{3, 4, 2}));
  EXPECT_EQ(grid.origin_mm(), (PatientPoint{-11, -12, 13}));
  EXPECT_EQ(grid.axis(0), (Vector3{0, -1, 0}));
  EXPECT_EQ(grid.axis(1), (Vector3{0, 0, 1}));
  EXPECT_EQ(grid.axis(2), (Vector3{1, 0, 0}));
}

TEST(Nifti, UnitsOfLength) {
  const auto spacing = [](int units) {
    return grid_of(read(FileBytes(2, false, 2, 8, {1}).units(units).diagonal(3, 3, 3).voxels<std::uint8_t>({1}).bytes(),
                        "x")
                       .volume())
        .spacing_mm()[0];
  };
  EXPECT_DOUBLE_EQ(spacing(1), 3000);
  EXPECT_DOUBLE_EQ(spacing(2), 3);
  EXPECT_DOUBLE_EQ(spacing(3), 0.003);
}

TEST(Nifti, SformGoesBeforeQformAndDisagreementIsSaid) {
  const Image image = read(FileBytes(1, false, 2, 8, {2, 2, 2})
                               .diagonal(1, 1, 1)
                               .qform(1)
                               .number(268, 376, 20)
                               .voxels(std::vector<std::uint8_t>(8))
                               .bytes(),
                           "x");
  EXPECT_EQ(grid_of(image.volume()).origin_mm(), PatientPoint{});
  EXPECT_TRUE(says(image, "sform_qform_disagree"));
}

TEST(Nifti, ShearIsRefusedUnlessTheQformIsGood) {
  FileBytes file(1, false, 2, 8, {2, 2, 2});
  file.diagonal(1, 1, 1).srow(1, {0.2, 1, 0, 0}).voxels(std::vector<std::uint8_t>(8));
  EXPECT_NE(refusal(file.bytes()).find("sheared"), std::string::npos);
  EXPECT_TRUE(says(read(file.qform(1).bytes(), "x"), "sform_left"));
}

TEST(Nifti, WithoutSformAndQformOnlyPixdimIsKnown) {
  const Image image =
      read(FileBytes(1, false, 2, 8, {2, 1, 1}).pixdim(1, 2.5).voxels<std::uint8_t>({1, 2}).bytes(), "x");
  EXPECT_TRUE(says(image, "orientation_unknown"));
  EXPECT_EQ(grid_of(image.volume()).spacing_mm()[0], 2.5);
}

TEST(Nifti, BadHeadersAreNamed) {
  const auto base = [] { return FileBytes(1, false, 2, 8, {2, 1, 1}).diagonal(1, 1, 1); };
  const auto qform = [&] { return base().sform(0).qform(1); };
  EXPECT_NE(refusal(qform().pixdim(1, 0).voxels<std::uint8_t>({1, 2}).bytes()).find("pixdim[1]"), std::string::npos);
  EXPECT_NE(refusal(qform().pixdim(2, std::nan("")).voxels<std::uint8_t>({1, 2}).bytes()).find("pixdim[2]"),
            std::string::npos);
  EXPECT_NE(refusal(base().voxels<std::uint8_t>({1}).bytes()).find("cut off"), std::string::npos);
  EXPECT_NE(refusal(base().set_dim(0, 9).bytes()).find("dim[0]"), std::string::npos);
  EXPECT_NE(refusal(base().set_dim(2, -1).bytes()).find("dim[2]"), std::string::npos);
  EXPECT_NE(refusal(base().set_dim(0, 5).set_dim(4, 2).set_dim(5, 3).bytes()).find("dim[5]"), std::string::npos);
  EXPECT_NE(refusal(base().set_dim(0, 6).set_dim(4, 1).set_dim(5, 1).set_dim(6, 2).bytes()).find("dim[6]"),
            std::string::npos);
  EXPECT_NE(refusal(base().put<std::int16_t>(70, 1536).bytes()).find("float128"), std::string::npos);
  EXPECT_NE(refusal(base().put<std::int16_t>(70, 2048).bytes()).find("complex256"), std::string::npos);
  EXPECT_NE(refusal(base().put(345, 'i').bytes()).find(".img"), std::string::npos);
  EXPECT_NE(refusal(base().put(344, '\0').bytes()).find(".img"), std::string::npos);
  EXPECT_NE(refusal(base().put(344, '\0').put<std::int16_t>(72, 7).bytes()).find("ANALYZE"), std::string::npos);
  EXPECT_NE(refusal(base().put<float>(108, -3.0F).bytes()).find("vox_offset"), std::string::npos);
  EXPECT_NE(refusal(base().set_dim(1, 30000).set_dim(2, 30000).set_dim(3, 30000).bytes()).find("8 GiB"),
            std::string::npos);
  EXPECT_NE(refusal(Bytes(10)).find("sizeof_hdr"), std::string::npos);
}

TEST(Nifti, GzipOfSeveralMembersTrailingBytesAndDamage) {
  const Bytes plain = FileBytes(1, false, 2, 8, {2, 1, 1}).diagonal(1, 1, 1).voxels<std::uint8_t>({7, 9}).bytes();
  const std::span all(plain);
  Bytes packed = gzip(all.first(100));
  for (const std::byte b : gzip(all.subspan(100))) packed.push_back(b);
  EXPECT_TRUE(sniff(packed));
  EXPECT_EQ(only<std::uint8_t>(read(packed, "x")).at(1, 0, 0), 9);
  Bytes longer = packed;
  longer.insert(longer.end(), 40, std::byte{0x55});
  EXPECT_EQ(only<std::uint8_t>(read(longer, "x")).at(1, 0, 0), 9);
  Bytes more_inside = plain;
  more_inside.insert(more_inside.end(), 5000, std::byte{3});
  EXPECT_EQ(only<std::uint8_t>(read(gzip(more_inside), "x")).at(1, 0, 0), 9);
  EXPECT_NE(refusal(Bytes(packed.begin(), packed.end() - 20)).find("cut off"), std::string::npos);
  EXPECT_FALSE(sniff(gzip(all.subspan(10))));
}

// A header that announces gigabytes in a few bytes must not make us allocate them.
TEST(Nifti, AnAnnouncedSizeThatGzipCannotHoldIsRefused) {
  const Bytes bytes = gzip(FileBytes(1, false, 2, 8, {2000, 2000, 2000}).diagonal(1, 1, 1).bytes());
  EXPECT_NE(refusal(bytes).find("announces"), std::string::npos);
}

std::vector<Matrix3> orientations() {
  std::vector<Matrix3> all;
  const std::array<std::array<std::size_t, 3>, 6> orders{
      {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  for (const auto& order : orders)
    for (const double sign : {1.0, -1.0}) {
      Matrix3 m{};
      for (std::size_t c = 0; c < 3; ++c) m[order[c]][c] = c == 1 ? sign : 1.0;
      all.push_back(m);
    }
  const double a = 0.4, b = 0.7;
  all.push_back({{{std::cos(a), -std::sin(a) * std::cos(b), std::sin(a) * std::sin(b)},
                  {std::sin(a), std::cos(a) * std::cos(b), -std::cos(a) * std::sin(b)},
                  {0, std::sin(b), std::cos(b)}}});
  return all;
}

template <Voxel T>
void expect_inverse(const Matrix3& direction) {
  Random random(7);
  Image image;
  VolumeSequence volumes;
  for (int t = 0; t < 2; ++t) {
    Volume<T> volume(Grid({3, 4, 5}, {0.7, 1.3, 2.5}, {-31.5, 12.25, 100.125}, direction));
    auto bytes = std::as_writable_bytes(volume.voxels());
    for (std::byte& b : bytes) b = static_cast<std::byte>(random.bits() & 0x3FU);
    volumes.emplace_back(std::move(volume));
  }
  image.pixels = std::move(volumes);
  image.axis = SequenceAxis::time;
  image.axis_values = {0, 2.5};
  const Image back = read(write(image), "x");
  const auto& first = std::get<VolumeSequence>(image.pixels);
  const auto& second = std::get<VolumeSequence>(back.pixels);
  ASSERT_EQ(second.size(), 2U);
  for (std::size_t t = 0; t < 2; ++t) {
    const auto a = std::as_bytes(std::get<Volume<T>>(first[t]).voxels());
    const auto b = std::as_bytes(std::get<Volume<T>>(second[t]).voxels());
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    EXPECT_TRUE(grid_of(first[t]).same_as(grid_of(second[t]), 1e-4));  // float32 header fields
  }
  EXPECT_EQ(back.axis_values, image.axis_values);
  EXPECT_TRUE(back.remarks.empty());
}

TEST(Nifti, InverseOfWriteIsReadInEveryOrientationAndType) {
  for (const Matrix3& direction : orientations()) {
    expect_inverse<std::uint8_t>(direction);
    expect_inverse<std::int16_t>(direction);
    expect_inverse<std::uint16_t>(direction);
    expect_inverse<std::int32_t>(direction);
    expect_inverse<float>(direction);
    expect_inverse<std::complex<float>>(direction);
    expect_inverse<Rgb8>(direction);
  }
}

// The qform alone must place the voxels as the sform does.
TEST(Nifti, WrittenQformAgreesWithSform) {
  for (const Matrix3& direction : orientations()) {
    Image image;
    VolumeSequence volumes;
    volumes.emplace_back(Volume<std::uint8_t>(Grid({3, 4, 5}, {0.7, 1.3, 2.5}, {-31.5, 12.25, 100.125}, direction)));
    image.pixels = std::move(volumes);
    const Bytes packed = write(image);
    Bytes bytes = gunzip(packed, 352 + 60, "x");
    bytes[254] = std::byte{0};
    EXPECT_TRUE(grid_of(read(bytes, "x").volume()).same_as(grid_of(image.volume()), 1e-3));
  }
}

TEST(Nifti, WrittenBytesAreTheSameEachTime) {
  const auto make = [] {
    Image image;
    VolumeSequence volumes;
    volumes.emplace_back(Volume<float>(Grid({3, 4, 5}, {1, 1, 1})));
    image.pixels = std::move(volumes);
    return write(image);
  };
  EXPECT_EQ(make(), make());
}

TEST(Nifti, InverseOfLabels) {
  LabelMap labels;
  labels.layers.emplace_back(Grid({3, 2, 2}, {1, 1, 2}, {5, 6, 7}));
  labels.layers[0].at(1, 1, 1) = 300;
  labels.layers[0].at(2, 0, 1) = 2;
  const LabelMap back = read_labels(write(labels), "x");
  EXPECT_EQ(back.layers[0].at(1, 1, 1), 300);
  ASSERT_EQ(back.segments.size(), 2U);
  EXPECT_EQ(back.segments[1].name, "label 300");
  EXPECT_TRUE(back.grid().same_as(labels.grid()));
  labels.planar = true;
  const LabelMap cine = read_labels(write(labels), "x");
  EXPECT_TRUE(cine.planar);
  EXPECT_EQ(cine.layers[0].at(2, 0, 1), 2);
  Bytes halves = FileBytes(1, false, 16, 32, {2}).diagonal(1, 1, 1).voxels<float>({0.5F, 1}).bytes();
  EXPECT_THROW((void)read_labels(halves, "x"), Error);
}

double sum_of(const Image& image) {
  double sum = 0;
  for (const AnyVolume& volume : std::get<VolumeSequence>(image.pixels)) {
    const Volume<float> numbers = to_float(volume);
    for (const float v : numbers.voxels()) sum += static_cast<double>(v);
  }
  return sum;
}

// Published: shapes, sums and affines (x and y negated: RAS to LPS) as nibabel 5.4.2 reads them.
TEST(Nifti, PublishedFilesOfNibabel) {
  const auto folder = test_data("mr/nibabel-formats");
  if (!folder) GTEST_SKIP() << "data not here: mr/nibabel-formats";
  const Image oblique = read_image(*folder / "example4d.nii.gz");
  const auto& volumes = std::get<VolumeSequence>(oblique.pixels);
  EXPECT_EQ(volumes.size(), 2U);
  EXPECT_EQ(oblique.axis, SequenceAxis::time);
  const Grid& grid = grid_of(volumes[0]);
  EXPECT_EQ(grid.size(), (Size3{128, 96, 24}));
  EXPECT_NEAR(grid.origin_mm().x, -117.855, 1e-3);
  EXPECT_NEAR(grid.origin_mm().y, 35.723, 1e-3);
  EXPECT_NEAR(grid.axis(2)[1] * grid.spacing_mm()[2], 0.356, 1e-3);
  EXPECT_NEAR(grid.axis(2)[2] * grid.spacing_mm()[2], 2.171, 1e-3);
  EXPECT_EQ(sum_of(oblique), 101985356);
  const Image second = read_image(*folder / "example_nifti2.nii.gz");
  EXPECT_EQ(grid_of(std::get<VolumeSequence>(second.pixels)[0]).size(), (Size3{32, 20, 12}));
  EXPECT_EQ(sum_of(second), 6926802);
  EXPECT_EQ(sum_of(read_image(*folder / "anatomical.nii")), 284166082);  // big-endian
  EXPECT_NEAR(sum_of(read_image(*folder / "functional.nii")), 77913290.36, 10);  // scaled
}

}  // namespace
}  // namespace penta::io::nifti
