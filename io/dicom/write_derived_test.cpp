#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "core/random.h"
#include "io/dicom/dicom.h"
#include "io/dicom/torture_test.h"
#include "io/dicom/write_image.h"

// Inverses: images of several voxel types on twelve orientations, written in both forms and read again. With
// PENTA_TORTURE_OUT=FOLDER the files are left in FOLDER/derived for dciodvfy and other readers.
namespace penta::io::dicom {
namespace {

Provenance provenance() { return {"test.derive", "1", "0.1.0", "derived", "20260102030405", false}; }

Image read_all(const std::vector<std::vector<std::byte>>& files) {
  const TestFolder folder;
  for (std::size_t i = 0; i < files.size(); ++i) folder.put("f" + std::to_string(i), files[i]);
  const Catalogue catalogue = scan(folder.files());
  EXPECT_EQ(catalogue.series.size(), 1U);
  return std::get<Image>(read(catalogue.series.at(0)));
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

Image read_back(const WrittenImage& written) {
  std::vector<std::vector<std::byte>> files;
  for (const WrittenInstance& instance : written.instances) files.push_back(instance.bytes);
  return read_all(files);
}

/// A source with its instances, geometry and facts, as read from a made file.
Image source(const char* modality, int orientation) {
  const TortureSet set = make_torture(Torture::negative, orientation);
  std::vector<std::vector<std::byte>> files;
  for (const TortureFile& file : set.files) files.push_back(file.bytes);
  Image image = read_all(files);
  Acquisition& a = image.acquisition;
  a.modality = modality;
  a.body_part = "CHEST";
  if (a.modality == "CT") {
    CtFacts facts;
    facts.tube_voltage_kv = {120, "(0018,0060)"}, facts.kernel = {"B30f", "(0018,1210)"};
    a.facts = facts;
    image.unit = "[hnsf'U]";
  } else if (a.modality == "PET") {
    PetFacts facts;
    facts.tracer = {"FDG", ""}, facts.half_life_s = {6586.2, ""}, facts.injected_dose_bq = {3.5e8, ""};
    facts.series_time_s = {1704110400.25, ""}, facts.injection_time_s = {1704106800.0, ""};
    facts.units = {"BQML", ""}, facts.decay_correction = {"START", ""};
    a.facts = facts;
    image.unit = "Bq/mL";
  } else {
    MrFacts facts;
    facts.echo_time_ms = {10, ""}, facts.repetition_time_ms = {500, ""}, facts.flip_angle_deg = {90, ""};
    facts.field_strength_t = {3, ""};
    a.facts = facts;
  }
  return image;
}

template <class T, class Make>
void fill(Image& image, int times, const Make& make) {
  const Grid grid = grid_of(image.volume());
  VolumeSequence volumes;
  for (int t = 0; t < times; ++t) {
    Volume<T> volume(grid);
    for (T& voxel : volume.voxels()) voxel = make();
    volumes.push_back(std::move(volume));
  }
  image.pixels = std::move(volumes);
  if (times > 1) image.axis = SequenceAxis::time;
}

double difference(const Image& a, const Image& b) {
  const auto &first = std::get<VolumeSequence>(a.pixels), &second = std::get<VolumeSequence>(b.pixels);
  EXPECT_EQ(first.size(), second.size());
  double largest = 0;
  for (std::size_t t = 0; t < std::min(first.size(), second.size()); ++t) {
    EXPECT_TRUE(grid_of(first[t]).same_as(grid_of(second[t]), 1e-5));
    const Volume<float> x = to_float(first[t]), y = to_float(second[t]);
    for (std::size_t i = 0; i < x.voxels().size(); ++i)
      largest = std::max(largest, std::abs(static_cast<double>(x.voxels()[i]) - static_cast<double>(y.voxels()[i])));
  }
  return largest;
}

bool holds(const WrittenInstance& instance, std::string_view text) {
  const std::string_view all(reinterpret_cast<const char*>(instance.bytes.data()), instance.bytes.size());
  return all.find(text) != std::string_view::npos;
}

Derivation derivation(ImageForm form) {
  return {form, false, "Gaussian smoothing", {{"DCM", "113088", "Gaussian blur"}}};
}

constexpr std::array forms{ImageForm::single_frame, ImageForm::enhanced};
constexpr std::array modalities{"CT", "MR", "PET"};

bool in_one(const char* modality, ImageForm form) {
  return form == ImageForm::enhanced && std::string_view(modality) != "PET";
}

TEST(DerivedImage, whole_numbers_come_back_bit_for_bit_on_twelve_orientations) {
  Random random(11);
  for (int orientation = 0; orientation < torture_orientations; ++orientation)
    for (const char* modality : modalities)
      for (const ImageForm form : forms) {
        if (form == ImageForm::enhanced && !in_one(modality, form)) continue;
        const std::string name = std::string(modality) + (form == ImageForm::enhanced ? "_enhanced_" : "_single_") +
                                 std::to_string(orientation);
        Image image = source(modality, orientation);
        fill<std::int16_t>(image, 1, [&] { return static_cast<std::int16_t>(random.bits() % 65536U - 32768U); });
        WrittenImage written = write_derived_image(image, derivation(form), provenance());
        if (orientation == 9) keep(name + "_i16", written.instances);
        EXPECT_EQ(written.instances.size(), form == ImageForm::enhanced ? 1U : 10U) << name;
        EXPECT_TRUE(written.remarks.empty()) << name;
        EXPECT_EQ(difference(image, read_back(written)), 0) << name << " i16";
        fill<std::uint8_t>(image, 1, [&] { return static_cast<std::uint8_t>(random.bits()); });
        EXPECT_EQ(difference(image, read_back(write_derived_image(image, derivation(form), provenance()))), 0) << name;
        fill<std::uint16_t>(image, 1, [&] { return static_cast<std::uint16_t>(random.bits()); });
        EXPECT_EQ(difference(image, read_back(write_derived_image(image, derivation(form), provenance()))), 0) << name;
      }
}

TEST(DerivedImage, fractions_keep_the_stated_error_and_are_not_rounded_twice) {
  Random random(12);
  for (int orientation = 0; orientation < torture_orientations; ++orientation)
    for (const char* modality : modalities)
      for (const ImageForm form : forms) {
        if (form == ImageForm::enhanced && !in_one(modality, form)) continue;
        Image image = source(modality, orientation);
        fill<float>(image, 1, [&] { return static_cast<float>(random.uniform(-1024, 3071)); });
        const WrittenImage written = write_derived_image(image, derivation(form), provenance());
        const std::string name = std::string(modality) + (form == ImageForm::enhanced ? "_enhanced_f32" : "_single_f32");
        if (orientation == 9) keep(name, written.instances);
        ASSERT_EQ(written.remarks.size(), 1U);
        EXPECT_EQ(written.remarks[0].code, "rounded");
        const std::string& text = written.remarks[0].text;
        const double stated = std::atof(text.substr(text.find("error is ") + 9).c_str());
        const Image once = read_back(written);
        const double error = difference(image, once);
        EXPECT_LE(error, stated * (1 + 1e-5)) << name;
        EXPECT_LE(stated, 0.0626) << name;
        EXPECT_TRUE(holds(written.instances[0], "the largest error is ")) << name;
        const Image twice = read_back(write_derived_image(once, derivation(form), provenance()));
        EXPECT_LE(difference(once, twice), std::string_view(modality) == "CT" ? 0 : 1e-3) << name;
      }
}

TEST(DerivedImage, four_dimensions_in_both_forms) {
  Random random(13);
  for (const char* modality : modalities)
    for (const ImageForm form : forms) {
      if (form == ImageForm::enhanced && !in_one(modality, form)) continue;
      Image image = source(modality, 10);
      fill<std::int16_t>(image, 3, [&] { return static_cast<std::int16_t>(random.bits() % 1000U); });
      const WrittenImage written = write_derived_image(image, derivation(form), provenance());
      keep(std::string(modality) + (form == ImageForm::enhanced ? "_enhanced_time" : "_single_time"), written.instances);
      EXPECT_EQ(difference(image, read_back(written)), 0) << modality;
    }
}

TEST(DerivedImage, says_what_it_came_from_and_by_what) {
  for (const ImageForm form : forms) {
    Image image = source("CT", 4);
    image.acquisition.synthetic = true;
    fill<std::int16_t>(image, 1, [] { return std::int16_t{7}; });
    const WrittenImage written = write_derived_image(image, derivation(form), provenance());
    keep(form == ImageForm::enhanced ? "synthetic_enhanced" : "synthetic_single", written.instances);
    const WrittenInstance& last = written.instances.back();
    for (const char* text : {"Gaussian smoothing", "113088", "121322", "research use, not a medical device", "SYNTHETIC ",
                             "SYN-TORTURE", "method test.derive, version 1"})
      EXPECT_TRUE(holds(last, text)) << text;
    EXPECT_TRUE(holds(last, form == ImageForm::enhanced ? "DERIVED\\PRIMARY\\VOLUME" : "DERIVED\\SECONDARY\\AXIAL"));
    EXPECT_TRUE(holds(last, image.acquisition.instances.back().sop_instance_uid));
    // A single frame names the slice that it was made from, and no other.
    EXPECT_EQ(holds(last, image.acquisition.instances.front().sop_instance_uid), form == ImageForm::enhanced);
    const Image read = read_back(written);
    EXPECT_TRUE(read.acquisition.synthetic);
    EXPECT_EQ(read.acquisition.frame_of_reference_uid, image.acquisition.frame_of_reference_uid);
  }
}

TEST(DerivedImage, pet_is_written_in_single_frames_and_said) {
  Image image = source("PET", 0);
  fill<std::int16_t>(image, 1, [] { return std::int16_t{7}; });
  const WrittenImage written = write_derived_image(image, derivation(ImageForm::enhanced), provenance());
  EXPECT_EQ(written.instances.size(), 10U);
  ASSERT_EQ(written.remarks.size(), 1U);
  EXPECT_EQ(written.remarks[0].code, "enhanced_not_possible");
}

}  // namespace
}  // namespace penta::io::dicom
