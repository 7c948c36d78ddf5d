// Published: DICOM series against NIfTI files of the same series that other programs made (STS_025 and STS_002: those
// of the IBSI; the two whole bodies: derived from all slices with the SUV factor, see SOURCE.md of each set).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/test_data.h"
#include "io/dicom/dicom.h"
#include "io/nifti/nifti.h"

namespace penta::io::dicom {
namespace {

struct Pair {
  const char* name;
  const char* series;     ///< folder of one DICOM series
  const char* reference;  ///< NIfTI of it
  double factor;          ///< reference = factor * series
  double tolerance;       ///< of the reference's values
  std::int64_t voxels;    ///< in both
};

// The SUV factors and the steps of the stored SUV (0.002, 0.0025) are those of the sets' SOURCE.md.
constexpr std::array<Pair, 6> pairs{{
    {"sts_025_ct", "multi/sts-dicom/from-multi/dicom/STS_025/CT/image", "multi/sts/STS_025/CT_image.nii.gz", 1, 1e-3,
     966414},
    {"sts_025_mr", "multi/sts-dicom/from-multi/dicom/STS_025/MR_T1/image", "multi/sts/STS_025/MR_T1_image.nii.gz", 1,
     1e-3, 103125},
    {"sts_025_pet", "multi/sts-dicom/from-multi/dicom/STS_025/PET/image", "multi/sts/STS_025/PET_image.nii.gz", 1, 1e-5,
     59126},
    {"sts_002_pet", "multi/sts-dicom/STS_002/PET/image", "multi/sts/STS_002/PET_image.nii.gz", 1, 1e-5, 38880},
    {"qin_headneck", "pet/qin-headneck/dicom", "pet/qin-headneck/suv_crop.nii.gz", 4.01664e-4, 0.0022, 2003904},
    {"sts_001_raw", "pet/sts-raw-dicom/STS_001/FDG_PET/image", "pet/sts-raw-dicom/STS_001_wholebody_suv.nii.gz",
     2.429029766e-4, 0.0027, 770048},
}};

Volume<float> series_volume(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  const Catalogue catalogue = scan(files);
  return to_float(std::get<Image>(read(catalogue.series.at(0))).volume());
}

Volume<float> nifti_volume(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes(std::istreambuf_iterator<char>(file), {});
  return to_float(nifti::read(std::as_bytes(std::span(bytes)), path.filename().string()).volume());
}

double distance(const PatientPoint& a, const PatientPoint& b) { return std::hypot(a.x - b.x, a.y - b.y, a.z - b.z); }

class Published : public ::testing::TestWithParam<Pair> {};

// Every voxel lies within 0.03 mm of a voxel of the reference, and has its value. The 0.03 mm is for sts_001, where one
// of the scanner's gaps is 3.29 mm instead of 3.27 mm; the others lie within 0.001 mm.
TEST_P(Published, places_and_values_are_those_of_the_nifti) {
  const Pair& pair = GetParam();
  const auto folder = test_data(pair.series), path = test_data(pair.reference);
  if (!folder || !path) GTEST_SKIP() << "data not here: " << pair.series << " or " << pair.reference;
  const auto mine = series_volume(*folder), theirs = nifti_volume(*path);
  const Size3 size = mine.grid().size(), limit = theirs.grid().size();
  std::int64_t covered = 0;
  double off_mm = 0, off_value = 0;
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x) {
        const PatientPoint here =
            mine.grid().to_patient({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
        const IndexPoint there = theirs.grid().to_index(here);
        const std::array<std::int64_t, 3> at{std::llround(there.x), std::llround(there.y), std::llround(there.z)};
        if (at[0] < 0 || at[1] < 0 || at[2] < 0 || at[0] >= limit[0] || at[1] >= limit[1] || at[2] >= limit[2])
          continue;
        ++covered;
        const IndexPoint voxel{static_cast<double>(at[0]), static_cast<double>(at[1]), static_cast<double>(at[2])};
        off_mm = std::max(off_mm, distance(here, theirs.grid().to_patient(voxel)));
        off_value = std::max(off_value, std::abs(pair.factor * mine.at(x, y, z) - theirs.at(at[0], at[1], at[2])));
      }
  EXPECT_EQ(covered, pair.voxels);
  EXPECT_LT(off_mm, std::string(pair.name) == "sts_001_raw" ? 0.03 : 1e-3);
  EXPECT_LT(off_value, pair.tolerance);
}

INSTANTIATE_TEST_SUITE_P(Nifti, Published, ::testing::ValuesIn(pairs),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace penta::io::dicom
