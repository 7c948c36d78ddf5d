#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "core/parallel.h"
#include "core/random.h"
#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"
#include "io/dicom/words.h"

namespace penta::io::dicom {
namespace {

// Twin: 16-bit arithmetic against one value after the other in 64 bits, at all depths and near all limits.
TEST(DicomDirect, WordsAreThePlainOnes) {
  Random random(1);
  int fitted = 0, refused = 0;
  for (int turn = 0; turn < 20000; ++turn) {
    WordFormat format;
    format.bits_stored = 1 + static_cast<int>(random.bits() % 16);
    format.high_bit = format.bits_stored - 1 + static_cast<int>(random.bits() % static_cast<unsigned>(17 - format.bits_stored));
    format.is_signed = random.bits() % 2 == 0;
    constexpr std::array<std::int64_t, 10> intercepts{0, -1024, 1, -32768, 32767, -65535, 65536, 1'000'000, -1'000'000, -7};
    format.intercept = intercepts[random.bits() % intercepts.size()];
    std::vector<std::int16_t> fast(random.bits() % 40);
    for (std::int16_t& sample : fast) sample = static_cast<std::int16_t>(random.bits());
    std::vector<std::int16_t> plain = fast;
    const bool fits = to_values_plain(plain, format);
    ASSERT_EQ(to_values(fast, format), fits);
    if (fits) {
      ASSERT_EQ(fast, plain);
    }
    (fits ? fitted : refused) += 1;
  }
  EXPECT_GT(fitted, 1000);
  EXPECT_GT(refused, 1000);
}

Made ct_slice(int number, int first_value) {
  Made made(ct_class, "CT", 6, 5);
  made.text(tag::sop_instance, "1.2.3." + std::to_string(number + 1)).text(tag::instance_number, std::to_string(number));
  made.text(tag::image_position, "0\\0\\" + std::to_string(2 * number)).text(tag::image_orientation, "1\\0\\0\\0\\1\\0");
  made.text(tag::pixel_spacing, "1\\1").text(tag::slice_thickness, "2").text(tag::rescale_intercept, "-1024");
  made.text(tag::rescale_slope, "1");
  std::vector<std::uint16_t> values;
  for (int i = 0; i < 30; ++i) values.push_back(static_cast<std::uint16_t>(first_value + 10 * number + i));
  made.pixels(values);
  return made;
}

std::string hash_read(const Series& series) { return hash_of(std::get<Image>(read(series))); }

// Twin: what scan kept against headers parsed again, for one and for two threads, in native and in packed files.
TEST(DicomDirect, KeptHeadersGiveTheSameVolume) {
  for (const char* syntax : {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"}) {
    TestFolder folder;
    for (int z = 0; z < 7; ++z) folder.put("s" + std::to_string(z), ct_slice(z, 1000).bytes(syntax));
    const Catalogue catalogue = scan(folder.files());
    ASSERT_EQ(catalogue.series.size(), 1U) << syntax;
    Series series = catalogue.series.front();
    EXPECT_NE(series.parsed, nullptr) << syntax;
    const std::string kept = hash_read(series);
    const ThreadLimit one(1);
    EXPECT_EQ(hash_read(series), kept) << syntax;
    series.parsed.reset();
    EXPECT_EQ(hash_read(series), kept) << syntax;
    const Image image = std::get<Image>(read(series));
    EXPECT_EQ(std::get<Volume<std::int16_t>>(image.volume()).at(2, 1, 3), 1000 + 30 + 8 - 1024) << syntax;
  }
}

// A value that int16 does not hold makes the whole volume of a wider type.
TEST(DicomDirect, ValuesBeyondInt16AreKept) {
  TestFolder folder;
  for (int z = 0; z < 3; ++z) {
    Made made = ct_slice(z, z == 1 ? 65400 : 0);
    made.word(tag::pixel_representation, 0);
    folder.put("s" + std::to_string(z), made.bytes());
  }
  const Image image = std::get<Image>(read(scan(folder.files()).series.front()));
  const Volume<float> values = to_float(image.volume());
  EXPECT_EQ(values.at(0, 0, 1), 65400 + 10 - 1024);
  EXPECT_EQ(values.at(0, 0, 0), -1024);
}

// A file that was written anew after the scan is parsed again.
TEST(DicomDirect, ChangedFilesAreParsedAgain) {
  TestFolder folder;
  for (int z = 0; z < 3; ++z) folder.put("s" + std::to_string(z), ct_slice(z, 1000).bytes());
  const Series series = scan(folder.files()).series.front();
  Made longer = ct_slice(1, 2000);
  longer.text(tag::series_description, "longer than it was");
  folder.put("s1", longer.bytes());
  const Image image = std::get<Image>(read(series));
  EXPECT_EQ(std::get<Volume<std::int16_t>>(image.volume()).at(0, 0, 1), 2000 + 10 - 1024);
}

// A file cut after the scan is left out, and said.
TEST(DicomDirect, CutFilesAreSaid) {
  TestFolder folder;
  std::filesystem::path last;
  for (int z = 0; z < 3; ++z) last = folder.put("s" + std::to_string(z), ct_slice(z, 1000).bytes());
  const Series series = scan(folder.files()).series.front();
  std::filesystem::resize_file(last, std::filesystem::file_size(last) - 20);
  const Image image = std::get<Image>(read(series));
  EXPECT_EQ(grid_of(image.volume()).size()[2], 2);
  EXPECT_TRUE(std::any_of(image.remarks.begin(), image.remarks.end(), [](const Remark& r) { return r.code == "truncated"; }));
}

}  // namespace
}  // namespace penta::io::dicom
