// Phantom: what belongs together of several files of nuclear medicine and ultrasound, made here.
#include <gtest/gtest.h>

#include <algorithm>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {
namespace {

constexpr int columns = 3, rows = 2;
using Words = std::vector<std::uint16_t>;

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

// --- nuclear medicine ----------------------------------------------------------------------------------------------

// Frames each of one value in all their pixels.
Made nm(const std::string& type, const Words& values, int number) {
  Made made(nm_class, "NM", columns, rows);
  made.text(tag::sop_instance, "1.2.3.5." + std::to_string(number)).text(tag::instance_number, std::to_string(number));
  made.text(tag::image_type, "ORIGINAL\\PRIMARY\\" + type + "\\EMISSION");
  made.text(tag::number_of_frames, std::to_string(values.size())).text(tag::pixel_spacing, "4\\4");
  Words pixels;
  for (const std::uint16_t value : values) pixels.insert(pixels.end(), columns * rows, value);
  made.pixels(pixels);
  return made;
}

Made nm_slices(const Words& values, int number, double start_mm = 0) {
  Made made = nm("RECON GATED TOMO", values, number);
  made.text(tag::slice_thickness, "4").text(tag::spacing_between_slices, "4");
  DcmItem& detector = new_item(made.data(), tag::detector_sequence);
  set_text(detector, tag::image_position, "0\\0\\" + std::to_string(start_mm));
  set_text(detector, tag::image_orientation, "1\\0\\0\\0\\1\\0");
  return made;
}

TEST(NmFiles, a_file_a_gate_is_one_series_where_vectors_count_on) {
  const TestFolder folder;
  for (std::uint16_t gate = 3; gate >= 1; --gate)
    folder.put("g" + std::to_string(gate), nm_slices(Words{gate, gate}, 10 - gate)
                                               .words(tag::time_slot_vector, {gate, gate})
                                               .words(tag::slice_vector, {1, 2})
                                               .bytes());
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(images[0].axis, SequenceAxis::gate);
  const auto& volumes = std::get<VolumeSequence>(images[0].pixels);
  ASSERT_EQ(volumes.size(), 3U);
  for (std::size_t g = 0; g < 3; ++g) EXPECT_EQ(first_voxel(volumes[g]), static_cast<float>(g + 1));
}

// One gate each by the clock and by the instance number only: it could as well be another reconstruction.
TEST(NmFiles, files_that_no_vector_tells_apart_stay_apart) {
  const TestFolder folder;
  for (int i = 1; i <= 3; ++i)
    folder.put("f" + std::to_string(i),
               nm_slices({7, 7}, i).text(tag::acquisition_time, "10000" + std::to_string(i)).bytes());
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 3U);
  for (const Image& image : images) EXPECT_EQ(grid_of(image.volume()).size()[2], 2);
}

// A second bed begins where the first one ends, and so would a second patient position.
TEST(NmFiles, beds_stay_apart) {
  const TestFolder folder;
  for (int bed = 0; bed < 2; ++bed)
    folder.put("b" + std::to_string(bed), nm_slices({1, 1}, bed + 1, 8.0 * bed).bytes());
  EXPECT_EQ(read_all(folder).size(), 2U);
}

TEST(NmFiles, gates_at_other_places_stay_apart) {
  const TestFolder folder;
  for (std::uint16_t gate = 1; gate <= 2; ++gate)
    folder.put("g" + std::to_string(gate),
               nm_slices({1, 1}, gate, 4.0 * gate).words(tag::time_slot_vector, {gate, gate}).bytes());
  EXPECT_EQ(read_all(folder).size(), 2U);
}

