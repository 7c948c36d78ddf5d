#include <gtest/gtest.h>

#include <chrono>

#include "core/error.h"
#include "core/random.h"
#include "io/dicom/internal.h"
#include "io/dicom/orientations_test.h"
#include "io/dicom/read_seg.h"
#include "io/dicom/write_rle.h"
#include "io/dicom/write_seg.h"

namespace penta::io::dicom {
namespace {

Provenance provenance() { return {"test.method", "1", "0.1.0", "seed", "20260102030405", false}; }

LabelMap random_labels(const Grid& grid, const std::vector<int>& values, std::uint64_t seed) {
  LabelMap labels;
  Random random(seed);
  labels.layers.emplace_back(grid);
  for (std::uint16_t& voxel : labels.layers[0].voxels()) {
    const std::uint64_t draw = random.bits() % (values.size() + 1);
    voxel = draw == 0 ? 0 : static_cast<std::uint16_t>(values[draw - 1]);
  }
  for (const int value : values)
    labels.segments.push_back({value, 0, "label of " + std::to_string(value), {"SCT", "64033007", "Kidney"},
                               {"SCT", "91723000", "Anatomical Structure"}, Side::left, label_colour(value)});
  return labels;
}

void expect_same(const LabelMap& a, const LabelMap& b) {
  ASSERT_EQ(a.segments.size(), b.segments.size());
  for (std::size_t s = 0; s < a.segments.size(); ++s) {
    const Segment &p = a.segments[s], &q = b.segments[s];
    EXPECT_EQ(p.value, q.value);
    EXPECT_EQ(p.name, q.name);
    EXPECT_EQ(p.type, q.type);
    EXPECT_EQ(p.side, q.side);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(p.colour[k], q.colour[k], 1);
  }
  const auto first = a.layers.at(0).voxels(), second = b.layers.at(0).voxels();
  EXPECT_TRUE(std::equal(first.begin(), first.end(), second.begin(), second.end()));
}

// Inverse: the values themselves come back, of 8 and of 16 bits.
TEST(DicomLabelmap, inverse_on_twelve_orientations) {
  std::uint64_t seed = 1;
  for (const Matrix3& direction : orientations())
    for (const std::vector<int>& values : {std::vector<int>{1, 2, 7, 255}, std::vector<int>{3, 256, 65535}}) {
      SCOPED_TRACE(seed);
      const Grid grid({7, 5, 4}, {0.7, 1.3, 2.9}, {-31.7, 12.25, 803.123456789}, direction);
      const LabelMap labels = random_labels(grid, values, seed++);
      const LabelMap read = read_seg(write_seg(labels, Image{}, provenance(), SegType::labelmap));
      EXPECT_TRUE(read.remarks.empty());
      std::int64_t outside = -1;
      const LabelMap back = on_grid(read, grid, &outside);
      EXPECT_EQ(outside, 0);
      expect_same(labels, back);
    }
}

// Inverse: nothing is left out, so the grid itself comes back where slices are empty.
TEST(DicomLabelmap, empty_slices_keep_the_grid) {
  const Grid grid({9, 8, 6}, {1, 1, 2.5}, {0, 0, -40});
  LabelMap labels = random_labels(grid, {1, 2}, 3);
  for (std::uint16_t& voxel : labels.layers[0].voxels().first(9 * 8 * 4)) voxel = 0;
  const LabelMap read = read_seg(write_seg(labels, Image{}, provenance(), SegType::labelmap));
  EXPECT_TRUE(read.grid().same_as(grid));
  expect_same(labels, read);
}

TEST(DicomLabelmap, frames_of_a_cine_keep_the_source_frame) {
  LabelMap labels = random_labels(Grid({9, 6, 3}, {1, 1, 1}), {1, 2, 3, 4}, 7);
  labels.planar = true;
  Image source;
  source.pixels = FrameSequence{};
  for (int frame = 1; frame <= 3; ++frame)
    source.acquisition.instances.push_back({"1.2.840.10008.5.1.4.1.1.3.1", "1.2.3.4", frame});
  const LabelMap read = read_seg(write_seg(labels, source, provenance(), SegType::automatic));
  EXPECT_TRUE(read.planar);
  expect_same(labels, read);
}

TEST(DicomLabelmap, type_is_chosen_by_segments_and_layers) {
  const Grid grid({4, 4, 2}, {1, 1, 1});
  LabelMap labels = random_labels(grid, {1, 2, 3}, 1);
  EXPECT_EQ(seg_type_of(labels, SegType::automatic), SegType::binary);
  labels = random_labels(grid, {1, 2, 3, 4}, 1);
  EXPECT_EQ(seg_type_of(labels, SegType::automatic), SegType::labelmap);
  EXPECT_EQ(seg_type_of(labels, SegType::automatic, false), SegType::binary);
  EXPECT_EQ(seg_type_of(labels, SegType::binary), SegType::binary);
  labels.layers.push_back(labels.layers[0].clone());
  EXPECT_EQ(seg_type_of(labels, SegType::automatic), SegType::binary);
  labels.segments[3].layer = 1;
  EXPECT_NO_THROW(static_cast<void>(write_seg(labels, Image{}, provenance(), SegType::labelmap)));
  labels.segments.push_back({1, 1, "again", {}});
  EXPECT_THROW(static_cast<void>(write_seg(labels, Image{}, provenance(), SegType::labelmap)), Error);
}

// Published: PS3.3 2024d table C.8.20-2 and Sup 243, each attribute that they require of a LABELMAP. dciodvfy of 2022
// does not know the class.
TEST(DicomLabelmap, attributes_of_supplement_243) {
  for (const bool wide : {false, true}) {
    const LabelMap labels = random_labels(Grid({6, 5, 3}, {0.5, 0.5, 2}), {1, 4, 9, wide ? 300 : 30}, 1);
    const auto bytes = write_seg(labels, Image{}, provenance(), SegType::labelmap);
    const Object object = load({"labelmap", {}, bytes}, true);
    DcmItem& data = object.data();
    EXPECT_EQ(object.transfer_syntax, "1.2.840.10008.1.2.5");
    EXPECT_EQ(object.media_class, "1.2.840.10008.5.1.4.1.1.66.7");
    const auto is = [&](std::uint16_t group, std::uint16_t element, const std::string& value) {
      EXPECT_EQ(text(data, {group, element}), value) << std::hex << group << ',' << element;
    };
    const auto there = [&](std::uint16_t group, std::uint16_t element) {
      EXPECT_FALSE(text(data, {group, element}).empty()) << std::hex << group << ',' << element;
    };
    is(0x0008, 0x0016, "1.2.840.10008.5.1.4.1.1.66.7");
    is(0x0008, 0x0060, "SEG");
    is(0x0008, 0x0008, "DERIVED\\PRIMARY");
    is(0x0028, 0x0002, "1");
    is(0x0028, 0x0004, "MONOCHROME2");
    is(0x0028, 0x0103, "0");
    is(0x0028, 0x0100, wide ? "16" : "8");
    is(0x0028, 0x0101, wide ? "16" : "8");
    is(0x0028, 0x0102, wide ? "15" : "7");
    is(0x0028, 0x0010, "5");
    is(0x0028, 0x0011, "6");
    is(0x0028, 0x0008, "3");
    is(0x0028, 0x0120, "0");
    is(0x0028, 0x2110, "00");
    is(0x0062, 0x0001, "LABELMAP");
    is(0x0062, 0x0013, "NO");
    is(0x0070, 0x0080, "SEGMENTATION");
    EXPECT_TRUE(items(data, {0x0062, 0x000E}).empty());  // Maximum Fractional Value is for FRACTIONAL
    for (const Tag tag : {Tag{0x0020, 0x0013}, Tag{0x0020, 0x0011}, Tag{0x0008, 0x0023}, Tag{0x0008, 0x0033},
                          Tag{0x0020, 0x0052}, Tag{0x0008, 0x0070}, Tag{0x0008, 0x1090}, Tag{0x0018, 0x1000},
                          Tag{0x0018, 0x1020}, Tag{0x0020, 0x000D}, Tag{0x0020, 0x000E}, Tag{0x0008, 0x0018}})
      there(tag.group, tag.element);
    const auto segments = items(data, {0x0062, 0x0002});
    ASSERT_EQ(segments.size(), 5U);
    EXPECT_EQ(text(*segments[0], {0x0062, 0x0004}), "0");
    EXPECT_EQ(text(*segments[4], {0x0062, 0x0004}), wide ? "300" : "30");
    for (DcmItem* segment : segments) {
      for (const Tag tag : {Tag{0x0062, 0x0005}, Tag{0x0062, 0x0008}, Tag{0x0062, 0x0009}})
        EXPECT_FALSE(text(*segment, tag).empty());
      for (const Tag tag : {Tag{0x0062, 0x0003}, Tag{0x0062, 0x000F}}) {
        ASSERT_EQ(items(*segment, tag).size(), 1U);
        for (const Tag code : {Tag{0x0008, 0x0100}, Tag{0x0008, 0x0102}, Tag{0x0008, 0x0104}})
          EXPECT_FALSE(text(*items(*segment, tag)[0], code).empty());
      }
    }
    const auto frames = items(data, {0x5200, 0x9230});
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_EQ(items(data, {0x0020, 0x9222}).size(), 1U);  // one dimension: the position
    for (DcmItem* frame : frames) {
      EXPECT_TRUE(items(*frame, {0x0062, 0x000A}).empty());  // no Segment Identification
      ASSERT_EQ(items(*frame, {0x0020, 0x9113}).size(), 1U);
      ASSERT_EQ(items(*frame, {0x0020, 0x9111}).size(), 1U);
      EXPECT_EQ(words(*items(*frame, {0x0020, 0x9111})[0], {0x0020, 0x9157}).size(), 1U);
    }
    const auto shared = items(data, {0x5200, 0x9229});
    ASSERT_EQ(shared.size(), 1U);
    EXPECT_EQ(items(*shared[0], {0x0028, 0x9110}).size(), 1U);
    EXPECT_EQ(items(*shared[0], {0x0020, 0x9116}).size(), 1U);
  }
}

// A hundred ellipsoids, which stand for organs: about as much border as a whole-body segmentation has.
LabelMap many_organs(const Grid& grid) {
  LabelMap labels;
  labels.layers.emplace_back(grid);
  Random random(11);
  const Size3& size = grid.size();
  for (int value = 1; value <= 100; ++value) {
    std::array<double, 3> centre{}, radius{};
    for (std::size_t k = 0; k < 3; ++k) {
      centre[k] = random.uniform() * static_cast<double>(size[k]);
      radius[k] = (0.03 + 0.12 * random.uniform()) * static_cast<double>(size[k]);
    }
    const auto low = [&](std::size_t k) { return std::max<std::int64_t>(0, std::lround(centre[k] - radius[k])); };
    const auto high = [&](std::size_t k) { return std::min(size[k], std::lround(centre[k] + radius[k]) + 1L); };
    for (std::int64_t z = low(2); z < high(2); ++z)
      for (std::int64_t y = low(1); y < high(1); ++y)
        for (std::int64_t x = low(0); x < high(0); ++x) {
          const double a = (static_cast<double>(x) - centre[0]) / radius[0];
          const double b = (static_cast<double>(y) - centre[1]) / radius[1];
          const double c = (static_cast<double>(z) - centre[2]) / radius[2];
          if (a * a + b * b + c * c < 1) labels.layers[0].at(x, y, z) = static_cast<std::uint16_t>(value);
        }
    labels.segments.push_back({value, 0, "organ " + std::to_string(value), {"SCT", "113343008", "Organ"}});
  }
  return labels;
}

// 100 segments on 512 x 512 x 400: at most 3 s and 30 MB on two idle cores; three times the seconds here.
TEST(DicomLabelmap, hundred_segments_in_time_and_size) {
  const LabelMap labels = many_organs(Grid({512, 512, 400}, {0.8, 0.8, 1.5}));
  const auto start = std::chrono::steady_clock::now();
  const auto bytes = write_seg(labels, Image{}, provenance(), SegType::automatic);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_LE(seconds, 9);
  EXPECT_LE(bytes.size(), 30'000'000U);
  const auto again = std::chrono::steady_clock::now();
  const LabelMap read = read_seg(bytes);
  const double read_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - again).count();
  std::cout << "written in " << seconds << " s, " << static_cast<double>(bytes.size()) / 1e6 << " MB, read in "
            << read_seconds << " s\n";
  const auto first = labels.layers[0].voxels(), second = read.layers[0].voxels();
  EXPECT_TRUE(std::equal(first.begin(), first.end(), second.begin(), second.end()));
}

// The worst that packing meets: noise, where literal runs of 128 and repeats alternate.
TEST(DicomRle, inverse_on_noise_and_runs) {
  Random random(5);
  for (const bool wide : {false, true})
    for (int kind = 0; kind < 4; ++kind) {
      Layout layout;
      layout.columns = 300;
      layout.rows = 11;
      layout.bits_allocated = wide ? 16 : 8;
      std::vector<std::uint16_t> labels(300 * 11), same(65536);
      for (std::size_t v = 0; v < same.size(); ++v) same[v] = static_cast<std::uint16_t>(v);
      const std::uint64_t most = kind == 0 ? 1 : kind == 1 ? 2 : kind == 2 ? 5 : 255;
      for (std::uint16_t& label : labels) label = static_cast<std::uint16_t>(random.bits() % most * (wide ? 257 : 1));
      const auto packed = rle_of_labels(labels, 300, same, wide);
      EXPECT_EQ(packed.size() % 2, 0U);
      const RawFrame raw = decode_rle(packed, layout, "made here");
      for (std::size_t i = 0; i < labels.size(); ++i) {
        const unsigned value = wide ? raw.bytes[2 * i] + 256U * raw.bytes[2 * i + 1] : raw.bytes[i];
        ASSERT_EQ(value, labels[i]);
      }
    }
}

}  // namespace
}  // namespace penta::io::dicom
