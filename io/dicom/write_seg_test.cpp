#include "io/dicom/write_seg.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <iterator>

#include "core/error.h"
#include "core/random.h"
#include "core/test_data.h"
#include "io/dicom/orientations_test.h"
#include "io/dicom/read_seg.h"

namespace penta::io::dicom {
namespace {

Provenance provenance() { return {"test.method", "1", "0.1.0", "seed", "20260102030405", false}; }

// Random labels 1..3 in one layer and 1 in a second that overlaps them.
LabelMap random_labels(const Grid& grid, std::uint64_t seed) {
  LabelMap labels;
  Random random(seed);
  for (int layer = 0; layer < 2; ++layer) {
    labels.layers.emplace_back(grid);
    for (std::uint16_t& voxel : labels.layers.back().voxels())
      voxel = static_cast<std::uint16_t>(random.bits() % (layer == 0 ? 4U : 2U));
  }
  for (std::uint16_t& voxel : labels.layers[1].voxels()) voxel = voxel == 1 ? 4 : 0;
  labels.segments = {{1, 0, "liver", {"SCT", "10200004", "Liver"}},
                     {2,
                      0,
                      "kidney",
                      {"SCT", "64033007", "Kidney"},
                      {"SCT", "91723000", "Anatomical Structure"},
                      Side::left,
                      {10, 200, 30}},
                     {3, 0, "thing without code", {}},
                     {4, 1, "body", {"SCT", "38266002", "Entire body"}}};
  return labels;
}

void expect_same(const LabelMap& a, const LabelMap& b) {
  ASSERT_EQ(a.segments.size(), b.segments.size());
  for (std::size_t s = 0; s < a.segments.size(); ++s) {
    const Segment &p = a.segments[s], &q = b.segments[s];
    EXPECT_EQ(p.name, q.name);
    EXPECT_EQ(p.type, q.type);
    EXPECT_EQ(p.category, q.category);
    EXPECT_EQ(p.side, q.side);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(p.colour[k], q.colour[k], 1);
    const auto first = a.layers[static_cast<std::size_t>(p.layer)].voxels();
    const auto second = b.layers[static_cast<std::size_t>(q.layer)].voxels();
    std::size_t differ = 0;
    for (std::size_t i = 0; i < first.size(); ++i) differ += (first[i] == p.value) != (second[i] == q.value);
    EXPECT_EQ(differ, 0U) << p.name;
  }
}

TEST(DicomSeg, inverse_on_twelve_orientations) {
  std::uint64_t seed = 1;
  for (const Matrix3& direction : orientations()) {
    SCOPED_TRACE(seed);
    // 7 x 5: frames that do not end on a byte.
    const Grid grid({7, 5, 4}, {0.7, 1.3, 2.9}, {-31.7, 12.25, 803.123456789}, direction);
    const LabelMap labels = random_labels(grid, seed++);
    const LabelMap read = read_seg(write_seg(labels, Image{}, provenance()));
    std::int64_t outside = -1;
    const LabelMap back = on_grid(read, grid, &outside);
    EXPECT_EQ(outside, 0);
    EXPECT_TRUE(back.grid().same_as(grid, 1e-6));
    expect_same(labels, back);
  }
}

TEST(DicomSeg, inverse_where_slices_are_empty) {
  const Grid grid({8, 8, 30}, {1, 1, 2.5}, {0, 0, -40});
  LabelMap labels = random_labels(grid, 5);
  for (std::int64_t z = 0; z < 30; ++z)
    if (z != 4 && z != 10 && z != 20)
      for (auto& layer : labels.layers)
        for (std::int64_t i = 0; i < 64; ++i) layer.voxels()[static_cast<std::size_t>(z * 64 + i)] = 0;
  const LabelMap read = read_seg(write_seg(labels, Image{}, provenance()));
  EXPECT_EQ(read.grid().size()[2], 17);
  expect_same(labels, on_grid(read, grid));
}

TEST(DicomSeg, same_bytes_twice) {
  const LabelMap labels = random_labels(Grid({9, 9, 3}, {1, 1, 1}), 3);
  EXPECT_EQ(write_seg(labels, Image{}, provenance()), write_seg(labels, Image{}, provenance()));
}

TEST(DicomSeg, labels_of_frames_keep_the_source_frame) {
  LabelMap labels = random_labels(Grid({9, 6, 3}, {1, 1, 1}), 7);
  labels.planar = true;
  Image source;
  source.pixels = FrameSequence{};
  EXPECT_THROW(static_cast<void>(write_seg(labels, source, provenance())), Error);
  for (int frame = 1; frame <= 3; ++frame)
    source.acquisition.instances.push_back({"1.2.840.10008.5.1.4.1.1.3.1", "1.2.3.4", frame});
  source.acquisition.series_uid = "1.2.3";
  const LabelMap read = read_seg(write_seg(labels, source, provenance()));
  EXPECT_TRUE(read.planar);
  expect_same(labels, read);
}

// Published: example_ct_dicom of TotalSegmentator has files without a SOP Instance UID; type 1 must not be written
// empty.
TEST(DicomSeg, sources_without_uid_are_not_referred_to) {
  const Grid grid({4, 4, 2}, {1, 1, 1});
  LabelMap labels = random_labels(grid, 2);
  Image source;
  VolumeSequence volumes;
  volumes.emplace_back(Volume<std::int16_t>(grid));
  source.pixels = std::move(volumes);
  source.acquisition.series_uid = "1.2.3";
  source.acquisition.instances.resize(2);
  const auto without = write_seg(labels, source, provenance());
  EXPECT_EQ(without, write_seg(labels, Image{}, provenance()));
  for (SourceInstance& instance : source.acquisition.instances) instance = {"1.2.840.10008.5.1.4.1.1.2", "1.2.3.9", 0};
  EXPECT_GT(write_seg(labels, source, provenance()).size(), without.size());
}

TEST(DicomSeg, nothing_found_is_one_empty_frame) {
  LabelMap labels;
  labels.layers.emplace_back(Grid({4, 4, 4}, {1, 1, 1}));
  labels.segments = {{1, 0, "lesion", {}}};
  const LabelMap read = read_seg(write_seg(labels, Image{}, provenance()));
  EXPECT_EQ(voxel_count(read, read.segments.at(0)), 0);
  labels.segments.clear();
  EXPECT_THROW(static_cast<void>(write_seg(labels, Image{}, provenance())), Error);
}

std::vector<std::byte> bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::int64_t> counts(const LabelMap& labels) {
  std::vector<std::int64_t> all;
  for (const Segment& segment : labels.segments) all.push_back(voxel_count(labels, segment));
  return all;
}

// Published: the sums of the frames by segment as pydicom 3.0 and highdicom 0.28 give them.
TEST(DicomSeg, published_counts_of_qin_headneck) {
  const auto path = test_data("pet/qin-headneck/seg.dcm");
  if (!path) GTEST_SKIP() << "data not here: pet/qin-headneck/seg.dcm";
  const LabelMap labels = read_seg(bytes_of(*path));
  EXPECT_EQ(counts(labels), (std::vector<std::int64_t>{1697, 113, 457, 4230, 211, 375, 922, 950, 222, 43, 62}));
  EXPECT_EQ(labels.segments[0].name, "Neoplasm, Primary");
}

// 82527: a FRACTIONAL object whose frames hold 0 and 255, summed by pydicom.
TEST(DicomSeg, published_count_of_breast_dce) {
  const auto path = test_data("mr/breast-dce-ucsf/seg_breast.dcm.gz");
  if (!path) GTEST_SKIP() << "data not here: mr/breast-dce-ucsf/seg_breast.dcm.gz";
  gzFile file = gzopen(path->c_str(), "rb");
  std::vector<std::byte> bytes(8U << 20U);
  bytes.resize(static_cast<std::size_t>(gzread(file, bytes.data(), static_cast<unsigned>(bytes.size()))));
  gzclose(file);
  EXPECT_EQ(counts(read_seg(bytes)), (std::vector<std::int64_t>{82527}));
}

}  // namespace
}  // namespace penta::io::dicom
