#include "io/dicom/write_capture.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/random.h"
#include "io/dicom/dicom.h"

// Inverses: pictures written and read again.
namespace penta::io::dicom {
namespace {

Provenance provenance() { return {"any.picture", "2", "0.1.0", "capture", "20260102030405", false}; }

Acquisition source() {
  Acquisition a;
  a.modality = "CT";
  a.study_uid = "2.25.77", a.series_uid = "2.25.78", a.study_date = "20240101", a.study_time = "120000";
  a.patient.id = "7", a.patient.sex = "F", a.patient.name = "Test^Person";
  a.instances = {{"1.2.840.10008.5.1.4.1.1.2", "2.25.80", 0}};
  return a;
}

Picture picture(std::int64_t width, std::int64_t height, bool grey, Random& random) {
  Picture out(width, height);
  for (Rgb8& pixel : out.pixels) {
    pixel.red = static_cast<std::uint8_t>(random.bits());
    pixel.green = grey ? pixel.red : static_cast<std::uint8_t>(random.bits());
    pixel.blue = grey ? pixel.red : static_cast<std::uint8_t>(random.bits());
  }
  return out;
}

void keep(const std::string& name, const std::vector<WrittenInstance>& instances) {
  const char* out = std::getenv("PENTA_TORTURE_OUT");
  if (out == nullptr) return;
  const std::filesystem::path folder = std::filesystem::path(out) / "derived" / name;
  std::filesystem::create_directories(folder);
  for (std::size_t i = 0; i < instances.size(); ++i)
    std::ofstream(folder / (std::to_string(i) + ".dcm"), std::ios::binary)
        .write(reinterpret_cast<const char*>(instances[i].bytes.data()),
               static_cast<std::streamsize>(instances[i].bytes.size()));
}

TEST(SecondaryCapture, colour_and_grey_come_back_in_runs_of_one_size) {
  Random random(3);
  const std::vector<Picture> pictures{picture(31, 17, false, random), picture(31, 17, false, random),
                                      picture(20, 9, true, random)};
  const auto written = write_secondary_capture(pictures, source(), {}, provenance());
  keep("capture", written);
  ASSERT_EQ(written.size(), 2U);
  const Image colour = std::get<Image>(read_bytes(written[0].bytes, "colour"));
  ASSERT_EQ(colour.frames().size(), 2U);
  for (std::size_t k = 0; k < 2; ++k)
    EXPECT_EQ(std::get<std::vector<Rgb8>>(colour.frames()[k].pixels), pictures[k].pixels);
  const Image grey = std::get<Image>(read_bytes(written[1].bytes, "grey"));
  const auto& bytes = std::get<std::vector<std::uint8_t>>(grey.frames().at(0).pixels);
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], pictures[2].pixels[i].red);
  EXPECT_EQ(grey.acquisition.study_uid, "2.25.77");
  EXPECT_EQ(grey.acquisition.patient.name, "Test^Person");
}

TEST(SecondaryCapture, says_what_it_is) {
  Random random(4);
  Acquisition synthetic = source();
  synthetic.synthetic = true;
  const std::vector<Picture> pictures{picture(8, 8, false, random)};
  const auto written = write_secondary_capture(pictures, synthetic, {"Overlay", "labels over CT", true}, provenance());
  keep("capture_synthetic", written);
  const std::string_view all(reinterpret_cast<const char*>(written.at(0).bytes.data()), written[0].bytes.size());
  for (const char* text : {"labels over CT; research use, not a medical device", "SYNTHETIC Overlay", "SYN-7", "2.25.80",
                           "DERIVED\\SECONDARY", "method any.picture, version 2", "WSD"})
    EXPECT_NE(all.find(text), std::string_view::npos) << text;
}

TEST(SecondaryCapture, refuses_what_is_no_picture) {
  EXPECT_THROW(static_cast<void>(write_secondary_capture({}, source(), {}, provenance())), Error);
  const std::vector<Picture> empty(1);
  EXPECT_THROW(static_cast<void>(write_secondary_capture(empty, source(), {}, provenance())), Error);
}

}  // namespace
}  // namespace penta::io::dicom
