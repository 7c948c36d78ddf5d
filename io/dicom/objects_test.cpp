#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/test_data.h"
#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {
namespace {

constexpr Tag position{0x0020, 0x0032}, orientation{0x0020, 0x0037};

std::vector<std::filesystem::path> files_under(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) out.push_back(entry.path());
  return out;
}

Made nm_slices(const std::string& between) {
  Made made(nm_class, "NM", 4, 3);
  made.text(tag::image_type, "ORIGINAL\\PRIMARY\\RECON TOMO\\EMISSION").text(tag::number_of_frames, "5");
  made.text(tag::pixel_spacing, "4\\4").text(tag::slice_thickness, "4").text(tag::spacing_between_slices, between);
  DcmItem& detector = new_item(made.data(), tag::detector_sequence);
  set_text(detector, position, "-6\\-4\\100");
  set_text(detector, orientation, "1\\0\\0\\0\\1\\0");
  std::vector<std::uint16_t> order(5), values;
  std::iota(order.begin(), order.end(), std::uint16_t{1});
  made.words(tag::slice_vector, order);
  for (int frame = 0; frame < 5; ++frame) values.insert(values.end(), 12, static_cast<std::uint16_t>(frame * 10));
  made.pixels(values);
  return made;
}

// Phantom: frame k holds 10 k and lies k slice distances along (or against) the normal.
TEST(Nm, negative_slice_distance_is_placed_right_and_said) {
  for (const double between : {4.0, -4.0}) {
    const auto bytes = nm_slices(between > 0 ? "4" : "-4").bytes();
    const Image image = std::get<Image>(read_bytes(bytes, "nm"));
    EXPECT_EQ(image.acquisition.modality, "SPECT");
    const auto volume = to_float(image.volume());
    for (int k = 0; k < 5; ++k) {
      const IndexPoint at = volume.grid().to_index({-6, -4, 100 + k * between});
      EXPECT_EQ(volume.at(0, 0, std::lround(at.z)), static_cast<float>(10 * k));
    }
    const bool said = std::any_of(image.remarks.begin(), image.remarks.end(),
                                  [](const Remark& remark) { return remark.code == "negative_spacing"; });
    EXPECT_EQ(said, between < 0);
  }
}

// Two detectors opposite each other, two windows, three views each: the value names the frame.
TEST(Nm, projections_go_to_their_view_gate_and_window) {
  Made made(nm_class, "NM", 2, 2);
  made.text(tag::image_type, "ORIGINAL\\PRIMARY\\TOMO\\EMISSION");
  made.text(tag::number_of_frames, "12").text(tag::pixel_spacing, "4\\5");
  std::vector<std::uint16_t> window, detector, view, values;
  for (std::uint16_t w = 1; w <= 2; ++w)
    for (std::uint16_t d = 1; d <= 2; ++d)
      for (std::uint16_t v = 1; v <= 3; ++v) {
        window.push_back(w);
        detector.push_back(d);
        view.push_back(v);
        values.insert(values.end(), 4, static_cast<std::uint16_t>(100 * w + 10 * d + v));
      }
  made.words(tag::energy_window_vector, window).words(tag::detector_vector, detector);
  made.words(tag::angular_view_vector, view);
  for (const char* start : {"180", "0"}) {
    DcmItem& one = new_item(made.data(), tag::detector_sequence);
    set_text(one, tag::start_angle, start);
    set_text(one, position, "0\\0\\50");
    set_text(one, orientation, "1\\0\\0\\0\\0\\-1");
  }
  DcmItem& rotation = new_item(made.data(), tag::rotation_sequence);
  set_text(rotation, tag::rotation_direction, "CC");
  set_text(rotation, tag::angular_step, "60");
  set_text(rotation, tag::scan_arc, "180");
  set_text(rotation, tag::radial_position, "200\\201\\202");
  const auto bytes = made.pixels(values).bytes();
  const RawData raw = std::get<RawData>(read_bytes(bytes, "nm"));
  const auto& p = std::get<Projections>(raw.value);
  ASSERT_EQ(p.angle_deg.size(), 6U);
  ASSERT_EQ(p.layers.size(), 2U);
  // Counter-clockwise counts up (PS3.3 C.8.4.12).
  EXPECT_NEAR(p.angle_deg[0], 180, 1e-9);
  EXPECT_NEAR(p.angle_deg[1], 240, 1e-9);
  EXPECT_NEAR(p.angle_deg[3], 0, 1e-9);
  EXPECT_EQ(p.layers[1][4 * 4], 222.0F);
  EXPECT_EQ(p.spacing_mm[0], 5);
  EXPECT_EQ(p.axial_step_mm, -4);
  EXPECT_EQ(p.axial_start_mm, 50);
  EXPECT_EQ(p.radius_mm.at(5), 202);
}

