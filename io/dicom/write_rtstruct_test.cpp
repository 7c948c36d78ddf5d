#include "io/dicom/write_rtstruct.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "core/error.h"
#include "core/test_data.h"
#include "image/rasterize/polygon.h"
#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {
namespace {

Provenance provenance() { return {"ct.body", "1", "0.1.0", "seed", "20260102030405", false}; }

Image source_on(const Grid& grid) {
  Image image;
  VolumeSequence volumes;
  volumes.emplace_back(Volume<std::int16_t>(grid));
  image.pixels = std::move(volumes);
  Acquisition& a = image.acquisition;
  a.modality = "CT", a.dicom_modality = "CT";
  a.study_uid = "1.2.3", a.series_uid = "1.2.3.4", a.frame_of_reference_uid = "1.2.3.5";
  a.patient.name = "Doe^Jane", a.patient.id = "4711";
  for (std::int64_t z = 0; z < grid.size()[2]; ++z)
    a.instances.push_back({ct_class, "1.2.3.4." + std::to_string(z + 1), 0});
  return image;
}

// Islands, holes, pixels that touch at corners, single voxels.
LabelMap random_labels(const Grid& grid, unsigned seed, int layers) {
  LabelMap labels;
  std::mt19937 random(seed);
  for (int layer = 0; layer < layers; ++layer) {
    labels.layers.emplace_back(grid);
    for (std::uint16_t& voxel : labels.layers.back().voxels()) voxel = static_cast<std::uint16_t>(random() % 3);
    for (int value = 1; value <= 2; ++value)
      labels.segments.push_back(
          {value, layer, "label " + std::to_string(2 * layer + value), {"SCT", "10200004", "Liver"}});
  }
  labels.segments[0].colour = {1, 2, 3};
  return labels;
}

void expect_the_way_back(const Grid& grid, unsigned seed) {
  const LabelMap labels = random_labels(grid, seed, 2);
  const auto bytes = write_rtstruct(labels, source_on(grid), provenance());
  const Contours contours = std::get<Contours>(read_bytes(bytes, "rtstruct"));
  EXPECT_TRUE(contours.remarks.empty());
  std::vector<Remark> remarks;
  const LabelMap back = rasterize(contours, grid, remarks);
  ASSERT_EQ(back.segments.size(), labels.segments.size());
  for (std::size_t s = 0; s < labels.segments.size(); ++s) {
    const Segment &ours = labels.segments[s], &read = back.segments[s];
    EXPECT_EQ(read.name, ours.name);
    EXPECT_EQ(read.colour, ours.colour);
    EXPECT_EQ(read.type, ours.type);
    const auto a = labels.layers[std::size_t(ours.layer)].voxels(), b = back.layers[std::size_t(read.layer)].voxels();
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(),
                           [&](std::uint16_t x, std::uint16_t y) { return (x == ours.value) == (y == read.value); }));
  }
}

