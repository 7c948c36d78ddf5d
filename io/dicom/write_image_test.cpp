#include "io/dicom/write_image.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "core/error.h"
#include "core/random.h"
#include "io/dicom/dicom.h"

// All of these are inverses: what was written, read by the reader of this folder.
namespace penta::io::dicom {
namespace {

Provenance provenance() { return {"test.simulate", "1", "0.1.0", "seed", "20260102030405", false}; }

Acquisition synthetic(const char* modality) {
  Acquisition a;
  a.modality = modality;
  a.synthetic = true;
  a.study_uid = "2.25.77", a.series_uid = "2.25.78", a.frame_of_reference_uid = "2.25.79";
  a.study_date = a.series_date = "20240101", a.study_time = a.series_time = "120000";
  a.patient_position = "HFS", a.patient.id = "7", a.patient.sex = "F";
  a.patient.weight_kg = {70.5, "simulated"}, a.patient.height_m = {1.7, "simulated"};
  return a;
}

// A folder of its own that goes when the test ends.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("penta_write_image_" + std::to_string(::getpid()) + "_" + std::string(name()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::vector<std::filesystem::path> keep(const std::vector<WrittenInstance>& instances) const {
    std::vector<std::filesystem::path> files;
    for (const WrittenInstance& instance : instances) {
      files.push_back(path_ / (instance.sop_instance_uid + ".dcm"));
      std::ofstream(files.back(), std::ios::binary)
          .write(reinterpret_cast<const char*>(instance.bytes.data()),
                 static_cast<std::streamsize>(instance.bytes.size()));
    }
    return files;
  }

 private:
  static const char* name() { return testing::UnitTest::GetInstance()->current_test_info()->name(); }
  std::filesystem::path path_;
};

Content read_back(const std::vector<WrittenInstance>& instances) {
  const Folder folder;
  const Catalogue catalogue = scan(folder.keep(instances));
  EXPECT_EQ(catalogue.faults.size(), 0U);
  EXPECT_EQ(catalogue.series.size(), 1U);
  return read(catalogue.series.at(0));
}

// Left-handed, oblique in one plane, anisotropic.
Grid grid() {
  const double c = std::cos(0.2), s = std::sin(0.2);
  return {{13, 9, 5}, {0.9, 1.1, 2.5}, {-5, 7, 100}, {{{c, s, 0}, {s, -c, 0}, {0, 0, 1}}}};
}

template <class T, class Make>
Image image_of(const char* modality, const char* unit, const Make& make) {
  Image image;
  image.unit = unit;
  image.acquisition = synthetic(modality);
  Volume<T> volume(grid());
  for (T& voxel : volume.voxels()) voxel = make();
  VolumeSequence sequence;
  sequence.push_back(std::move(volume));
  image.pixels = std::move(sequence);
  return image;
}

// The largest difference between a volume and another, voxel by voxel at the same place in the patient.
double largest_difference(const Image& a, const Image& b) {
  const Volume<float> first = to_float(a.volume()), second = to_float(b.volume());
  const Size3& size = first.grid().size();
  double largest = 0;
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x) {
        const IndexPoint p = second.grid().to_index(
            first.grid().to_patient({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)}));
        const double there = second.at(std::llround(p.x), std::llround(p.y), std::llround(p.z));
        largest = std::max(largest, std::abs(there - first.at(x, y, z)));
      }
  return largest;
}

bool holds(const WrittenInstance& instance, std::string_view text) {
  const std::string_view all(reinterpret_cast<const char*>(instance.bytes.data()), instance.bytes.size());
  return all.find(text) != std::string_view::npos;
}