TEST(Enhanced, slices_come_from_functional_groups) {
  Made made(enhanced_ct_class, "CT", 2, 2);
  made.text(tag::number_of_frames, "3");
  DcmItem& shared = new_item(made.data(), tag::shared_groups);
  set_text(new_item(shared, {0x0020, 0x9116}), orientation, "1\\0\\0\\0\\1\\0");
  set_text(new_item(shared, {0x0028, 0x9110}), tag::pixel_spacing, "1\\1");
  DcmItem& values = new_item(shared, {0x0028, 0x9145});
  set_text(values, tag::rescale_intercept, "-1000");
  set_text(values, tag::rescale_slope, "1");
  set_text(values, tag::rescale_type, "HU");
  for (const char* z : {"4", "0", "2"}) {
    DcmItem& frame = new_item(made.data(), tag::per_frame_groups);
    set_text(new_item(frame, {0x0020, 0x9113}), position, std::string("0\\0\\") + z);
  }
  const auto bytes = made.pixels({40, 40, 40, 40, 0, 0, 0, 0, 20, 20, 20, 20}).bytes();
  const Image image = std::get<Image>(read_bytes(bytes, "enhanced"));
  EXPECT_EQ(image.unit, "[hnsf'U]");
  const auto volume = to_float(image.volume());
  EXPECT_EQ(volume.at(0, 0, 0), -1000);
  EXPECT_EQ(volume.at(1, 1, 1), -980);
  EXPECT_EQ(volume.at(0, 0, 2), -960);
  EXPECT_EQ(image.acquisition.instances.at(0).frame, 2);
}

TEST(Rtstruct, regions_have_names_numbers_and_points) {
  Made made(rtstruct_class, "RTSTRUCT", 0, 0);
  DcmItem& roi = new_item(made.data(), {0x3006, 0x0020});
  set_text(roi, {0x3006, 0x0022}, "7");
  set_text(roi, {0x3006, 0x0026}, "Liver");
  DcmItem& drawn = new_item(made.data(), {0x3006, 0x0039});
  set_text(drawn, {0x3006, 0x002A}, "10\\20\\30");
  set_text(drawn, {0x3006, 0x0084}, "7");
  DcmItem& contour = new_item(drawn, {0x3006, 0x0040});
  set_text(contour, {0x3006, 0x0042}, "CLOSED_PLANAR");
  set_text(contour, {0x3006, 0x0050}, "1\\2\\3\\4\\5\\6\\7\\8\\9.5");
  DcmItem& observation = new_item(made.data(), {0x3006, 0x0080});
  set_text(observation, {0x3006, 0x0084}, "7");
  set_text(observation, {0x3006, 0x00A4}, "ORGAN");
  const auto bytes = made.bytes();
  const Contours contours = std::get<Contours>(read_bytes(bytes, "rs"));
  ASSERT_EQ(contours.regions.size(), 1U);
  const ContourRegion& region = contours.regions[0];
  EXPECT_EQ(region.name, "Liver");
  EXPECT_EQ(region.number, 7);
  EXPECT_EQ(region.interpreted_type, "ORGAN");
  EXPECT_EQ(region.colour, (std::array<unsigned char, 3>{10, 20, 30}));
  ASSERT_EQ(region.contours.size(), 1U);
  EXPECT_EQ(region.contours[0].points_mm.at(2), (PatientPoint{7, 8, 9.5}));
}

TEST(Pet, facts_hold_dose_times_and_units) {
  Made made(pet_class, "PT", 2, 2);
  made.text(tag::units, "BQML").text(tag::decay_correction, "START").text(tag::series_date, "20200301");
  made.text(tag::series_time, "100000").text(tag::acquisition_time, "100500.50").text(tag::patient_weight, "70");
  made.text(tag::image_position, "0\\0\\0").text(tag::image_orientation, "1\\0\\0\\0\\1\\0");
  made.text(tag::pixel_spacing, "2\\2");
  made.text(tag::slice_thickness, "3").text(tag::rescale_slope, "0.5").text(tag::rescale_intercept, "0");
  DcmItem& tracer = new_item(made.data(), tag::radiopharmaceutical_sequence);
  set_text(tracer, tag::injected_dose, "350000000");
  set_text(tracer, tag::half_life, "6586.2");
  set_text(tracer, tag::injection_time, "090000");
  const auto bytes = made.pixels({1, 2, 3, 4}).bytes();
  const Image image = std::get<Image>(read_bytes(bytes, "pet"));
  EXPECT_EQ(image.unit, "Bq/mL");
  EXPECT_EQ(to_float(image.volume()).at(1, 1, 0), 2.0F);
  const PetFacts& facts = *facts_of<PetFacts>(image.acquisition);
  EXPECT_EQ(*facts.injected_dose_bq, 350000000);
  EXPECT_NEAR(*facts.half_life_s, 6586.2, 1e-9);
  EXPECT_EQ(*facts.series_time_s - *facts.injection_time_s, 3600);
  EXPECT_NEAR(*facts.acquisition_time_s - *facts.series_time_s, 300.5, 1e-3);
  EXPECT_EQ(*image.acquisition.patient.weight_kg, 70);
}

