// Phantom: series of several volumes made here; what tells them apart is known.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {
namespace {

constexpr int columns = 3, rows = 2;

// All pixels of a slice hold `value`.
Made slice(double height_mm, int number, std::uint16_t value) {
  Made made(mr_class, "MR", columns, rows);
  made.text(tag::sop_instance, "1.2.3.4." + std::to_string(number)).text(tag::instance_number, std::to_string(number));
  made.text(tag::image_position, "0\\0\\" + std::to_string(height_mm)).text(tag::image_orientation, "1\\0\\0\\0\\1\\0");
  made.text(tag::pixel_spacing, "1\\1").text(tag::slice_thickness, "2");
  made.pixels(std::vector<std::uint16_t>(columns * rows, value));
  return made;
}

void put(const TestFolder& folder, const Made& made) {
  static int count = 0;
  folder.put("f" + std::to_string(count++), made.bytes());
}

bool has_code(const std::vector<Remark>& remarks, const std::string& code) {
  return std::any_of(remarks.begin(), remarks.end(), [&](const Remark& remark) { return remark.code == code; });
}

std::vector<Image> read_all(const TestFolder& folder) {
  std::vector<Image> out;
  for (const Series& series : scan(folder.files()).series) out.push_back(std::get<Image>(read(series)));
  return out;
}

float first_voxel(const AnyVolume& volume) { return to_float(volume).at(0, 0, 0); }

void put_doubles(DcmItem& item, Tag tag, const std::vector<double>& values) {
  item.putAndInsertFloat64Array(DcmTagKey(tag.group, tag.element), values.data(),
                                static_cast<unsigned long>(values.size()));
}

// --- several volumes, one file a slice -----------------------------------------------------------------------------

TEST(Sequence, b_values_and_directions_together_make_volumes) {
  const TestFolder folder;
  // Two b = 0 images have no direction; the two of b = 1000 differ only in theirs.
  const std::vector<std::pair<double, std::vector<double>>> volumes{{0, {}}, {1000, {1, 0, 0}}, {1000, {0, 1, 0}}};
  for (int v = 0; v < 3; ++v)
    for (int z = 0; z < 4; ++z) {
      const auto& [b, direction] = volumes[static_cast<std::size_t>(v)];
      Made made = slice(2.0 * z, 10 * v + z, static_cast<std::uint16_t>(100 * v + z));
      put_doubles(made.data(), tag::b_value, {b});
      if (!direction.empty()) put_doubles(made.data(), {0x0018, 0x9089}, direction);
      put(folder, made);
    }
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 1U);
  const auto& found = std::get<VolumeSequence>(images[0].pixels);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(images[0].axis, SequenceAxis::b_value);
  EXPECT_EQ(images[0].axis_values, (std::vector<double>{0, 1000, 1000}));
  for (std::size_t v = 0; v < 3; ++v) EXPECT_EQ(first_voxel(found[v]), 100.F * static_cast<float>(v));
}

TEST(Sequence, echoes_at_several_times_are_told_apart_by_both) {
  const TestFolder folder;
  int number = 0;
  for (int t = 0; t < 2; ++t)
    for (int e = 0; e < 2; ++e)
      for (int z = 0; z < 3; ++z)
        put(folder, slice(2.0 * z, number++, static_cast<std::uint16_t>(10 * t + e))
                        .text(tag::temporal_position, std::to_string(t + 1))
                        .text(tag::echo_time, e == 0 ? "10" : "20"));
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(std::get<VolumeSequence>(images[0].pixels).size(), 4U);
  EXPECT_EQ(images[0].axis, SequenceAxis::echo);
  EXPECT_EQ(images[0].axis_values, (std::vector<double>{10, 10, 20, 20}));
}

TEST(Sequence, trigger_times_that_differ_by_slice_still_give_the_order) {
  const TestFolder folder;
  for (int phase = 0; phase < 3; ++phase)
    for (int z = 0; z < 3; ++z)
      put(folder, slice(2.0 * z, 30 - 10 * phase + z, static_cast<std::uint16_t>(phase))
                      .text(tag::trigger_time, std::to_string(100 * phase + 7 * z)));
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 1U);
  const auto& found = std::get<VolumeSequence>(images[0].pixels);
  ASSERT_EQ(found.size(), 3U);
  for (std::size_t p = 0; p < 3; ++p) EXPECT_EQ(first_voxel(found[p]), static_cast<float>(p));
}

