// Published: names of pydicom's character set files as pydicom 3.0.2 decodes them (it drops an empty group at the end).
#include <gtest/gtest.h>

#include <array>

#include "core/test_data.h"
#include "io/dicom/internal.h"

namespace penta::io::dicom {
namespace {

struct Row {
  const char *file, *name;
};

constexpr std::array<Row, 15> rows{{
    {"chrArab", "\u0642\u0628\u0627\u0646\u064a^\u0644\u0646\u0632\u0627\u0631"},
    {"chrFren", "Buc^J\u00e9r\u00f4me"},
    {"chrFrenMulti", "Buc^J\u00e9r\u00f4me"},
    {"chrGerm", "\u00c4neas^R\u00fcdiger"},
    {"chrGreek", "\u0394\u03b9\u03bf\u03bd\u03c5\u03c3\u03b9\u03bf\u03c2"},
    {"chrH31", "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^\u305f\u308d\u3046"},
    {"chrH32", "\uff94\uff8f\uff80\uff9e^\uff80\uff9b\uff73=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^\u305f\u308d\u3046"},
    {"chrHbrw", "\u05e9\u05e8\u05d5\u05df^\u05d3\u05d1\u05d5\u05e8\u05d4"},
    {"chrI2", "Hong^Gildong=\u6d2a^\u5409\u6d1e=\ud64d^\uae38\ub3d9"},
    {"chrJapMulti", "\u3084\u307e\u3060^\u305f\u308d\u3046"},
    {"chrJapMultiExplicitIR6", "\u3084\u307e\u3060^\u305f\u308d\u3046"},
    {"chrKoreanMulti", "\uae40\ud76c\uc911"},
    {"chrRuss", "\u041b\u044e\u043ace\u043c\u0431yp\u0433"},
    {"chrX1", "Wang^XiaoDong=\u738b^\u5c0f\u6771="},
    {"chrX2", "Wang^XiaoDong=\u738b^\u5c0f\u4e1c="},
}};

class CharacterSet : public ::testing::TestWithParam<Row> {};

TEST_P(CharacterSet, PublishedNames) {
  const auto path = test_data(std::string("dicom/pydicom/charset_files/") + GetParam().file + ".dcm");
  if (!path) GTEST_SKIP() << "data not here: dicom/pydicom/charset_files";
  const Object object = load({GetParam().file, *path}, true);
  EXPECT_EQ(text(object.data(), tag::patient_name), GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(Files, CharacterSet, ::testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.file); });

// The character set of an item counts for what is in it.
TEST(CharacterSetOfItems, PublishedNames) {
  for (const char* file : {"chrSQEncoding", "chrSQEncoding1"}) {
    const auto path = test_data(std::string("dicom/pydicom/charset_files/") + file + ".dcm");
    if (!path) GTEST_SKIP() << "data not here: dicom/pydicom/charset_files";
    const Object object = load({file, *path}, true);
    DcmItem* item = first_item(object.data(), Tag{0x0032, 0x1064});
    ASSERT_NE(item, nullptr);
    EXPECT_EQ(text(*item, tag::patient_name), "\uff94\uff8f\uff80\uff9e^\uff80\uff9b\uff73=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^\u305f\u308d\u3046");
  }
}

}  // namespace
}  // namespace penta::io::dicom