TEST(DicomImage, ct_is_exact) {
  Random random(1);
  const Image ct = image_of<std::int16_t>(
      "CT", "[hnsf'U]", [&] { return static_cast<std::int16_t>(static_cast<int>(random.bits() % 4000U) - 1024); });
  const auto written = write_image(ct, provenance());
  ASSERT_EQ(written.size(), 5U);
  const Image read = std::get<Image>(read_back(written));
  EXPECT_EQ(largest_difference(ct, read), 0);
  EXPECT_EQ(read.unit, "[hnsf'U]");
  EXPECT_EQ(read.acquisition.modality, "CT");
  EXPECT_TRUE(read.acquisition.synthetic);
  EXPECT_EQ(read.acquisition.patient.id, "SYN-7");
  EXPECT_TRUE(read.acquisition.series_description.starts_with("SYNTHETIC "));
  EXPECT_EQ(read.acquisition.frame_of_reference_uid, "2.25.79");
  EXPECT_TRUE(holds(written[0], "DERIVED\\PRIMARY\\AXIAL"));
  EXPECT_TRUE(holds(written[0], "method test.simulate, version 1"));
}

TEST(DicomImage, mr_within_its_step) {
  Random random(2);
  const Image mr = image_of<float>("MR", "", [&] { return static_cast<float>(random.uniform(-2, 3)); });
  EXPECT_LE(largest_difference(mr, std::get<Image>(read_back(write_image(mr, provenance())))), 5.0 / 65535 / 2 * 1.01);
}

TEST(DicomImage, pet_keeps_values_and_suv_facts) {
  Random random(3);
  Image pet = image_of<float>("PET", "Bq/mL", [&] { return static_cast<float>(random.uniform(0, 20000)); });
  PetFacts facts;
  facts.units = {"BQML", ""}, facts.decay_correction = {"START", ""};
  facts.injected_dose_bq = {3.5e8, ""}, facts.half_life_s = {6586.2, ""};
  facts.series_time_s = {1704110400.25, ""}, facts.acquisition_time_s = {1704110401.5, ""};
  facts.injection_time_s = {1704110400.0 - 86400 * 0.75, ""};  // the evening before
  pet.acquisition.facts = facts;
  const Image read = std::get<Image>(read_back(write_image(pet, provenance())));
  EXPECT_LE(largest_difference(pet, read), 20000.0 / 32767 / 2 * 1.01);
  EXPECT_EQ(read.unit, "Bq/mL");
  const auto* back = facts_of<PetFacts>(read.acquisition);
  ASSERT_NE(back, nullptr);
  EXPECT_EQ(*back->units, "BQML");
  EXPECT_EQ(*back->decay_correction, "START");
  EXPECT_DOUBLE_EQ(*back->injected_dose_bq, 3.5e8);
  EXPECT_DOUBLE_EQ(*back->half_life_s, 6586.2);
  EXPECT_DOUBLE_EQ(*back->series_time_s, *facts.series_time_s);
  EXPECT_DOUBLE_EQ(*back->acquisition_time_s, *facts.acquisition_time_s);
  EXPECT_DOUBLE_EQ(*back->injection_time_s, *facts.injection_time_s);
  EXPECT_DOUBLE_EQ(*read.acquisition.patient.weight_kg, 70.5);
}

TEST(DicomImage, ultrasound_cine_and_colour) {
  Random random(4);
  Image us;
  us.acquisition = synthetic("US");
  FrameSequence frames;
  for (int k = 0; k < 3; ++k) {
    std::vector<std::uint8_t> pixels(31 * 17);
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random.bits());
    frames.push_back({31, 17, pixels, std::array{0.2, 0.3}, {}});
  }
  us.pixels = frames;
  const Image read = std::get<Image>(read_back(write_image(us, provenance())));
  ASSERT_EQ(read.frames().size(), 3U);
  for (std::size_t k = 0; k < 3; ++k) EXPECT_EQ(read.frames()[k].grey(), frames[k].grey());
  EXPECT_NEAR(read.frames()[0].spacing_mm_or_throw()[0], 0.2, 1e-12);
  EXPECT_NEAR(read.frames()[0].spacing_mm_or_throw()[1], 0.3, 1e-12);

  std::vector<Rgb8> colour(31 * 17);
  for (Rgb8& pixel : colour)
    pixel = {static_cast<std::uint8_t>(random.bits()), 20, static_cast<std::uint8_t>(random.bits())};
  us.pixels = FrameSequence{{31, 17, colour, std::nullopt, {}}};
  const Image one = std::get<Image>(read_back(write_image(us, provenance())));
  EXPECT_EQ(std::get<std::vector<Rgb8>>(one.frames().at(0).pixels), colour);
}