// Published: the counts that the camera wrote into (0018,0070), 60 views and 8 gates (SOURCE.md of the set).
TEST(Real, gated_projections_of_the_heart) {
  const auto folder = test_data("spect/mpi-gated-kuwait");
  if (!folder) GTEST_SKIP() << "data not here: spect/mpi-gated-kuwait";
  const Catalogue catalogue = scan(files_under(*folder));
  ASSERT_EQ(catalogue.series.size(), 1U);
  const RawData raw = std::get<RawData>(read(catalogue.series[0]));
  const auto& p = std::get<Projections>(raw.value);
  EXPECT_EQ(p.angle_deg.size(), 60U);
  EXPECT_EQ(p.gates, 8);
  EXPECT_EQ(p.layers.size(), 8U);
  double counts = 0;
  for (const auto& layer : p.layers) counts = std::accumulate(layer.begin(), layer.end(), counts);
  EXPECT_EQ(counts, 12813014);
  EXPECT_NEAR(p.angle_deg[0], 225.23, 1e-6);  // right anterior oblique
  EXPECT_TRUE(p.axial_known);
  EXPECT_LT(p.axial_step_mm, 0);
}

// Twin: mean grey values of the first frames, equal to those of pydicom 3.0.2 (the lossy cine within 0.03).
TEST(Real, nine_of_nine_ultrasound_files) {
  const auto folder = test_data("us/dicom-us");
  if (!folder) GTEST_SKIP() << "data not here: us/dicom-us";
  const Catalogue catalogue = scan(files_under(*folder));
  EXPECT_EQ(catalogue.series.size(), 9U);
  const std::map<std::string, double> means{
      {"gdcm-US-ALOKA-16.dcm", 29.41392},  {"JPGLosslessP14SV1_1s_1f_8b.dcm", 17.25783},
      {"ExplVR_BigEnd.dcm", 222.4357},     {"examples_ybr_color.dcm", 9.4526},
      {"OBXXXX1A_rle_2frame.dcm", 11.84612}, {"examples_palette.dcm", 19.46997},
      {"US1_J2KR.dcm", 35.59719},          {"US-YBR_FULL_422-EVRLE.dcm", 15.63402},
      {"color-pl.dcm", 40.35574}};
  int with_mm = 0, colour = 0;
  std::size_t frames = 0;
  for (const Series& series : catalogue.series) {
    const Image image = std::get<Image>(read(series));
    const Frame2d& first = image.frames().at(0);
    frames += image.frames().size();
    const auto grey = first.grey();
    const double mean = std::accumulate(grey.begin(), grey.end(), 0.0) / static_cast<double>(grey.size());
    const std::string name = series.files.at(0).filename().string();
    EXPECT_NEAR(mean, means.at(name), name == "examples_ybr_color.dcm" ? 0.03 : 1e-3) << name;
    with_mm += first.spacing_mm ? 1 : 0;
    colour += std::holds_alternative<std::vector<Rgb8>>(first.pixels) ? 1 : 0;
  }
  EXPECT_EQ(frames, 39U);
  EXPECT_EQ(colour, 8);
  EXPECT_EQ(with_mm, 3);
}

// Twin: the largest value that pydicom 3.0.2 gives with each slice's own slope.
TEST(Real, whole_body_pet) {
  const auto folder = test_data("pet/sts-raw-dicom");
  if (!folder) GTEST_SKIP() << "data not here: pet/sts-raw-dicom";
  const Catalogue catalogue = scan(files_under(*folder));
  ASSERT_EQ(catalogue.series.size(), 2U);
  const Contours contours = std::get<Contours>(read(catalogue.series[0]));
  EXPECT_EQ(contours.regions.at(0).name, "GTV_Mass");
  const Image image = std::get<Image>(read(catalogue.series[1]));
  EXPECT_EQ(contours.referenced_series_uid, image.acquisition.series_uid);
  const auto volume = to_float(image.volume());
  EXPECT_EQ(volume.grid().size(), (Size3{128, 128, 47}));
  EXPECT_NEAR(*std::max_element(volume.voxels().begin(), volume.voxels().end()), 32567.2, 0.05);
  EXPECT_TRUE(facts_of<PetFacts>(image.acquisition)->injected_dose_bq);
}

}  // namespace
}  // namespace penta::io::dicom
