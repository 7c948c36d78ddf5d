#include "io/dicom/read_seg.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/error.h"
#include "core/test_data.h"
#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {
namespace {

constexpr Tag segment_sequence{0x0062, 0x0002}, segment_number{0x0062, 0x0004}, segment_label{0x0062, 0x0005},
    seg_type{0x0062, 0x0001}, identification{0x0062, 0x000A}, referenced_segment{0x0062, 0x000B},
    padding{0x0028, 0x0120}, plane_position{0x0020, 0x9113}, plane_orientation{0x0020, 0x9116},
    measures{0x0028, 0x9110}, derivation{0x0008, 0x9124}, source_image{0x0008, 0x2112};

/// A frame of a made segmentation: its segment (0: none is named), height and four pixels.
struct MadeFrame {
  std::uint16_t segment = 1;
  double height = 0;
  std::vector<std::uint8_t> pixels{1, 0, 0, 0};
  std::string source{};
};

Made made_seg(const std::string& type, const std::vector<int>& numbers, const std::vector<MadeFrame>& frames,
              const std::string& between = "") {
  const std::string uid = type == "LABELMAP" ? "1.2.840.10008.5.1.4.1.1.66.7" : "1.2.840.10008.5.1.4.1.1.66.4";
  Made made(uid, "SEG", 2, 2, 8);
  made.text(seg_type, type).text(tag::number_of_frames, std::to_string(frames.size()));
  for (const int number : numbers) {
    DcmItem& row = new_item(made.data(), segment_sequence);
    set_word(row, segment_number, static_cast<std::uint16_t>(number));
    set_text(row, segment_label, "s" + std::to_string(number));
  }
  DcmItem& shared = new_item(made.data(), tag::shared_groups);
  set_text(new_item(shared, plane_orientation), tag::image_orientation, "1\\0\\0\\0\\1\\0");
  DcmItem& measure = new_item(shared, measures);
  set_text(measure, tag::pixel_spacing, "1\\1");
  if (!between.empty()) set_text(measure, tag::spacing_between_slices, between);
  std::vector<std::uint8_t> pixels;
  for (const MadeFrame& frame : frames) {
    DcmItem& own = new_item(made.data(), tag::per_frame_groups);
    set_text(new_item(own, plane_position), tag::image_position, "0\\0\\" + std::to_string(frame.height));
    if (frame.segment > 0) set_word(new_item(own, identification), referenced_segment, frame.segment);
    if (!frame.source.empty())
      set_text(new_item(new_item(own, derivation), source_image), {0x0008, 0x1155}, frame.source);
    pixels.insert(pixels.end(), frame.pixels.begin(), frame.pixels.end());
  }
  made.pixels8(pixels);
  return made;
}

bool says(const LabelMap& labels, const std::string& code) {
  return std::any_of(labels.remarks.begin(), labels.remarks.end(), [&](const Remark& r) { return r.code == code; });
}

// Why it is refused; the reason names the file and a tag.
std::string refusal(const Made& made) {
  try {
    static_cast<void>(read_bytes(made.bytes(), "bad.dcm"));
  } catch (const Error& fault) {
    const std::string text = fault.what();
    EXPECT_NE(text.find("bad.dcm"), std::string::npos) << text;
    return text;
  }
  return "was read";
}

// Phantom: frames in any order at heights 0, 2, 5 of a base of 1, which nothing states.
TEST(ReadSeg, sparse_slices_lie_at_multiples_of_a_base) {
  const std::vector<MadeFrame> frames{{1, 5, {0, 0, 0, 1}}, {1, 0, {1, 0, 0, 0}}, {1, 2, {0, 1, 0, 0}}};
  for (const char* between : {"", "1"}) {
    const LabelMap labels = read_seg(made_seg("BINARY", {1}, frames, between).bytes());
    ASSERT_EQ(labels.grid().size()[2], 6);
    EXPECT_NEAR(labels.grid().spacing_mm()[2], 1, 1e-9);
    EXPECT_EQ(labels.layers[0].at(0, 0, 0), 1);
    EXPECT_EQ(labels.layers[0].at(1, 0, 2), 1);
    EXPECT_EQ(labels.layers[0].at(1, 1, 5), 1);
    EXPECT_EQ(voxel_count(labels, labels.segments[0]), 3);
    EXPECT_EQ(says(labels, "slice_step_found"), std::string(between).empty());
  }
}

TEST(ReadSeg, overlapping_segments_go_to_layers) {
  const LabelMap labels = read_seg(
      made_seg("BINARY", {1, 2, 3}, {{1, 0, {1, 1, 0, 0}}, {2, 0, {0, 1, 1, 0}}, {3, 0, {0, 0, 0, 1}}}, "2").bytes());
  ASSERT_EQ(labels.layers.size(), 2U);
  EXPECT_EQ(labels.segments[1].layer, 1);
  EXPECT_EQ(labels.segments[2].layer, 0);
  EXPECT_EQ(voxel_count(labels, labels.segments[0]), 2);
  EXPECT_EQ(voxel_count(labels, labels.segments[1]), 2);
}

TEST(ReadSeg, fractions_are_cut_at_half) {
  Made made = made_seg("FRACTIONAL", {1}, {{1, 0, {0, 49, 50, 100}}}, "2");
  made.word({0x0062, 0x000E}, 100).text({0x0062, 0x0010}, "OCCUPANCY");
  const LabelMap labels = read_seg(made.bytes());
  EXPECT_EQ(voxel_count(labels, labels.segments[0]), 2);
  EXPECT_TRUE(says(labels, "fractional_seg"));
}

// Sup 243: the padding value is background, and then 0 may be a segment.
TEST(ReadSeg, labelmap_with_another_padding_value) {
  Made made = made_seg("LABELMAP", {0, 5, 7}, {{0, 0, {0, 5, 7, 9}}}, "2");
  made.word(padding, 5);
  const LabelMap labels = read_seg(made.bytes());
  ASSERT_EQ(labels.segments.size(), 3U);
  EXPECT_EQ(labels.segments[0].name, "s0");
  EXPECT_EQ(labels.segments[0].value, 5);
  EXPECT_EQ(labels.segments[2].name, "label 9");
  const auto v = labels.layers[0].voxels();
  EXPECT_EQ((std::vector<int>(v.begin(), v.end())), (std::vector<int>{5, 0, 7, 9}));
  EXPECT_TRUE(says(labels, "segment_zero"));
  EXPECT_TRUE(says(labels, "values_without_segment"));
}

TEST(ReadSeg, labelmap_of_palette_colours_keeps_numbers) {
  Made made = made_seg("LABELMAP", {0, 1, 2}, {{0, 0, {0, 1, 2, 1}}, {0, 2, {2, 2, 0, 0}}}, "2");
  made.text(tag::photometric, "PALETTE COLOR");
  for (std::uint16_t channel = 0; channel < 3; ++channel) {
    made.words({0x0028, static_cast<std::uint16_t>(0x1101 + channel)}, {3, 0, 16});
    made.words({0x0028, static_cast<std::uint16_t>(0x1201 + channel)}, {0, 30000, 65535});
  }
  const LabelMap labels = read_seg(made.bytes());
  ASSERT_EQ(labels.segments.size(), 2U);
  EXPECT_EQ(voxel_count(labels, labels.segments[0]), 2);
  EXPECT_EQ(voxel_count(labels, labels.segments[1]), 3);
}

TEST(ReadSeg, what_makes_no_volume_is_refused_with_its_tag) {
  const MadeFrame a{1, 0}, b{1, 1.0};
  EXPECT_NE(refusal(made_seg("BINARY", {1}, {a, b, {1, 2.37}, {1, 4.91}})).find("uneven distances (0020,0032)"),
            std::string::npos);
  EXPECT_NE(refusal(made_seg("BINARY", {1, 1}, {a})).find("(0062,0004)"), std::string::npos);
  EXPECT_NE(refusal(made_seg("BINARY", {}, {a})).find("(0062,0002)"), std::string::npos);
  EXPECT_NE(refusal(made_seg("BINARY", {1}, {{0, 0}})).find("(0062,000B)"), std::string::npos);
  EXPECT_NE(refusal(made_seg("OTHER", {1}, {a})).find("(0062,0001)"), std::string::npos);
  const MadeFrame now{1, 0, {1, 0, 0, 0}, "1.2"}, later{1, 0, {1, 0, 0, 0}, "1.3"};
  EXPECT_NE(refusal(made_seg("BINARY", {1}, {now, later})).find("over time"), std::string::npos);
  EXPECT_NE(refusal(made_seg("LABELMAP", {1}, {{0, 0}, {0, 0}})).find("over time"), std::string::npos);
  EXPECT_NE(refusal(made_seg("BINARY", {1}, {a, {1, 1e12}}, "1")).find("(0020,0032)"), std::string::npos);
  Made tiles = made_seg("BINARY", {1}, {a});
  tiles.text({0x0020, 0x9311}, "TILED_FULL");
  EXPECT_NE(refusal(tiles).find("TILED_FULL"), std::string::npos);
  Made few = made_seg("BINARY", {1}, {a});
  few.text(tag::number_of_frames, "2");
  EXPECT_NE(refusal(few).find("(0028,0008)"), std::string::npos);
}

// Published: counts by pydicom 3.0 of the same liver in every encoding, and of three segments that overlap.
TEST(ReadSeg, published_liver_in_every_encoding) {
  for (const char* name : {"liver", "liver_expb", "liver_j2k", "liver_rle", "liver_deflate", "liver_nonbyte_aligned",
                           "liver_nonbyte_aligned_rle", "liver_nonbyte_aligned_j2k", "liver_nonbyte_aligned_deflate"}) {
    const auto path = test_data("dicom/pydicom-data/" + std::string(name) + ".dcm");
    if (!path) GTEST_SKIP() << "data not here: dicom/pydicom-data";
    const std::vector<std::filesystem::path> files{*path};
    const Catalogue catalogue = scan(files);
    ASSERT_EQ(catalogue.series.size(), 1U) << name;
    const LabelMap labels = std::get<LabelMap>(read(catalogue.series[0]));
    EXPECT_EQ(voxel_count(labels, labels.segments.at(0)), 107098) << name;
  }
}

}  // namespace
}  // namespace penta::io::dicom