TEST(Sequence, a_volume_that_was_broken_off_is_an_entry_of_its_own) {
  const TestFolder folder;
  for (int t = 0; t < 3; ++t)
    for (int z = 0; z < (t < 2 ? 4 : 2); ++z)
      put(folder, slice(2.0 * z, 10 * t + z, static_cast<std::uint16_t>(t))
                      .text(tag::temporal_position, std::to_string(t + 1)));
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(std::get<VolumeSequence>(images[0].pixels).size(), 2U);
  EXPECT_EQ(grid_of(images[1].volume()).size()[2], 2);
  EXPECT_TRUE(has_code(images[0].remarks, "uneven_sequence"));
}

TEST(Sequence, uneven_slices_at_several_times_keep_their_places) {
  const TestFolder folder;
  for (int t = 0; t < 2; ++t)
    for (const int z : {0, 2, 7})
      put(folder, slice(z, 10 * t + z, static_cast<std::uint16_t>(t))
                      .text(tag::temporal_position, std::to_string(t + 1)));
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 2U);
  for (const Image& image : images) EXPECT_EQ(std::get<SliceStack>(image.pixels).slices.size(), 3U);
}

TEST(Sequence, missing_slices_are_named_by_their_place) {
  const TestFolder folder;
  for (const int z : {0, 2, 4, 8, 10}) put(folder, slice(z, z, 1));
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 1U);
  const std::string& why = std::get<SliceStack>(images[0].pixels).why;
  EXPECT_NE(why.find("1 slice is missing"), std::string::npos) << why;
  EXPECT_NE(why.find("(0, 0, 6) mm"), std::string::npos) << why;
}

TEST(Sequence, slices_a_little_off_are_even_and_said) {
  for (const double off : {0.04, 0.3}) {
    const TestFolder folder;
    for (const double z : {0.0, 2.0, 4.0, 6.0 + off, 8.0, 10.0}) put(folder, slice(z, static_cast<int>(10 * z), 1));
    const auto images = read_all(folder);
    ASSERT_EQ(images.size(), 1U);
    EXPECT_EQ(images[0].is_volume(), off < 0.1);
    EXPECT_TRUE(has_code(images[0].remarks, off < 0.1 ? "nearly_even_slices" : "uneven_slices"));
  }
}

TEST(Sequence, windows_and_gates_of_nuclear_slices_are_told_apart) {
  Made made(nm_class, "NM", columns, rows);
  made.text(tag::image_type, "ORIGINAL\\PRIMARY\\RECON GATED TOMO\\EMISSION").text(tag::number_of_frames, "8");
  made.text(tag::pixel_spacing, "4\\4").text(tag::slice_thickness, "4").text(tag::spacing_between_slices, "4");
  DcmItem& detector = new_item(made.data(), tag::detector_sequence);
  set_text(detector, tag::image_position, "0\\0\\0");
  set_text(detector, tag::image_orientation, "1\\0\\0\\0\\1\\0");
  std::vector<std::uint16_t> window, slot, order, values;
  for (std::uint16_t w = 1; w <= 2; ++w)
    for (std::uint16_t g = 1; g <= 2; ++g)
      for (std::uint16_t z = 1; z <= 2; ++z) {
        window.push_back(w);
        slot.push_back(g);
        order.push_back(z);
        values.insert(values.end(), columns * rows, static_cast<std::uint16_t>(100 * w + 10 * g));
      }
  made.words(tag::energy_window_vector, window).words(tag::time_slot_vector, slot).words(tag::slice_vector, order);
  made.pixels(values);
  const Image image = std::get<Image>(read_bytes(made.bytes(), "nm"));
  const auto& volumes = std::get<VolumeSequence>(image.pixels);
  ASSERT_EQ(volumes.size(), 4U);
  std::vector<float> found;
  for (const AnyVolume& volume : volumes) found.push_back(first_voxel(volume));
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<float>{110, 120, 210, 220}));
}

TEST(Sequence, one_slice_without_a_thickness_keeps_its_place) {
  const TestFolder folder;
  Made made = slice(40, 1, 5);
  made.data().findAndDeleteElement(DCM_SliceThickness);
  put(folder, made);
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 1U);
  const auto& stack = std::get<SliceStack>(images[0].pixels);
  ASSERT_EQ(stack.slices.size(), 1U);
  EXPECT_EQ(stack.slices[0].origin_mm, (PatientPoint{0, 0, 40}));
  EXPECT_TRUE(has_code(images[0].remarks, "single_slice"));
}