RawData projections(int gates) {
  Random random(5);
  Projections p;
  p.columns = 16, p.rows = 10, p.spacing_mm = {6, 5};
  p.axial_known = true, p.axial_start_mm = 50, p.axial_step_mm = -5, p.gates = gates;
  for (int view = 0; view < 12; ++view) p.angle_deg.push_back(225 - 15.0 * view), p.radius_mm.push_back(200 + view);
  for (int gate = 0; gate < gates; ++gate) {
    p.layers.emplace_back(16 * 10 * 12);
    for (float& count : p.layers.back()) count = static_cast<float>(random.bits() % 300U);
  }
  RawData raw;
  raw.acquisition = synthetic("SPECT");
  SpectFacts facts;
  facts.energy_windows = {{"Tc99m", 126, 154}};
  facts.collimator = {"LEHR", ""}, facts.frame_duration_ms = {20000.0, ""};
  raw.acquisition.facts = facts;
  raw.value = std::move(p);
  return raw;
}

TEST(DicomImage, projections_with_and_without_gates) {
  for (const int gates : {1, 8}) {
    const RawData raw = projections(gates);
    const WrittenInstance written = write_projections(raw, provenance());
    const RawData read = std::get<RawData>(read_bytes(written.bytes, "nm"));
    const auto &p = std::get<Projections>(raw.value), &q = std::get<Projections>(read.value);
    EXPECT_EQ(p.layers, q.layers);
    ASSERT_EQ(p.angle_deg.size(), q.angle_deg.size());
    for (std::size_t v = 0; v < p.angle_deg.size(); ++v)
      EXPECT_NEAR(std::remainder(p.angle_deg[v] - q.angle_deg[v], 360), 0, 1e-9);
    EXPECT_EQ(p.radius_mm, q.radius_mm);
    EXPECT_EQ(p.spacing_mm, q.spacing_mm);
    EXPECT_TRUE(q.axial_known);
    EXPECT_NEAR(p.axial_start_mm, q.axial_start_mm, 1e-9);
    EXPECT_NEAR(p.axial_step_mm, q.axial_step_mm, 1e-9);
    EXPECT_EQ(facts_of<SpectFacts>(read.acquisition)->energy_windows.at(0).upper_kev, 154);
    for (const Remark& remark : read.remarks) EXPECT_NE(remark.severity, Severity::warning) << remark.text;
  }
}

TEST(DicomImage, spect_volume) {
  Random random(6);
  const Image spect = image_of<float>("SPECT", "", [&] { return static_cast<float>(random.uniform(0, 5000)); });
  const Image read = std::get<Image>(read_back(write_image(spect, provenance())));
  EXPECT_LE(largest_difference(spect, read), 5000.0 / 32767 / 2 * 1.01);
}

TEST(DicomImage, refuses_what_it_cannot_write) {
  Image image = image_of<float>("", "", [] { return 1.F; });
  EXPECT_THROW(static_cast<void>(write_image(image, provenance())), Error);
  RawData raw = projections(1);
  std::get<Projections>(raw.value).layers[0][3] = 0.5F;
  EXPECT_THROW(static_cast<void>(write_projections(raw, provenance())), Error);
  std::get<Projections>(raw.value).layers[0][3] = 0;
  std::get<Projections>(raw.value).angle_deg[5] += 3;
  EXPECT_THROW(static_cast<void>(write_projections(raw, provenance())), Error);
}

TEST(DicomImage, same_bytes_twice) {
  const Image ct = image_of<std::int16_t>("CT", "[hnsf'U]", [] { return std::int16_t{7}; });
  const auto a = write_image(ct, provenance()), b = write_image(ct, provenance());
  for (std::size_t k = 0; k < a.size(); ++k) EXPECT_EQ(a[k].bytes, b[k].bytes);
}

}  // namespace
}  // namespace penta::io::dicom
