#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/error.h"
#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {
namespace {

std::string number_text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.8g", value);
  return buffer;
}

std::string vector_text(const std::vector<double>& values) {
  std::string out;
  for (const double value : values) out += (out.empty() ? "" : "\\") + number_text(value);
  return out;
}

// Phantom: a value that is linear in the patient's millimetres, so that every voxel tells where it lies.
double phantom(const PatientPoint& p) { return 5000 + 3 * p.x + 7 * p.y + 11 * p.z; }

struct Geometry {
  PatientPoint origin{-20, 30, -40};
  Vector3 row{1, 0, 0}, column{0, 1, 0};
  double x_mm = 2, y_mm = 1.5, z_mm = 3;
  int columns = 5, rows = 4;
};

Made slice(const Geometry& g, double height_mm, int number, Vector3 shift = {0, 0, 0}) {
  const Vector3 normal = cross(g.row, g.column);
  PatientPoint at{g.origin.x + height_mm * normal[0] + shift[0], g.origin.y + height_mm * normal[1] + shift[1],
                  g.origin.z + height_mm * normal[2] + shift[2]};
  Made made(mr_class, "MR", g.columns, g.rows);
  made.text(tag::sop_instance, "1.2.3.4." + std::to_string(number));
  made.text(tag::instance_number, std::to_string(number));
  made.text(tag::image_position, vector_text({at.x, at.y, at.z}));
  made.text(tag::image_orientation, vector_text({g.row[0], g.row[1], g.row[2], g.column[0], g.column[1], g.column[2]}));
  made.text(tag::pixel_spacing, vector_text({g.y_mm, g.x_mm})).text(tag::slice_thickness, number_text(g.z_mm));
  std::vector<std::uint16_t> values;
  for (int y = 0; y < g.rows; ++y)
    for (int x = 0; x < g.columns; ++x) {
      const PatientPoint p{at.x + x * g.x_mm * g.row[0] + y * g.y_mm * g.column[0],
                           at.y + x * g.x_mm * g.row[1] + y * g.y_mm * g.column[1],
                           at.z + x * g.x_mm * g.row[2] + y * g.y_mm * g.column[2]};
      values.push_back(static_cast<std::uint16_t>(std::lround(phantom(p))));
    }
  made.pixels(values);
  return made;
}

std::vector<std::string> codes(const std::vector<Remark>& remarks) {
  std::vector<std::string> out;
  for (const Remark& remark : remarks) out.push_back(remark.code);
  return out;
}

bool has_code(const std::vector<Remark>& remarks, const std::string& code) {
  const auto all = codes(remarks);
  return std::find(all.begin(), all.end(), code) != all.end();
}

Image read_folder(const TestFolder& folder) {
  const Catalogue catalogue = scan(folder.files());
  EXPECT_EQ(catalogue.series.size(), 1U);
  return std::get<Image>(read(catalogue.series.at(0)));
}

class Phantom : public ::testing::TestWithParam<Geometry> {};