// --- what vendors say in private -----------------------------------------------------------------------------------

void put_private(Made& made, std::uint16_t group, const char* creator, std::uint16_t element, const char* vr,
                 const std::string& value) {
  made.data().putAndInsertString(DcmTag(group, 0x0010, EVR_LO), creator);
  made.data().putAndInsertString(DcmTag(group, element, DcmVR(vr)), value.c_str());
}

TEST(Private, b_values_of_four_vendors) {
  const std::array<double, 2> expected{0, 750};
  for (const std::string vendor : {"SIEMENS", "Philips", "GE", "UIH"}) {
    const TestFolder folder;
    for (int v = 0; v < 2; ++v)
      for (int z = 0; z < 3; ++z) {
        Made made = slice(2.0 * z, 10 * v + z, static_cast<std::uint16_t>(v));
        made.text(tag::manufacturer, vendor);
        const std::string b = v == 0 ? "0" : "750";
        if (vendor == "SIEMENS") put_private(made, 0x0019, "SIEMENS MR HEADER", 0x100C, "IS", b);
        if (vendor == "GE")
          put_private(made, 0x0043, "GEMS_PARM_01", 0x1039, "IS", v == 0 ? "0\\8\\0\\0" : "1000000750\\8\\0\\0");
        const double value = expected[static_cast<std::size_t>(v)];
        if (vendor == "Philips") {
          made.data().putAndInsertString(DcmTag(0x2001, 0x0010, EVR_LO), "Philips Imaging DD 001");
          made.data().putAndInsertFloat32(DcmTag(0x2001, 0x1003, EVR_FL), static_cast<float>(value));
        }
        if (vendor == "UIH") {
          made.data().putAndInsertString(DcmTag(0x0065, 0x0010, EVR_LO), "Image Private Header");
          made.data().putAndInsertFloat64(DcmTag(0x0065, 0x1009, EVR_FD), value);
        }
        put(folder, made);
      }
    const auto images = read_all(folder);
    ASSERT_EQ(images.size(), 1U) << vendor;
    EXPECT_EQ(images[0].axis, SequenceAxis::b_value) << vendor;
    EXPECT_EQ(images[0].axis_values, (std::vector<double>{0, 750})) << vendor;
  }
}

TEST(Private, philips_scale_is_said) {
  Made made = slice(0, 1, 7);
  made.data().putAndInsertString(DcmTag(0x2005, 0x0010, EVR_LO), "Philips MR Imaging DD 001");
  made.data().putAndInsertFloat32(DcmTag(0x2005, 0x100E, EVR_FL), 0.25F);
  made.data().putAndInsertFloat32(DcmTag(0x2005, 0x100D, EVR_FL), 0);
  const Image image = std::get<Image>(read_bytes(made.bytes(), "a"));
  EXPECT_TRUE(has_code(image.remarks, "philips_scale"));
}

TEST(Private, ge_start_of_the_scan_counts_where_the_series_was_made_later) {
  for (const char* series_time : {"100000", "170000"}) {
    Made made = slice(0, 1, 7);
    made.text(tag::sop_class, pet_class).text(tag::modality, "PT").text(tag::units, "BQML");
    made.text(tag::series_date, "20200101").text(tag::series_time, series_time);
    made.text(tag::acquisition_date, "20200101").text(tag::acquisition_time, "100500");
    made.data().putAndInsertString(DcmTag(0x0009, 0x0010, EVR_LO), "GEMS_PETD_01");
    made.data().putAndInsertString(DcmTag(0x0009, 0x100D, EVR_DT), "20200101100000.00");
    const Image image = std::get<Image>(read_bytes(made.bytes(), "a"));
    const auto* facts = facts_of<PetFacts>(image.acquisition);
    ASSERT_NE(facts, nullptr);
    EXPECT_EQ(*facts->acquisition_time_s - *facts->series_time_s, 300);
    EXPECT_EQ(has_code(image.remarks, "ge_scan_time"), std::string(series_time) == "170000");
  }
}

// --- enhanced multi-frame ------------------------------------------------------------------------------------------

const std::string enhanced_mr_class = "1.2.840.10008.5.1.4.1.1.4.1";

