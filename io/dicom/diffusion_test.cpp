// Phantom: gradient directions and times of volumes, known since they were made here.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {
namespace {

constexpr int columns = 3, rows = 2;

Made slice(double height_mm, int number) {
  Made made(mr_class, "MR", columns, rows);
  made.text(tag::sop_instance, "1.2.3.7." + std::to_string(number)).text(tag::instance_number, std::to_string(number));
  made.text(tag::image_position, "0\\0\\" + std::to_string(height_mm)).text(tag::image_orientation, "1\\0\\0\\0\\1\\0");
  made.text(tag::pixel_spacing, "1\\1").text(tag::slice_thickness, "2");
  made.pixels(std::vector<std::uint16_t>(columns * rows, static_cast<std::uint16_t>(number)));
  return made;
}

void put_doubles(DcmItem& item, Tag tag, const std::vector<double>& values) {
  item.putAndInsertFloat64Array(DcmTagKey(tag.group, tag.element), values.data(),
                                static_cast<unsigned long>(values.size()));
}

void put_gradient(Made& made, const std::string& vendor, double b, const std::vector<double>& direction) {
  DcmItem& data = made.data();
  if (vendor == "standard") {
    put_doubles(data, tag::b_value, {b});
    if (!direction.empty()) put_doubles(data, {0x0018, 0x9089}, direction);
  } else if (vendor == "Siemens") {
    data.putAndInsertString(DcmTag(0x0019, 0x0010, EVR_LO), "SIEMENS MR HEADER");
    data.putAndInsertString(DcmTag(0x0019, 0x100C, EVR_IS), std::to_string(std::lround(b)).c_str());
    if (!direction.empty())
      data.putAndInsertFloat64Array(DcmTag(0x0019, 0x100E, EVR_FD), direction.data(), 3);
  } else {
    data.putAndInsertString(DcmTag(0x2001, 0x0010, EVR_LO), "Philips Imaging DD 001");
    data.putAndInsertFloat32(DcmTag(0x2001, 0x1003, EVR_FL), static_cast<float>(b));
    data.putAndInsertString(DcmTag(0x2005, 0x0010, EVR_LO), "Philips MR Imaging DD 001");
    for (std::uint16_t i = 0; i < 3; ++i)
      data.putAndInsertFloat32(DcmTag(0x2005, static_cast<std::uint16_t>(0x10B0 + i), EVR_FL),
                               direction.empty() ? 0.F : static_cast<float>(direction[i]));
  }
}

Image read_only(const TestFolder& folder) {
  const auto series = scan(folder.files()).series;
  EXPECT_EQ(series.size(), 1U);
  return std::get<Image>(read(series.at(0)));
}

TEST(Gradients, directions_of_vendors_stand_beside_the_b_values) {
  const std::vector<std::pair<double, std::vector<double>>> volumes{
      {0, {}}, {1000, {0.6, 0, 0.8}}, {1000, {0, -0.6, 0.8}}, {2000, {0, 1, 0}}};
  for (const std::string vendor : {"standard", "Siemens", "Philips"}) {
    const TestFolder folder;
    int number = 0;
    for (const auto& [b, direction] : volumes)
      for (int z = 0; z < 3; ++z) {
        Made made = slice(2.0 * z, ++number);
        put_gradient(made, vendor, b, direction);
        folder.put("f" + std::to_string(number), made.bytes());
      }
    const Image image = read_only(folder);
    EXPECT_EQ(image.axis_values, (std::vector<double>{0, 1000, 1000, 2000})) << vendor;
    ASSERT_EQ(image.axis_directions.size(), 4U) << vendor;
    for (std::size_t v = 0; v < 4; ++v)
      for (std::size_t k = 0; k < 3; ++k)
        EXPECT_NEAR(image.axis_directions[v][k], v == 0 ? 0 : volumes[v].second[k], 1e-6) << vendor;
  }
}

// Private elements that have lost their VR, as in siemens_dwi_1000.dcm of nibabel-testdata.
TEST(Gradients, siemens_text_without_its_vr_is_text) {
  const TestFolder folder;
  for (int v = 0; v < 2; ++v) {
    Made made = slice(0, v + 1);
    DcmItem& data = made.data();
    const std::string value = v == 0 ? "0 " : "1000";
    data.putAndInsertString(DcmTag(0x0019, 0x0010, EVR_LO), "SIEMENS MR HEADER");
    auto element = std::make_unique<DcmOtherByteOtherWord>(DcmTag(0x0019, 0x100C, EVR_UN));
    element->putUint8Array(reinterpret_cast<const Uint8*>(value.data()), static_cast<unsigned long>(value.size()));
    data.insert(element.release());
    const bool implicit = v == 0;  // leaves no VR at all, where explicit says UN
    folder.put("f" + std::to_string(v), made.bytes(implicit ? "1.2.840.10008.1.2" : "1.2.840.10008.1.2.1"));
  }
  EXPECT_EQ(read_only(folder).axis_values, (std::vector<double>{0, 1000}));
}

TEST(Gradients, without_any_direction_none_is_given_and_a_trace_is_said) {
  for (const bool some : {false, true}) {
    const TestFolder folder;
    int number = 0;
    for (const double b : {0.0, 500.0, 1000.0})
      for (int z = 0; z < 2; ++z) {
        Made made = slice(2.0 * z, ++number);
        put_gradient(made, "standard", b, some && b > 900 ? std::vector<double>{1, 0, 0} : std::vector<double>{});
        folder.put("f" + std::to_string(number), made.bytes());
      }
    const Image image = read_only(folder);
    EXPECT_EQ(image.axis_values.size(), 3U);
    EXPECT_EQ(image.axis_directions.size(), some ? 3U : 0U);
    bool said = false;
    for (const Remark& remark : image.remarks) said = said || remark.code == "no_gradient_direction";
    EXPECT_EQ(said, some);
  }
}

// --- when volumes began --------------------------------------------------------------------------------------------

TEST(VolumeTimes, temporal_positions_take_their_times_from_the_clock) {
  const TestFolder folder;
  int number = 0;
  for (int t = 0; t < 3; ++t)
    for (int z = 0; z < 2; ++z) {
      ++number;
      folder.put("f" + std::to_string(number),
                 slice(2.0 * z, number)
                     .text(tag::temporal_position, std::to_string(t + 1))
                     .text(tag::acquisition_time, "10000" + std::to_string(2 * t + z) + ".5")
                     .bytes());
    }
  const Image image = read_only(folder);
  EXPECT_EQ(image.axis, SequenceAxis::time);
  EXPECT_EQ(image.axis_values, (std::vector<double>{0, 2, 4}));
}

TEST(VolumeTimes, triggers_go_before_the_clock) {
  const TestFolder folder;
  int number = 0;
  for (int t = 0; t < 3; ++t)
    for (int z = 0; z < 2; ++z) {
      ++number;
      folder.put("f" + std::to_string(number), slice(2.0 * z, number)
                                                   .text(tag::temporal_position, std::to_string(t + 1))
                                                   .text(tag::trigger_time, std::to_string(40 * t))
                                                   .text(tag::acquisition_time, "10000" + std::to_string(z))
                                                   .bytes());
    }
  const Image image = read_only(folder);
  ASSERT_EQ(image.axis_values.size(), 3U);
  for (std::size_t t = 0; t < 3; ++t) EXPECT_NEAR(image.axis_values[t], 0.04 * static_cast<double>(t), 1e-12);
}

TEST(VolumeTimes, a_clock_that_runs_back_gives_none) {
  const TestFolder folder;
  int number = 0;
  for (int t = 0; t < 3; ++t)
    for (int z = 0; z < 2; ++z) {
      ++number;
      folder.put("f" + std::to_string(number),
                 slice(2.0 * z, number)
                     .text(tag::temporal_position, std::to_string(t + 1))
                     .text(tag::acquisition_time, t < 2 ? "23595" + std::to_string(t) : "000001")
                     .bytes());
    }
  const Image image = read_only(folder);
  EXPECT_EQ(std::get<VolumeSequence>(image.pixels).size(), 3U);
  EXPECT_TRUE(image.axis_values.empty());
}

}  // namespace
}  // namespace penta::io::dicom