TEST_P(Phantom, every_voxel_lies_where_the_patient_point_says) {
  const TestFolder folder;
  const Geometry g = GetParam();
  // Shuffled: neither the file names nor the instance numbers are in the order of the slices.
  const std::vector<int> order{4, 0, 5, 2, 1, 3};
  for (std::size_t i = 0; i < order.size(); ++i)
    folder.put("f" + std::to_string(i), slice(g, order[i] * g.z_mm, static_cast<int>(i)).bytes());
  const Image image = read_folder(folder);
  ASSERT_TRUE(image.is_volume());
  const auto volume = to_float(image.volume());
  const Grid& grid = volume.grid();
  EXPECT_EQ(grid.size(), (Size3{5, 4, 6}));
  EXPECT_NEAR(grid.spacing_mm()[2], 3, 1e-6);
  double worst = 0;
  for (std::int64_t z = 0; z < 6; ++z)
    for (std::int64_t y = 0; y < 4; ++y)
      for (std::int64_t x = 0; x < 5; ++x) {
        const auto p = grid.to_patient({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
        worst = std::max(worst, std::abs(volume.at(x, y, z) - phantom(p)));
      }
  EXPECT_LE(worst, 0.51);  // stored values are rounded to whole numbers
  EXPECT_EQ(image.acquisition.instances.size(), 6U);
}

const double c30 = std::sqrt(3.0) / 2;
INSTANTIATE_TEST_SUITE_P(Planes, Phantom,
                         ::testing::Values(Geometry{}, Geometry{.row = {1, 0, 0}, .column = {0, 0, -1}},
                                           Geometry{.row = {0, 1, 0}, .column = {0, 0, -1}},
                                           Geometry{.row = {c30, 0.5, 0}, .column = {-0.25, c30 / 2, -c30}},
                                           Geometry{.row = {-1, 0, 0}, .column = {0, 1, 0}}));

TEST(Scan, uneven_slices_are_a_stack) {
  const TestFolder folder;
  for (const double h : {0.0, 3.0, 6.0, 10.5, 13.5})
    folder.put(std::to_string(h), slice({}, h, static_cast<int>(h)).bytes());
  const Image image = read_folder(folder);
  const auto& stack = std::get<SliceStack>(image.pixels);
  EXPECT_EQ(stack.slices.size(), 5U);
  EXPECT_NE(stack.why.find("uneven"), std::string::npos);
  EXPECT_TRUE(has_code(image.remarks, "uneven_slices"));
  EXPECT_NEAR(stack.slices[3].origin_mm.z, -40 + 10.5, 1e-6);
}

TEST(Scan, missing_slice_is_named) {
  const TestFolder folder;
  for (const double h : {0.0, 3.0, 6.0, 12.0, 15.0})
    folder.put(std::to_string(h), slice({}, h, static_cast<int>(h)).bytes());
  const Catalogue catalogue = scan(folder.files());
  ASSERT_EQ(catalogue.series.size(), 1U);
  EXPECT_TRUE(has_code(catalogue.series[0].faults, "missing_slices"));
  EXPECT_TRUE(std::holds_alternative<SliceStack>(std::get<Image>(read(catalogue.series[0])).pixels));
}

TEST(Scan, tilted_slices_are_a_stack) {
  const TestFolder folder;
  for (int i = 0; i < 5; ++i) folder.put(std::to_string(i), slice({}, 3.0 * i, i, {0, 0.8 * i, 0}).bytes());
  const Image image = read_folder(folder);
  EXPECT_TRUE(has_code(image.remarks, "tilted"));
  EXPECT_TRUE(std::holds_alternative<SliceStack>(image.pixels));
}

TEST(Scan, repeated_places_become_volumes_by_time) {
  const TestFolder folder;
  for (int t = 0; t < 3; ++t)
    for (int z = 0; z < 4; ++z) {
      Made made = slice({}, 3.0 * z, 10 * t + z);
      made.text(tag::temporal_position, std::to_string(t + 1));
      folder.put(std::to_string(10 * t + z), made.bytes());
    }
  const Image image = read_folder(folder);
  EXPECT_EQ(std::get<VolumeSequence>(image.pixels).size(), 3U);
  EXPECT_EQ(image.axis, SequenceAxis::time);
}

TEST(Scan, different_images_at_one_place_are_a_stack_with_a_reason) {
  const TestFolder folder;
  for (const int i : {0, 1, 2, 3}) folder.put(std::to_string(i), slice({}, i == 3 ? 3.0 : 3.0 * i, i).bytes());
  const Image image = read_folder(folder);
  EXPECT_TRUE(has_code(image.remarks, "duplicate_slices"));
  EXPECT_TRUE(std::holds_alternative<SliceStack>(image.pixels));
}

TEST(Scan, a_copied_file_is_left_out_and_named) {
  const TestFolder folder;
  for (int i = 0; i < 3; ++i) folder.put(std::to_string(i), slice({}, 3.0 * i, i).bytes());
  folder.put("copy", slice({}, 3.0, 1).bytes());
  const Catalogue catalogue = scan(folder.files());
  ASSERT_EQ(catalogue.series.size(), 1U);
  EXPECT_EQ(catalogue.series[0].files.size(), 3U);
  EXPECT_TRUE(has_code(catalogue.series[0].faults, "duplicate_instance"));
}

TEST(Scan, localisers_and_studies_are_told_apart) {
  const TestFolder folder;
  for (int i = 0; i < 3; ++i) {
    folder.put("a" + std::to_string(i), slice({}, 3.0 * i, i).bytes());
    folder.put("b" + std::to_string(i), slice({}, 3.0 * i, i).text(tag::study_uid, "1.2.3.9").bytes());
  }
  folder.put("c", slice({.row = {1, 0, 0}, .column = {0, 0, -1}}, 0, 7).bytes());
  folder.put("d", slice({.columns = 6}, 0, 8).bytes());
  const Catalogue catalogue = scan(folder.files());
  EXPECT_EQ(catalogue.series.size(), 4U);
  EXPECT_EQ(catalogue.series.back().acquisition.study_uid, "1.2.3.9");
}

TEST(Scan, other_objects_and_other_files_are_rows_with_a_name) {
  const TestFolder folder;
  folder.put("kos", Made("1.2.840.10008.5.1.4.1.1.88.59", "KO", 0, 0).bytes());
  folder.put("empty_ct", Made(ct_class, "CT", 4, 4).bytes());
  folder.put("text", std::vector<std::byte>(300, std::byte{'a'}));
  auto cut = slice({}, 0, 1).text(tag::series_uid, "1.2.3.5").bytes();
  cut.resize(cut.size() - 5);
  folder.put("cut", cut);
  auto stump = slice({}, 0, 1).bytes();
  stump.resize(501);
  folder.put("stump", stump);
  const Catalogue catalogue = scan(folder.files());
  std::vector<std::string> found = codes(catalogue.faults);
  for (const Series& series : catalogue.series) {
    EXPECT_EQ(series.kind, SeriesKind::other);
    for (const std::string& code : codes(series.faults)) found.push_back(code);
    EXPECT_THROW(static_cast<void>(read(series)), Error);
  }
  std::sort(found.begin(), found.end());
  for (const char* code : {"no_pixels", "not_dicom", "truncated", "unsupported_sop_class"})
    EXPECT_TRUE(std::find(found.begin(), found.end(), code) != found.end()) << code;
  EXPECT_EQ(std::count(found.begin(), found.end(), "truncated"), 2);
}

TEST(Scan, bad_spacing_gives_a_picture_without_size) {
  const TestFolder folder;
  folder.put("a", slice({}, 0, 1).text(tag::pixel_spacing, "0\\0").bytes());
  const Image image = read_folder(folder);
  EXPECT_TRUE(has_code(image.remarks, "bad_spacing"));
  EXPECT_FALSE(image.frames().at(0).spacing_mm.has_value());
}

TEST(Scan, ct_values_are_hounsfield_units) {
  const TestFolder folder;
  Made made = slice({}, 0, 1);
  made.text(tag::sop_class, ct_class).text(tag::modality, "CT");
  made.text(tag::rescale_slope, "1").text(tag::rescale_intercept, "-1024");
  made.pixels(std::vector<std::uint16_t>(20, 1064));
  folder.put("a", made.bytes());
  const Image image = read_folder(folder);
  EXPECT_EQ(image.unit, "[hnsf'U]");
  const auto& volume = std::get<Volume<std::int16_t>>(image.volume());
  EXPECT_EQ(volume.at(0, 0, 0), 40);
}

TEST(Scan, latin1_text_becomes_utf8) {
  const TestFolder folder;
  Made made = slice({}, 0, 1);
  made.text(tag::character_set, "ISO_IR 100").text(tag::study_description, "Sch\xE4" "del");
  folder.put("a", made.bytes());
  const Catalogue catalogue = scan(folder.files());
  EXPECT_EQ(catalogue.series.at(0).acquisition.study_description, "Sch\xC3\xA4" "del");
}

// Found by the fuzzer: DCMTK sets aside what a value claims to have.
TEST(Scan, a_value_that_claims_four_gigabytes_is_a_fault) {
  const auto good = slice({}, 0, 1).text({0x0008, 0x2111}, "0123456789").bytes();
  // (0008,2111) becomes UT, and (0002,0001) keeps its OB: both have a length of 32 bits.
  const std::string text_header("\x08\x00\x11\x21", 4), version_header("\x02\x00\x01\x00", 4);
  const std::string huge_text("UT\0\0\xF0\xFF\xFF\xFF", 8), huge_bytes("OB\0\0\xF0\xFF\xFF\xFF", 8);
  for (const auto& [header, huge] : {std::pair(text_header, huge_text), std::pair(version_header, huge_bytes)}) {
    auto bytes = good;
    const auto at = std::search(bytes.begin(), bytes.end(), header.begin(), header.end(),
                                [](std::byte a, char b) { return a == static_cast<std::byte>(b); });
    ASSERT_NE(at, bytes.end());
    std::transform(huge.begin(), huge.end(), at + 4, [](char c) { return static_cast<std::byte>(c); });
    EXPECT_THROW(static_cast<void>(read_bytes(bytes, "claim")), Error);
  }
}

TEST(Scan, nested_sequences_end_at_a_limit) {
  for (const int depth : {20, 40, 3000}) {
    Made made = slice({}, 0, 1);
    DcmItem* item = &made.data();
    for (int i = 0; i < depth; ++i) item = &new_item(*item, {0x0008, 0x1140});
    set_text(*item, {0x0008, 0x1150}, "1.2");
    const auto bytes = made.bytes();
    if (depth <= 32) EXPECT_NO_THROW(static_cast<void>(read_bytes(bytes, "nested")));
    else EXPECT_THROW(static_cast<void>(read_bytes(bytes, "nested")), Error);
  }
}

}  // namespace
}  // namespace penta::io::dicom