TEST(WriteRtstruct, InverseMaskToMaskIsBitIdenticalInAllOrientations) {
  const std::array<std::array<int, 3>, 6> orders{{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  unsigned seed = 0;
  for (const auto& order : orders)
    for (int signs = 0; signs < 8; ++signs, ++seed) {
      Matrix3 direction{};
      for (std::size_t c = 0; c < 3; ++c) direction[std::size_t(order[c])][c] = (signs >> c & 1) != 0 ? -1 : 1;
      expect_the_way_back(Grid({9, 12, 3}, {0.7, 1.9, 3.3}, {-120.25, 33.123456789, 810.5}, direction), seed);
    }
}

TEST(WriteRtstruct, InverseOnAnObliqueFineGrid) {
  const double a = 0.3, b = -0.5;
  const Vector3 x{std::cos(a), std::sin(a), 0}, y{-std::sin(a) * std::cos(b), std::cos(a) * std::cos(b), std::sin(b)};
  const Vector3 z = cross(x, y);
  Matrix3 direction{};
  for (std::size_t r = 0; r < 3; ++r) direction[r] = {x[r], y[r], z[r]};
  expect_the_way_back(Grid({60, 47, 4}, {0.0123, 0.0411, 0.05}, {-71.3, 22.9, -301.77}, direction), 99);
}

TEST(WriteRtstruct, RefersToTheImagesAndSaysItsGrid) {
  const Grid grid({9, 12, 3}, {0.7, 1.9, 3.3}, {-120.25, 33.125, 810.5});
  const auto bytes = write_rtstruct(random_labels(grid, 1, 1), source_on(grid), provenance());
  EXPECT_EQ(bytes, write_rtstruct(random_labels(grid, 1, 1), source_on(grid), provenance()));
  const Contours contours = std::get<Contours>(read_bytes(bytes, "rtstruct"));
  EXPECT_EQ(contours.referenced_series_uid, "1.2.3.4");
  EXPECT_EQ(contours.frame_of_reference_uid, "1.2.3.5");
  EXPECT_EQ(contours.acquisition.instances.size(), 3U);
  const ContourRegion& region = contours.regions.at(0);
  ASSERT_TRUE(region.planes);
  EXPECT_TRUE(region.planes->same_as(grid));
  EXPECT_EQ(region.algorithm, "AUTOMATIC");
  for (const Contour& contour : region.contours) {
    const auto slice = std::lround(grid.to_index(contour.points_mm.at(0)).z);
    ASSERT_EQ(contour.images.size(), 1U);
    EXPECT_EQ(contour.images[0].sop_instance_uid, "1.2.3.4." + std::to_string(slice + 1));
  }
}

// Inverse: what was read is written as it was, points and open lines too.
TEST(WriteRtstruct, InverseContoursKeepTheirNumbersNamesAndKinds) {
  Contours contours;
  contours.frame_of_reference_uid = "1.2.3.5";
  ContourRegion region;
  region.name = "GTV 1", region.number = 7, region.interpreted_type = "GTV", region.colour = {9, 8, 7};
  region.contours.push_back({{{-0.123456789012, 1.1, 3.3}, {1e-7, 2.5, 3.3}, {99.7, -12345.678, 3.3}}});
  region.contours.push_back({{{1, 2, 3}}, ContourKind::point});
  region.contours.push_back({{{1, 2, 3}, {4, 5, 6}}, ContourKind::open});
  contours.regions = {region, {"nothing drawn", 3}};
  const auto bytes = write_rtstruct(contours, source_on(Grid({4, 4, 2}, {1, 1, 3.3})), provenance());
  const Contours back = std::get<Contours>(read_bytes(bytes, "rtstruct"));
  ASSERT_EQ(back.regions.size(), 2U);
  const ContourRegion& read = back.regions[0];
  EXPECT_EQ(read.name, "GTV 1");
  EXPECT_EQ(read.number, 7);
  EXPECT_EQ(read.interpreted_type, "GTV");
  EXPECT_EQ(read.colour, region.colour);
  ASSERT_EQ(read.contours.size(), 3U);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_EQ(read.contours[c].points_mm, region.contours[c].points_mm);
    EXPECT_EQ(read.contours[c].kind, region.contours[c].kind);
  }
  ASSERT_EQ(back.remarks.size(), 1U);
  EXPECT_EQ(back.remarks[0].code, "region_without_contours");
}

// More than 65534 bytes of Contour Data, which explicit VR could not say.
TEST(WriteRtstruct, InverseLongContour) {
  Contours contours;
  ContourRegion region;
  region.name = "long";
  region.contours.emplace_back();
  for (int i = 0; i < 5000; ++i)
    region.contours[0].points_mm.push_back({50 * std::cos(i * 0.001), 50 * std::sin(i * 0.001), 3.3});
  for (PatientPoint& p : region.contours[0].points_mm)
    p = {std::round(p.x * 1e6) / 1e6, std::round(p.y * 1e6) / 1e6, p.z};
  contours.regions = {region};
  const auto bytes = write_rtstruct(contours, source_on(Grid({4, 4, 2}, {1, 1, 3.3})), provenance());
  const Contours back = std::get<Contours>(read_bytes(bytes, "rtstruct"));
  EXPECT_EQ(back.regions.at(0).contours.at(0).points_mm, region.contours[0].points_mm);
}

TEST(WriteRtstruct, WhatCannotBeIsRefused) {
  const Image source = source_on(Grid({4, 4, 2}, {1, 1, 1}));
  Contours contours;
  EXPECT_THROW(static_cast<void>(write_rtstruct(contours, source, provenance())), Error);
  contours.regions.push_back({"a", 1});
  contours.frame_of_reference_uid = "9.9";
  EXPECT_THROW(static_cast<void>(write_rtstruct(contours, source, provenance())), Error);
}

std::vector<Remark> remarks_of(const std::vector<std::pair<std::string, std::string>>& kind_and_data) {
  Made made(rtstruct_class, "RTSTRUCT", 0, 0);
  DcmItem& roi = new_item(made.data(), {0x3006, 0x0020});
  set_text(roi, {0x3006, 0x0022}, "7");
  set_text(roi, {0x3006, 0x0026}, "Liver");
  DcmItem& drawn = new_item(made.data(), {0x3006, 0x0039});
  set_text(drawn, {0x3006, 0x0084}, "7");
  for (const auto& [kind, data] : kind_and_data) {
    DcmItem& contour = new_item(drawn, {0x3006, 0x0040});
    set_text(contour, {0x3006, 0x0042}, kind);
    set_text(contour, {0x3006, 0x0046}, "3");
    set_text(contour, {0x3006, 0x0050}, data);
  }
  const auto bytes = made.bytes();
  return std::get<Contours>(read_bytes(bytes, "rs")).remarks;
}

TEST(Rtstruct, WhatIsWrongWithContoursIsSaid) {
  const auto remarks = remarks_of({{"CLOSED_PLANAR", "1,5\\2\\3\\4\\5\\6\\7\\8\\9"},
                                   {"CLOSED_PLANAR", "1\\2\\3\\4"},
                                   {"SPIRAL", "1\\2\\3"},
                                   {"CLOSED_PLANAR", "1\\2\\3\\1\\2\\3\\4\\4\\3\\1\\4\\3"}});
  ASSERT_EQ(remarks.size(), 5U);
  EXPECT_NE(remarks[0].text.find("'1,5'"), std::string::npos) << remarks[0].text;
  EXPECT_EQ(remarks[1].code, "contours_left_out");
  EXPECT_NE(remarks[2].text.find("SPIRAL"), std::string::npos);
  EXPECT_EQ(remarks[3].code, "contours_miscounted");
  EXPECT_EQ(remarks[4].code, "contours_repeated_points");
  EXPECT_TRUE(remarks_of({{"CLOSED_PLANAR", "1\\2\\3\\4\\5\\3\\7\\8\\3"}}).empty());
}

}  // namespace
}  // namespace penta::io::dicom