TEST(NmFiles, a_file_a_slice_is_a_volume_by_its_positions) {
  const TestFolder folder;
  for (int z = 0; z < 3; ++z) {
    Made made = nm("RECON TOMO", Words{static_cast<std::uint16_t>(z)}, 10 - z);
    DcmItem& detector = new_item(made.data(), tag::detector_sequence);
    set_text(detector, tag::image_position, "0\\0\\" + std::to_string(4 * z));
    set_text(detector, tag::image_orientation, "1\\0\\0\\0\\1\\0");
    folder.put("z" + std::to_string(z), made.bytes());
  }
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 1U);
  const auto volume = to_float(images[0].volume());
  ASSERT_EQ(volume.grid().size()[2], 3);
  for (int z = 0; z < 3; ++z) EXPECT_EQ(volume.at(0, 0, z), static_cast<float>(z));
}

TEST(NmFiles, files_of_planar_views_stay_apart) {
  const TestFolder folder;
  for (std::uint16_t view = 1; view <= 2; ++view)
    folder.put("v" + std::to_string(view), nm("STATIC", {view}, view).bytes());
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 2U);
  for (const Image& image : images) EXPECT_EQ(image.frames().size(), 1U);
}

// What the Frame Increment Pointer of PS3.3 C.8.4.8 may count, one at a time.
TEST(NmFrames, planar_frames_are_named_by_what_they_count) {
  const std::vector<std::pair<Tag, SequenceAxis>> vectors{{tag::detector_vector, SequenceAxis::view},
                                                          {tag::rotation_vector, SequenceAxis::view},
                                                          {tag::angular_view_vector, SequenceAxis::view},
                                                          {tag::energy_window_vector, SequenceAxis::energy_window},
                                                          {tag::time_slot_vector, SequenceAxis::gate},
                                                          {tag::rr_vector, SequenceAxis::gate},
                                                          {{0x0054, 0x0030}, SequenceAxis::time},
                                                          {{0x0054, 0x0100}, SequenceAxis::time}};
  for (const auto& [vector, axis] : vectors) {
    const Image image =
        std::get<Image>(read_bytes(nm("STATIC", {5, 6}, 1).words(vector, {1, 2}).bytes(), "nm"));
    EXPECT_EQ(image.axis, axis) << vector.element;
    ASSERT_EQ(image.frames().size(), 2U);
    EXPECT_EQ(image.frames()[0].grey()[0], 5.F);
    EXPECT_EQ(image.frames()[1].grey()[0], 6.F);
  }
  const Image both = std::get<Image>(read_bytes(nm("STATIC", {5, 6, 7, 8}, 1)
                                                    .words(tag::detector_vector, {1, 1, 2, 2})
                                                    .words(tag::energy_window_vector, {1, 2, 1, 2})
                                                    .bytes(),
                                                "nm"));
  EXPECT_EQ(both.axis, SequenceAxis::frame);
  EXPECT_EQ(both.frames().size(), 4U);
}

// The same for volumes: whichever vector counts the volumes, and in whichever order frames are stored.
TEST(NmFrames, volumes_come_by_every_vector_in_any_order) {
  const std::vector<std::pair<Tag, SequenceAxis>> vectors{{tag::energy_window_vector, SequenceAxis::energy_window},
                                                          {tag::time_slot_vector, SequenceAxis::gate},
                                                          {tag::rr_vector, SequenceAxis::gate},
                                                          {{0x0054, 0x0030}, SequenceAxis::time},
                                                          {{0x0054, 0x0100}, SequenceAxis::time}};
  for (const auto& [vector, axis] : vectors)
    for (const bool slices_first : {true, false}) {
      const Words parts = slices_first ? Words{1, 1, 2, 2} : Words{1, 2, 1, 2};
      const Words order = slices_first ? Words{2, 1, 2, 1} : Words{2, 2, 1, 1};
      Words values;
      for (std::size_t i = 0; i < 4; ++i) values.push_back(static_cast<std::uint16_t>(10 * parts[i] + order[i]));
      const Image image = std::get<Image>(read_bytes(
          nm_slices(values, 1).words(vector, parts).words(tag::slice_vector, order).bytes(), "nm"));
      EXPECT_EQ(image.axis, axis);
      const auto& volumes = std::get<VolumeSequence>(image.pixels);
      ASSERT_EQ(volumes.size(), 2U);
      for (std::size_t v = 0; v < 2; ++v)
        for (int z = 0; z < 2; ++z)
          EXPECT_EQ(to_float(volumes[v]).at(0, 0, z), static_cast<float>(10 * (v + 1)) + static_cast<float>(z + 1));
    }
}

