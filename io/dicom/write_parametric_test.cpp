#include "io/dicom/write_parametric.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <iterator>
#include <limits>

#include "core/error.h"
#include "core/random.h"
#include "core/test_data.h"
#include "io/dicom/internal.h"
#include "io/dicom/made_test.h"
#include "io/dicom/orientations_test.h"
#include "io/dicom/read_parametric.h"

namespace penta::io::dicom {
namespace {

Provenance provenance() { return {"mr.adc", "1", "0.1.0", "seed", "20260102030405", false}; }
MappedQuantity adc() { return {{"DCM", "113041", "Apparent Diffusion Coefficient"}, "ADC"}; }

// Twelve right-handed orientations: reading sorts slices along the cross product of rows and columns.
std::vector<Matrix3> right_handed() {
  return {{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},   {{{-1, 0, 0}, {0, -1, 0}, {0, 0, 1}}},
          {{{1, 0, 0}, {0, -1, 0}, {0, 0, -1}}}, {{{0, 0, 1}, {1, 0, 0}, {0, 1, 0}}},
          {{{0, 0, -1}, {1, 0, 0}, {0, -1, 0}}}, {{{1, 0, 0}, {0, 0, 1}, {0, -1, 0}}},
          {{{0, 1, 0}, {0, 0, 1}, {1, 0, 0}}},   {{{0, -1, 0}, {0, 0, -1}, {1, 0, 0}}},
          {{{0, 1, 0}, {1, 0, 0}, {0, 0, -1}}},  turned(0.3, 0.0),
          turned(0.2, 0.5),                      turned(-1.1, 2.0)};
}

Image random_map(const Grid& grid, std::uint64_t seed) {
  Random random(seed);
  Volume<float> volume(grid);
  for (float& voxel : volume.voxels()) voxel = static_cast<float>(random.normal() * 1e-3);
  volume.voxels()[1] = std::numeric_limits<float>::quiet_NaN();
  volume.voxels()[2] = -0.0F;
  volume.voxels()[3] = std::numeric_limits<float>::denorm_min();
  Image image;
  VolumeSequence volumes;
  volumes.emplace_back(std::move(volume));
  image.pixels = std::move(volumes);
  image.unit = "mm2/s";
  return image;
}

// Inverse: every bit of every float, the grid, unit and quantity.
TEST(DicomParametricMap, inverse_on_twelve_orientations) {
  std::uint64_t seed = 1;
  for (const Matrix3& direction : right_handed()) {
    SCOPED_TRACE(seed);
    const Grid grid({7, 5, 4}, {0.7, 1.3, 2.9}, {-31.7, 12.25, 803.125}, direction);
    const Image map = random_map(grid, seed++);
    const auto bytes = write_parametric_map(map, adc(), Image{}, provenance());
    const Image read = std::get<Image>(read_bytes(bytes, "map"));
    EXPECT_EQ(read.unit, "mm2/s");
    EXPECT_EQ(read.quantity, adc().code);
    EXPECT_TRUE(grid_of(read.volume()).same_as(grid, 1e-6));
    const auto first = std::get<Volume<float>>(map.volume()).voxels();
    const auto second = std::get<Volume<float>>(read.volume()).voxels();
    EXPECT_TRUE(std::equal(first.begin(), first.end(), second.begin(), second.end(), [](float a, float b) {
      return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
    }));
  }
}

TEST(DicomParametricMap, frames_refer_to_the_slices_of_the_source) {
  const Grid grid({4, 4, 3}, {1, 1, 2});
  Image map = random_map(grid, 1), source = random_map(grid, 2);
  source.acquisition.series_uid = "1.2.3";
  source.acquisition.dicom_modality = "MR";
  for (const char* uid : {"1.2.3.1", "1.2.3.2", "1.2.3.3"})
    source.acquisition.instances.push_back({"1.2.840.10008.5.1.4.1.1.4", uid, 0});
  const auto bytes = write_parametric_map(map, adc(), source, provenance());
  const Object object = load({"map", {}, bytes}, true);
  const auto frames = items(object.data(), tag::per_frame_groups);
  ASSERT_EQ(frames.size(), 3U);
  DcmItem* derivation = first_item(*frames[2], {0x0008, 0x9124});
  ASSERT_NE(derivation, nullptr);
  EXPECT_EQ(text(*first_item(*derivation, {0x0008, 0x2112}), {0x0008, 0x1155}), "1.2.3.3");
  EXPECT_EQ(text(object.data(), tag::modality), "MR");
  EXPECT_EQ(items(*first_item(object.data(), {0x0008, 0x1115}), {0x0008, 0x114A}).size(), 3U);
}

TEST(DicomParametricMap, pictures_and_colours_are_refused) {
  Image map;
  map.pixels = FrameSequence{};
  EXPECT_THROW(static_cast<void>(write_parametric_map(map, adc(), Image{}, provenance())), Error);
  VolumeSequence volumes;
  volumes.emplace_back(Volume<Rgb8>(Grid({2, 2, 2}, {1, 1, 1})));
  map.pixels = std::move(volumes);
  EXPECT_THROW(static_cast<void>(write_parametric_map(map, adc(), Image{}, provenance())), Error);
}

// Phantom: 16-bit stored values, whose mapping differs by frame.
TEST(DicomParametricMap, integers_are_mapped_frame_by_frame) {
  Made made("1.2.840.10008.5.1.4.1.1.30", "MR", 2, 2);
  made.text(tag::number_of_frames, "2");
  DcmItem& shared = new_item(made.data(), tag::shared_groups);
  set_text(new_item(shared, {0x0020, 0x9116}), tag::image_orientation, "1\\0\\0\\0\\1\\0");
  set_text(new_item(shared, {0x0028, 0x9110}), tag::pixel_spacing, "1\\1");
  for (const char* slope : {"0.5", "0.25"}) {
    DcmItem& frame = new_item(made.data(), tag::per_frame_groups);
    const bool first = slope == std::string("0.5");
    set_text(new_item(frame, {0x0020, 0x9113}), tag::image_position, first ? "0\\0\\0" : "0\\0\\2");
    DcmItem& mapping = new_item(frame, {0x0040, 0x9096});
    set_text(mapping, {0x0040, 0x9225}, slope);
    set_text(mapping, {0x0040, 0x9224}, "-1");
    DcmItem& unit = new_item(mapping, {0x0040, 0x08EA});
    set_text(unit, tag::code_value, "ms");
    set_text(unit, {0x0008, 0x0102}, "UCUM");
  }
  const auto bytes = made.pixels({4, 4, 4, 4, 8, 8, 8, 12}).bytes();
  const Image map = std::get<Image>(read_bytes(bytes, "map"));
  EXPECT_EQ(map.unit, "ms");
  const auto volume = to_float(map.volume());
  EXPECT_EQ(volume.at(0, 0, 0), 1);
  EXPECT_EQ(volume.at(0, 0, 1), 1);
  EXPECT_EQ(volume.at(1, 1, 1), 2);
}

std::vector<std::byte> bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// Published: pydicom's files of one map as float and as double; 64 bits do not fit, and the remark says by how much.
TEST(DicomParametricMap, published_float_and_double) {
  const auto single = test_data("dicom/pydicom-data/parametric_map_float.dcm");
  const auto twice = test_data("dicom/pydicom-data/parametric_map_double_float.dcm");
  if (!single || !twice) GTEST_SKIP() << "data not here: dicom/pydicom-data/parametric_map_float.dcm";
  const Image a = std::get<Image>(read_bytes(bytes_of(*single), "float"));
  const Image b = std::get<Image>(read_bytes(bytes_of(*twice), "double"));
  EXPECT_EQ(a.unit, "1");
  const auto first = std::get<Volume<float>>(a.volume()).voxels();
  const auto second = std::get<Volume<float>>(b.volume()).voxels();
  ASSERT_EQ(first.size(), 128U * 128U);
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(first[i], second[i], 1e-6);
}

}  // namespace
}  // namespace penta::io::dicom