struct FrameSays {
  double height_mm = 0;
  std::string component{};  ///< Complex Image Component
  std::string stack{};
  double b = -1;
  Vector3 row{1, 0, 0}, column{0, 1, 0};
};

// Frame i holds 10 * i in all its pixels.
Made enhanced(const std::vector<FrameSays>& frames) {
  Made made(enhanced_mr_class, "MR", columns, rows);
  made.text(tag::number_of_frames, std::to_string(frames.size())).text(tag::instance_number, "1");
  DcmItem& shared = new_item(made.data(), tag::shared_groups);
  DcmItem& measures = new_item(shared, {0x0028, 0x9110});
  set_text(measures, tag::pixel_spacing, "1\\1");
  set_text(measures, tag::slice_thickness, "2");
  std::vector<std::uint16_t> pixels;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const FrameSays& says = frames[i];
    DcmItem& own = new_item(made.data(), tag::per_frame_groups);
    set_text(new_item(own, {0x0020, 0x9113}), tag::image_position, "0\\0\\" + std::to_string(says.height_mm));
    std::string directions;
    for (const Vector3& v : {says.row, says.column})
      for (const double c : v) directions += (directions.empty() ? "" : "\\") + std::to_string(c);
    set_text(new_item(own, {0x0020, 0x9116}), tag::image_orientation, directions);
    DcmItem& content = new_item(own, {0x0020, 0x9111});
    if (!says.stack.empty()) set_text(content, {0x0020, 0x9056}, says.stack);
    if (!says.component.empty()) set_text(new_item(own, {0x0018, 0x9226}), {0x0008, 0x9208}, says.component);
    if (says.b >= 0) put_doubles(new_item(own, {0x0018, 0x9117}), tag::b_value, {says.b});
    pixels.insert(pixels.end(), columns * rows, static_cast<std::uint16_t>(10 * i));
  }
  made.pixels(pixels);
  return made;
}

TEST(EnhancedSeries, magnitude_and_phase_of_one_file_are_two_images) {
  const TestFolder folder;
  std::vector<FrameSays> frames;
  for (const double z : {0.0, 2.0, 4.0})
    for (const char* part : {"MAGNITUDE", "PHASE"}) frames.push_back({.height_mm = z, .component = part});
  put(folder, enhanced(frames));
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto volume = to_float(images[i].volume());
    ASSERT_EQ(volume.grid().size()[2], 3);
    for (int z = 0; z < 3; ++z)
      EXPECT_EQ(volume.at(0, 0, z), static_cast<float>(10 * (2 * z) + 10 * static_cast<int>(i)));
  }
}

TEST(EnhancedSeries, orientations_of_one_file_are_images_of_their_own) {
  const TestFolder folder;
  std::vector<FrameSays> frames;
  for (const double z : {0.0, 2.0, 4.0}) frames.push_back({.height_mm = z, .stack = "1"});
  frames.push_back({.stack = "2", .row = {0, 1, 0}, .column = {0, 0, -1}});
  put(folder, enhanced(frames));
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(grid_of(images[0].volume()).size()[2], 3);
  EXPECT_EQ(first_voxel(images[1].volume()), 30.F);
}

TEST(EnhancedSeries, stacks_that_are_no_volume_together_are_images_of_their_own) {
  const TestFolder folder;
  std::vector<FrameSays> frames;
  for (const double z : {0.0, 2.0, 4.0}) frames.push_back({.height_mm = z, .stack = "1"});
  for (const double z : {31.0, 33.0, 35.0}) frames.push_back({.height_mm = z, .stack = "2"});
  put(folder, enhanced(frames));
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(grid_of(images[1].volume()).origin_mm().z, 31);
}

TEST(EnhancedSeries, b_values_come_from_the_diffusion_group) {
  const TestFolder folder;
  std::vector<FrameSays> frames;
  for (const double b : {800.0, 0.0})
    for (const double z : {0.0, 2.0, 4.0}) frames.push_back({.height_mm = z, .b = b});
  put(folder, enhanced(frames));
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(images[0].axis, SequenceAxis::b_value);
  EXPECT_EQ(images[0].axis_values, (std::vector<double>{0, 800}));
  EXPECT_EQ(first_voxel(std::get<VolumeSequence>(images[0].pixels)[0]), 30.F);
}