// --- ultrasound ----------------------------------------------------------------------------------------------------

Made us(int number, double cm_a_pixel) {
  Made made(us_class, "US", columns, rows);
  made.text(tag::sop_instance, "1.2.3.6." + std::to_string(number)).text(tag::instance_number, std::to_string(number));
  DcmItem& region = new_item(made.data(), tag::us_regions);
  for (const std::uint16_t element : {std::uint16_t{0x6012}, std::uint16_t{0x6014}, std::uint16_t{0x6024}, std::uint16_t{0x6026}}) {
    const std::uint16_t value = element < 0x6020 ? 1 : 3;
    region.putAndInsertUint16(DcmTag(0x0018, element, EVR_US), value);
  }
  const std::array<std::pair<std::uint16_t, std::uint32_t>, 4> corners{
      {{0x6018, 0}, {0x601A, 0}, {0x601C, columns - 1}, {0x601E, rows - 1}}};
  for (const auto& [element, value] : corners) region.putAndInsertUint32(DcmTag(0x0018, element, EVR_UL), value);
  put_doubles(region, {0x0018, 0x602C}, {cm_a_pixel});
  put_doubles(region, {0x0018, 0x602E}, {cm_a_pixel});
  made.pixels(Words(columns * rows, static_cast<std::uint16_t>(number)));
  return made;
}

TEST(UsFiles, each_file_has_its_own_regions_and_size) {
  const TestFolder folder;
  folder.put("a", us(1, 0.01).bytes());
  folder.put("b", us(2, 0.03).bytes());
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 2U);
  for (const Image& image : images) {
    const Frame2d& frame = image.frames().front();
    const double cm = frame.grey()[0] == 1.F ? 0.01 : 0.03;
    ASSERT_EQ(frame.regions.size(), 1U);
    EXPECT_DOUBLE_EQ(frame.regions[0].delta_x, cm);
    EXPECT_NEAR(frame.spacing_mm_or_throw()[0], 10 * cm, 1e-12);
  }
}

// OHIF#5556: read as one, frames must not take the calibration of the first file.
TEST(UsFiles, read_as_one_each_frame_keeps_its_own_regions) {
  const TestFolder folder;
  Series series;
  series.files = {folder.put("a", us(1, 0.01).bytes()), folder.put("b", us(2, 0.03).bytes())};
  const Image image = std::get<Image>(read(series));
  ASSERT_EQ(image.frames().size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const Frame2d& frame = image.frames()[i];
    const double cm = i == 0 ? 0.01 : 0.03;
    EXPECT_EQ(frame.grey()[0], static_cast<float>(i + 1));
    EXPECT_DOUBLE_EQ(frame.regions.at(0).delta_y, cm);
    EXPECT_NEAR(frame.spacing_mm_or_throw()[1], 10 * cm, 1e-12);
  }
}

