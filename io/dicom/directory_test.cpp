#include <gtest/gtest.h>

#include <algorithm>

#include "core/test_data.h"
#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {
namespace {

bool has_code(const std::vector<Remark>& faults, const std::string& code) {
  return std::any_of(faults.begin(), faults.end(), [&](const Remark& fault) { return fault.code == code; });
}

std::size_t files_in(const Catalogue& catalogue) {
  std::size_t count = 0;
  for (const Series& series : catalogue.series) count += series.files.size();
  return count;
}

Made listing(const std::vector<std::string>& names) {
  Made made("1.2.840.10008.1.3.10", "", 0, 0, 0);
  for (const std::string& name : names) set_text(new_item(made.data(), {0x0004, 0x1220}), {0x0004, 0x1500}, name);
  return made;
}

// A DICOMDIR given alone stands for its files; names may differ in the case of letters; nothing outside is opened.
TEST(Directory, stands_for_the_files_that_it_names) {
  const TestFolder folder;
  Made slice(ct_class, "CT", 4, 4, 16);
  slice.text(tag::image_position, "0\\0\\0").text(tag::image_orientation, "1\\0\\0\\0\\1\\0").text(tag::pixel_spacing, "1\\1");
  slice.pixels(std::vector<std::uint16_t>(16, 3));
  static_cast<void>(folder.put("im1", slice.bytes()));
  const std::vector<std::filesystem::path> alone{folder.put("DICOMDIR", listing({"IM1", "IM2", "..\\IM3"}).bytes())};
  const Catalogue catalogue = scan(alone);
  EXPECT_EQ(files_in(catalogue), 1U);
  EXPECT_TRUE(has_code(catalogue.faults, "dicomdir"));
  const auto missing = std::find_if(catalogue.faults.begin(), catalogue.faults.end(),
                                    [](const Remark& fault) { return fault.code == "dicomdir_missing"; });
  ASSERT_NE(missing, catalogue.faults.end());
  EXPECT_NE(missing->text.find("2 files"), std::string::npos) << missing->text;
  EXPECT_EQ(files_in(scan(folder.files())), 1U);  // beside its file, which is not read twice
}

TEST(Directory, PublishedDirectories) {
  const auto folder = test_data("dicom/pydicom/test_files/dicomdirtests");
  if (!folder) GTEST_SKIP() << "data not here: dicom/pydicom/test_files/dicomdirtests";
  for (const char* name : {"DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit", "DICOMDIR-nooffset", "DICOMDIR-reordered"}) {
    const std::vector<std::filesystem::path> alone{*folder / name};
    const Catalogue catalogue = scan(alone);
    EXPECT_EQ(files_in(catalogue), 31U) << name;
    EXPECT_FALSE(has_code(catalogue.faults, "dicomdir_missing")) << name;
  }
}

}  // namespace
}  // namespace penta::io::dicom