// Phantom: planes of an ultrasound volume lie in the volume's own frame of reference.
TEST(EnhancedSeries, ultrasound_volumes_are_placed_by_their_planes) {
  Made made("1.2.840.10008.5.1.4.1.1.6.2", "US", columns, rows);
  made.text(tag::number_of_frames, "3");
  DcmItem& shared = new_item(made.data(), tag::shared_groups);
  set_text(new_item(shared, {0x0028, 0x9110}), tag::pixel_spacing, "1\\1");
  put_doubles(new_item(shared, {0x0020, 0x930F}), {0x0020, 0x9302}, {1, 0, 0, 0, 0, 1});
  std::vector<std::uint16_t> pixels;
  for (int i = 0; i < 3; ++i) {
    DcmItem& own = new_item(made.data(), tag::per_frame_groups);
    put_doubles(new_item(own, {0x0020, 0x930E}), {0x0020, 0x9301}, {5, 0.5 * i, 7});
    pixels.insert(pixels.end(), columns * rows, static_cast<std::uint16_t>(i));
  }
  made.pixels(pixels);
  const Image image = std::get<Image>(read_bytes(made.bytes(), "us"));
  const auto volume = to_float(image.volume());
  ASSERT_EQ(volume.grid().size(), (Size3{columns, rows, 3}));
  EXPECT_DOUBLE_EQ(volume.grid().spacing_mm()[2], 0.5);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(volume.at(0, 0, std::llround(volume.grid().to_index({5, 0.5 * i, 7}).z)), static_cast<float>(i));
  EXPECT_TRUE(has_code(image.remarks, "volume_frame_of_reference"));
}

// --- real world values ---------------------------------------------------------------------------------------------

Made with_mapping(const std::string& unit, double slope) {
  Made made = slice(0, 1, 7);
  made.text(tag::rescale_slope, "2").text(tag::rescale_intercept, "1");
  DcmItem& mapping = new_item(made.data(), {0x0040, 0x9096});
  put_doubles(mapping, {0x0040, 0x9225}, {slope});
  put_doubles(mapping, {0x0040, 0x9224}, {0});
  DcmItem& code = new_item(mapping, {0x0040, 0x08EA});
  set_text(code, {0x0008, 0x0100}, unit);
  set_text(code, {0x0008, 0x0102}, "UCUM");
  return made;
}

TEST(RealWorld, a_unit_of_the_mapping_wins_over_a_rescale_without_one) {
  const Image image = std::get<Image>(read_bytes(with_mapping("um2/s", 0.5).bytes(), "a"));
  EXPECT_EQ(image.unit, "um2/s");
  EXPECT_EQ(first_voxel(image.volume()), 3.5F);
  EXPECT_TRUE(has_code(image.remarks, "real_world_values"));
}

TEST(RealWorld, without_a_unit_the_rescale_stays_and_it_is_said) {
  const Image image = std::get<Image>(read_bytes(with_mapping("1", 0.5).bytes(), "a"));
  EXPECT_EQ(image.unit, "");
  EXPECT_EQ(first_voxel(image.volume()), 15.F);
  EXPECT_TRUE(has_code(image.remarks, "real_world_values_left"));
}

TEST(RealWorld, hounsfield_units_stay) {
  Made made = with_mapping("um2/s", 0.5);
  made.text(tag::sop_class, ct_class).text(tag::modality, "CT");
  const Image image = std::get<Image>(read_bytes(made.bytes(), "a"));
  EXPECT_EQ(image.unit, "[hnsf'U]");
  EXPECT_EQ(first_voxel(image.volume()), 15.F);
}

TEST(RealWorld, a_table_maps_stored_values) {
  Made made = slice(0, 1, 7);
  DcmItem& mapping = new_item(made.data(), {0x0040, 0x9096});
  put_doubles(mapping, {0x0040, 0x9212}, {10, 20, 35});
  mapping.putAndInsertUint16(DcmTag(0x0040, 0x9216, EVR_US), 6);
  DcmItem& code = new_item(mapping, {0x0040, 0x08EA});
  set_text(code, {0x0008, 0x0100}, "ms");
  set_text(code, {0x0008, 0x0102}, "UCUM");
  const Image image = std::get<Image>(read_bytes(made.bytes(), "a"));
  EXPECT_EQ(image.unit, "ms");
  EXPECT_EQ(first_voxel(image.volume()), 20.F);
}

}  // namespace
}  // namespace penta::io::dicom
