// Published: one picture in several encodings (pydicom's and cornerstone's files) gives the same values from each; what
// the lossless ones hold is fixed by the uncompressed file.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/test_data.h"
#include "io/dicom/internal.h"

namespace penta::io::dicom {
namespace {

// Stored values of all frames, or their colours.
std::string digest(const std::filesystem::path& path) {
  const Object object = load({path.filename().string(), path}, true);
  const Frames frames(object);
  Sha256 hash;
  std::vector<std::int32_t> values(static_cast<std::size_t>(frames.layout().pixels()));
  for (std::int64_t f = 0; f < frames.layout().frames; ++f) {
    if (frames.layout().is_colour()) {
      const auto colours = frames.colour(f);
      hash.add(std::as_bytes(std::span(colours)));
    } else {
      frames.stored(f, values);
      hash.add(std::as_bytes(std::span(values)));
    }
  }
  return hash.hex();
}

struct Same {
  const char *plain, *coded;
};

constexpr std::array<Same, 27> rows{{
    {"pydicom-data/liver.dcm", "pydicom-data/liver_rle.dcm"},
    {"pydicom-data/liver.dcm", "pydicom-data/liver_j2k.dcm"},
    {"pydicom-data/liver.dcm", "pydicom-data/liver_deflate.dcm"},
    {"pydicom-data/liver.dcm", "pydicom-data/liver_expb.dcm"},
    {"pydicom-data/liver_nonbyte_aligned.dcm", "pydicom-data/liver_nonbyte_aligned_rle.dcm"},
    {"pydicom-data/liver_nonbyte_aligned.dcm", "pydicom-data/liver_nonbyte_aligned_j2k.dcm"},
    {"pydicom-data/liver_nonbyte_aligned.dcm", "pydicom-data/liver_nonbyte_aligned_deflate.dcm"},
    {"pydicom-data/emri_small.dcm", "pydicom-data/emri_small_RLE.dcm"},
    {"pydicom-data/emri_small.dcm", "pydicom-data/emri_small_big_endian.dcm"},
    {"pydicom-data/emri_small.dcm", "pydicom-data/emri_small_jpeg_2k_lossless.dcm"},
    {"pydicom-data/emri_small.dcm", "pydicom-data/emri_small_jpeg_ls_lossless.dcm"},
    {"pydicom-data/SC_rgb.dcm", "pydicom-data/SC_rgb_expb.dcm"},
    {"pydicom-data/SC_rgb.dcm", "pydicom/test_files/SC_rgb_rle.dcm"},
    {"pydicom-data/SC_rgb_16bit.dcm", "pydicom/test_files/SC_rgb_rle_16bit.dcm"},
    {"pydicom-data/SC_rgb_32bit.dcm", "pydicom/test_files/SC_rgb_rle_32bit.dcm"},
    {"pydicom/test_files/MR_small.dcm", "pydicom/test_files/MR_small_RLE.dcm"},
    {"pydicom/test_files/MR_small.dcm", "pydicom/test_files/MR_small_jp2klossless.dcm"},
    {"pydicom/test_files/MR_small.dcm", "pydicom/test_files/MR_small_jpeg_ls_lossless.dcm"},
    {"pydicom/test_files/MR_small.dcm", "pydicom/test_files/MR_small_implicit.dcm"},
    {"pydicom/test_files/MR_small.dcm", "pydicom/test_files/MR_small_bigendian.dcm"},
    {"pydicom/test_files/rtdose.dcm", "pydicom/test_files/rtdose_rle.dcm"},
    {"pydicom/test_files/rtdose.dcm", "pydicom/test_files/rtdose_expb.dcm"},
    {"cornerstone3d/CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm",
     "cornerstone3d/CTImage.dcm_RLELosslessTransferSyntax_1.2.840.10008.1.2.5.dcm"},
    {"cornerstone3d/CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm",
     "cornerstone3d/CTImage.dcm_JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80.dcm"},
    {"cornerstone3d/CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm",
     "cornerstone3d/CTImage.dcm_JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90.dcm"},
    {"cornerstone3d/CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm",
     "cornerstone3d/CTImage.dcm_JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70.dcm"},
    {"cornerstone3d/CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm",
     "cornerstone3d/CTImage.dcm_JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57.dcm"},
}};

class PublishedCodecs : public ::testing::TestWithParam<Same> {};

TEST_P(PublishedCodecs, TheSamePicture) {
  const auto plain = test_data(std::string("dicom/") + GetParam().plain);
  const auto coded = test_data(std::string("dicom/") + GetParam().coded);
  if (!plain || !coded) GTEST_SKIP() << "data not here: dicom/" << GetParam().plain << " or " << GetParam().coded;
  EXPECT_EQ(digest(*coded), digest(*plain));
}

INSTANTIATE_TEST_SUITE_P(Files, PublishedCodecs, ::testing::ValuesIn(rows));

// 7 bits a sample, which DCMTK's decoder refuses: what pydicom with pyjpegls gives.
TEST(PublishedJpegLs, SevenBits) {
  const auto path = test_data("dicom/pydicom-data/JLSL_08_07_0_1F.dcm");
  if (!path) GTEST_SKIP() << "data not here: dicom/pydicom-data/JLSL_08_07_0_1F.dcm";
  const Object object = load({"JLSL_08_07", *path}, true);
  const Frames frames(object);
  std::vector<std::int32_t> values(static_cast<std::size_t>(frames.layout().pixels()));
  frames.stored(0, values);
  EXPECT_EQ(std::accumulate(values.begin(), values.end(), std::int64_t{0}), 775483);
}

}  // namespace
}  // namespace penta::io::dicom