TEST(UsFiles, planes_of_one_volume_with_two_pixel_sizes_are_two_images) {
  Made made("1.2.840.10008.5.1.4.1.1.6.2", "US", columns, rows);
  made.text(tag::number_of_frames, "4");
  DcmItem& shared = new_item(made.data(), tag::shared_groups);
  put_doubles(new_item(shared, {0x0020, 0x930F}), {0x0020, 0x9302}, {1, 0, 0, 0, 1, 0});
  Words pixels;
  for (int i = 0; i < 4; ++i) {
    DcmItem& own = new_item(made.data(), tag::per_frame_groups);
    put_doubles(new_item(own, {0x0020, 0x930E}), {0x0020, 0x9301}, {0, 0, 0.5 * i});
    set_text(new_item(own, {0x0028, 0x9110}), tag::pixel_spacing, i < 2 ? "0.1\\0.1" : "0.3\\0.3");
    pixels.insert(pixels.end(), columns * rows, static_cast<std::uint16_t>(i));
  }
  const TestFolder folder;
  folder.put("v", made.pixels(pixels).bytes());
  const auto images = read_all(folder);
  ASSERT_EQ(images.size(), 2U);
  EXPECT_DOUBLE_EQ(grid_of(images[0].volume()).spacing_mm()[0], 0.1);
  EXPECT_DOUBLE_EQ(grid_of(images[1].volume()).spacing_mm()[0], 0.3);
  EXPECT_EQ(first_voxel(images[1].volume()), 2.F);
}

// --- enhanced PET --------------------------------------------------------------------------------------------------

// Two time frames of two slices; each has its own slope, and Units stand in the Real World Value Mapping.
TEST(EnhancedPet, frames_of_two_times_are_two_volumes_in_their_unit) {
  Made made("1.2.840.10008.5.1.4.1.1.130", "PT", columns, rows);
  made.text(tag::number_of_frames, "4").text(tag::instance_number, "1");
  DcmItem& shared = new_item(made.data(), tag::shared_groups);
  set_text(new_item(shared, {0x0028, 0x9110}), tag::pixel_spacing, "4\\4");
  set_text(new_item(shared, {0x0020, 0x9116}), tag::image_orientation, "1\\0\\0\\0\\1\\0");
  Words pixels;
  for (int i = 0; i < 4; ++i) {
    const int time = i / 2, z = i % 2;
    DcmItem& own = new_item(made.data(), tag::per_frame_groups);
    set_text(new_item(own, {0x0020, 0x9113}), tag::image_position, "0\\0\\" + std::to_string(3 * z));
    DcmItem& content = new_item(own, {0x0020, 0x9111});
    content.putAndInsertUint32(DcmTag(0x0020, 0x9128, EVR_UL), static_cast<std::uint32_t>(time + 1));
    set_text(content, {0x0018, 0x9074}, time == 0 ? "20200101100000" : "20200101100130");
    DcmItem& scale = new_item(own, {0x0028, 0x9145});
    set_text(scale, tag::rescale_slope, time == 0 ? "2" : "3");
    set_text(scale, tag::rescale_intercept, "0");
    DcmItem& mapping = new_item(own, {0x0040, 0x9096});
    put_doubles(mapping, {0x0040, 0x9225}, {time == 0 ? 2.0 : 3.0});
    put_doubles(mapping, {0x0040, 0x9224}, {0});
    DcmItem& code = new_item(mapping, {0x0040, 0x08EA});
    set_text(code, {0x0008, 0x0100}, "Bq/ml");
    set_text(code, {0x0008, 0x0102}, "UCUM");
    pixels.insert(pixels.end(), columns * rows, static_cast<std::uint16_t>(10 + i));
  }
  const Image image = std::get<Image>(read_bytes(made.pixels(pixels).bytes(), "pet"));
  EXPECT_EQ(image.axis, SequenceAxis::time);
  EXPECT_EQ(image.axis_values, (std::vector<double>{0, 90}));
  EXPECT_EQ(image.unit, "Bq/mL");
  const auto& volumes = std::get<VolumeSequence>(image.pixels);
  ASSERT_EQ(volumes.size(), 2U);
  EXPECT_EQ(grid_of(volumes[0]).spacing_mm()[2], 3);
  EXPECT_EQ(to_float(volumes[0]).at(0, 0, 1), 22.F);
  EXPECT_EQ(to_float(volumes[1]).at(0, 0, 1), 39.F);
}

}  // namespace
}  // namespace penta::io::dicom
