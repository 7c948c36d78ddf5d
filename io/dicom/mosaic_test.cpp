// Published: Siemens mosaics against the NIfTI files that dcm_qa and dcm_qa_nih ship with them. Phantom: a mosaic made
// here whose voxels tell where they lie.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include "core/test_data.h"
#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"
#include "io/dicom/private.h"
#include "io/nifti/nifti.h"

namespace penta::io::dicom {
namespace {

struct Pair {
  const char *name, *series, *reference;
};
constexpr std::array<Pair, 6> pairs{{
    {"coronal_ascending", "dicom/dcm_qa/In/Orientation/cor", "dicom/dcm_qa/Ref/cor_asc_35sl_16.nii"},
    {"sagittal_ascending", "dicom/dcm_qa/In/Orientation/sag", "dicom/dcm_qa/Ref/sag_asc_35sl_22.nii"},
    {"nih_ap", "dicom/dcm_qa_nih/In/20180918Si/mr_0003", "dicom/dcm_qa_nih/Ref/EPI_PE=AP_3.nii"},
    {"nih_pa", "dicom/dcm_qa_nih/In/20180918Si/mr_0004", "dicom/dcm_qa_nih/Ref/EPI_PE=PA_4.nii"},
    {"nih_rl", "dicom/dcm_qa_nih/In/20180918Si/mr_0005", "dicom/dcm_qa_nih/Ref/EPI_PE=RL_5.nii"},
    {"nih_lr", "dicom/dcm_qa_nih/In/20180918Si/mr_0006", "dicom/dcm_qa_nih/Ref/EPI_PE=LR_6.nii"},
}};

Image series_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() != ".txt") files.push_back(entry.path());
  const Catalogue catalogue = scan(files);
  EXPECT_EQ(catalogue.series.size(), 1U);
  return std::get<Image>(read(catalogue.series.at(0)));
}

Image nifti_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes(std::istreambuf_iterator<char>(file), {});
  return nifti::read(std::as_bytes(std::span(bytes)), path.filename().string());
}

class DcmQa : public ::testing::TestWithParam<Pair> {};

// Every voxel lies within 1e-4 mm of one of the reference's, and holds the same value.
TEST_P(DcmQa, published_voxels_and_places_are_those_of_the_reference) {
  const auto folder = test_data(GetParam().series), path = test_data(GetParam().reference);
  if (!folder || !path) GTEST_SKIP() << "data not here: " << GetParam().series;
  const Image mine = series_of(*folder), theirs = nifti_of(*path);
  const auto& volumes = std::get<VolumeSequence>(mine.pixels);
  const auto& references = std::get<VolumeSequence>(theirs.pixels);
  ASSERT_EQ(volumes.size(), references.size());
  EXPECT_EQ(mine.axis, SequenceAxis::time);
  double off_mm = 0;
  std::int64_t wrong = 0;
  for (std::size_t t = 0; t < volumes.size(); ++t) {
    const auto a = to_float(volumes[t]), b = to_float(references[t]);
    const Size3 size = a.grid().size();
    ASSERT_EQ(a.grid().count(), b.grid().count());
    for (std::int64_t z = 0; z < size[2]; ++z)
      for (std::int64_t y = 0; y < size[1]; ++y)
        for (std::int64_t x = 0; x < size[0]; ++x) {
          const PatientPoint here =
              a.grid().to_patient({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
          const IndexPoint there = b.grid().to_index(here);
          const IndexPoint voxel{std::round(there.x), std::round(there.y), std::round(there.z)};
          const auto at = [](double v, std::int64_t n) { return std::clamp<std::int64_t>(std::llround(v), 0, n - 1); };
          const Size3 n = b.grid().size();
          off_mm = std::max(off_mm, penta::distance(here, b.grid().to_patient(voxel)));
          wrong += a.at(x, y, z) != b.at(at(voxel.x, n[0]), at(voxel.y, n[1]), at(voxel.z, n[2])) ? 1 : 0;
        }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_LT(off_mm, 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Mosaic, DcmQa, ::testing::ValuesIn(pairs),
                         [](const auto& row) { return std::string(row.param.name); });

void put_word(std::string& out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i) & 255);
}

void put_csa_tag(std::string& out, const std::string& name, const std::vector<std::string>& values) {
  std::string field = name;
  field.resize(64, '\0');
  out += field;
  put_word(out, static_cast<std::uint32_t>(values.size()));
  out += std::string("DS\0\0", 4);
  put_word(out, 0);
  put_word(out, static_cast<std::uint32_t>(values.size()));
  put_word(out, 77);
  for (std::string value : values) {
    value += '\0';
    for (int i = 0; i < 4; ++i) put_word(out, i == 2 ? 77 : static_cast<std::uint32_t>(value.size()));
    value.resize((value.size() + 3) / 4 * 4, '\0');
    out += value;
  }
}

std::string csa_of(int count, const std::vector<std::string>& normal) {
  std::string out("SV10\4\3\2\1", 8);
  put_word(out, normal.empty() ? 1 : 2);
  put_word(out, 77);
  put_csa_tag(out, "NumberOfImagesInMosaic", {std::to_string(count)});
  if (!normal.empty()) put_csa_tag(out, "SliceNormalVector", normal);
  return out;
}

// 5 slices of 4 x 2 pixels in 3 x 3 tiles; a voxel holds 1000 * slice + 10 * row + column.
Made mosaic(int count, const std::vector<std::string>& normal) {
  Made made(mr_class, "MR", 12, 6);
  made.text(tag::image_type, "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC").text(tag::instance_number, "1");
  made.text(tag::image_position, "100\\200\\300").text(tag::image_orientation, "1\\0\\0\\0\\1\\0");
  made.text(tag::pixel_spacing, "3\\2").text(tag::slice_thickness, "4").text(tag::spacing_between_slices, "5");
  std::vector<std::uint16_t> pixels(72, 9999);
  for (int tile = 0; tile < 5; ++tile)
    for (int y = 0; y < 2; ++y)
      for (int x = 0; x < 4; ++x)
        pixels[static_cast<std::size_t>((tile / 3 * 2 + y) * 12 + tile % 3 * 4 + x)] =
            static_cast<std::uint16_t>(1000 * tile + 10 * y + x);
  made.pixels(pixels);
  const std::string csa = csa_of(count, normal);
  made.data().putAndInsertString(DcmTag(0x0029, 0x0010, EVR_LO), "SIEMENS CSA HEADER");
  made.data().putAndInsertUint8Array(DcmTag(0x0029, 0x1010, EVR_OB), reinterpret_cast<const Uint8*>(csa.data()),
                                     static_cast<unsigned long>(csa.size()));
  return made;
}

TEST(Mosaic, phantom_slices_lie_where_the_normal_says) {
  for (const double sign : {1.0, -1.0}) {
    const Image image = std::get<Image>(read_bytes(mosaic(5, {"0.0", "0.0", sign > 0 ? "1.0" : "-1.0"}).bytes(), "m"));
    const auto volume = to_float(image.volume());
    ASSERT_EQ(volume.grid().size(), (Size3{4, 2, 5}));
    for (int slice = 0; slice < 5; ++slice)
      for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 4; ++x) {
          // The corner of the first slice: the picture is 8 columns and 4 rows wider, half of that on each side.
          const PatientPoint p{100 + 4 * 2.0 + 2.0 * x, 200 + 2 * 3.0 + 3.0 * y, 300 + sign * 5 * slice};
          const IndexPoint at = volume.grid().to_index(p);
          EXPECT_NEAR(at.z, std::round(at.z), 1e-9);
          EXPECT_EQ(volume.at(std::llround(at.x), std::llround(at.y), std::llround(at.z)),
                    static_cast<float>(1000 * slice + 10 * y + x));
        }
  }
}

// Four tiles of 4 x 2 pixels in 2 x 2, each with a place of its own.
TEST(Mosaic, united_grid_is_placed_by_its_sequence) {
  Made made(mr_class, "MR", 8, 4);
  made.text(tag::manufacturer, "UIH").text(tag::instance_number, "1").text(tag::pixel_spacing, "3\\2");
  made.text(tag::image_position, "1\\2\\3").text(tag::image_orientation, "1\\0\\0\\0\\1\\0");
  made.data().putAndInsertString(DcmTag(0x0065, 0x0010, EVR_LO), "Image Private Header");
  made.data().putAndInsertString(DcmTag(0x0065, 0x1050, EVR_DS), "4");
  std::vector<std::uint16_t> pixels(32);
  for (int tile = 0; tile < 4; ++tile) {
    DcmItem* item = nullptr;
    made.data().findOrCreateSequenceItem(DcmTag(0x0065, 0x1051, EVR_SQ), item, -2);
    set_text(*item, tag::image_position, "1\\2\\" + std::to_string(3 - 5 * tile));
    for (int y = 0; y < 2; ++y)
      for (int x = 0; x < 4; ++x)
        pixels[static_cast<std::size_t>((tile / 2 * 2 + y) * 8 + tile % 2 * 4 + x)] = static_cast<std::uint16_t>(tile);
  }
  made.pixels(pixels);
  const Image image = std::get<Image>(read_bytes(made.bytes(), "m"));
  const auto volume = to_float(image.volume());
  ASSERT_EQ(volume.grid().size(), (Size3{4, 2, 4}));
  for (int tile = 0; tile < 4; ++tile) {
    const IndexPoint at = volume.grid().to_index({1, 2, 3.0 - 5 * tile});
    EXPECT_EQ(volume.at(3, 1, std::llround(at.z)), static_cast<float>(tile));
  }
}

TEST(Mosaic, without_a_count_it_is_a_picture_and_said) {
  const Image image = std::get<Image>(read_bytes(mosaic(0, {}).bytes(), "m"));
  EXPECT_TRUE(image.is_frames());
  EXPECT_TRUE(std::any_of(image.remarks.begin(), image.remarks.end(),
                          [](const Remark& r) { return r.code == "mosaic"; }));
}

TEST(Mosaic, without_a_normal_the_order_is_assumed_and_said) {
  const Image image = std::get<Image>(read_bytes(mosaic(5, {}).bytes(), "m"));
  EXPECT_TRUE(image.is_volume());
  EXPECT_TRUE(std::any_of(image.remarks.begin(), image.remarks.end(),
                          [](const Remark& r) { return r.code == "mosaic_order_assumed"; }));
}

TEST(Csa, every_cut_header_is_read_or_empty) {
  const std::string whole = csa_of(7, {"0", "0.5", "-0.5"});
  const auto bytes = [](const std::string& s) {
    return std::span(reinterpret_cast<const std::uint8_t*>(s.data()), s.size());
  };
  const CsaHeader header = read_csa(bytes(whole));
  EXPECT_EQ(csa_numbers(header, "NumberOfImagesInMosaic"), std::vector<double>{7});
  EXPECT_EQ(csa_numbers(header, "SliceNormalVector"), (std::vector<double>{0, 0.5, -0.5}));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    static_cast<void>(read_csa(bytes(whole).first(length)));
    std::string odd = whole;
    odd[length] = '\xFF';
    static_cast<void>(read_csa(bytes(odd)));
  }
}

}  // namespace
}  // namespace penta::io::dicom
