#include "modality/pet/suv.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace penta::pet {
namespace {

// STS_001 of TCIA Soft-tissue-Sarcoma (data/pet/sts-raw-dicom/SOURCE.md).
PetFacts sts() {
  PetFacts pet;
  pet.units = {"BQML", "(0054,1001)"};
  pet.decay_correction = {"START", "(0054,1102)"};
  pet.injected_dose_bq = {3.88777472e8, "(0018,1074)"};
  pet.half_life_s = {6588.0, "(0018,1075)"};
  pet.injection_time_s = {1e9, "(0018,1072)"};
  pet.series_time_s = {1e9 + 2711, "(0008,0031)"};
  pet.acquisition_time_s = {1e9 + 2711, "(0008,0032)"};
  pet.frame_duration_ms = {240000.0, "(0018,1242)"};
  return pet;
}

PatientFacts man() {
  PatientFacts patient;
  patient.sex = "M";
  patient.weight_kg = {71.0, "(0010,1030)"};
  patient.height_m = {1.75, "(0010,1020)"};
  return patient;
}

TEST(Suv, PublishedFactorOfSts001) {
  EXPECT_NEAR(suv_scale(sts(), man(), SuvType::bw).factor, 2.429029766e-4, 1e-13);
}

// By hand for a man of 71 kg and 1.75 m, and a woman of 60 kg and 1.65 m.
TEST(Suv, PublishedBodyFormulas) {
  std::vector<std::string> missing;
  const auto near = [&](SuvType type, const PatientFacts& p, double expected) {
    EXPECT_NEAR(normalisation(type, p, missing), expected, 1e-3 * expected) << row_of(type).name;
  };
  PatientFacts woman = man();
  woman.sex = "F";
  woman.weight_kg.value = 60;
  woman.height_m.value = 1.65;
  near(SuvType::bw, man(), 71000);
  near(SuvType::lbm_janmahasatian, man(), 56302);
  near(SuvType::lbm_janmahasatian, woman, 39273);
  near(SuvType::lbm_james, man(), 58347);
  near(SuvType::lbm_james128, man(), 57030);
  near(SuvType::lbm_james128, woman, 44630);
  near(SuvType::bsa, man(), 18600);
  near(SuvType::ibw, man(), 72380);
  near(SuvType::ibw, woman, 57330);
  EXPECT_TRUE(missing.empty());
}

// All header variants of one scan say the same SUV.
TEST(Suv, TwinHeadersGiveOneSuv) {
  const double bq = 8000, half_life = 6588, wait = 2711;
  const double suv = bq * suv_scale(sts(), man(), SuvType::bw).factor;
  PetFacts admin = sts();  // values corrected to the injection are larger
  admin.decay_correction.value = "ADMIN";
  EXPECT_NEAR(bq / decay(wait, half_life) * suv_scale(admin, man(), SuvType::bw).factor, suv, 1e-9);
  PetFacts none = sts();  // values as counted, 10 minutes into the scan
  none.decay_correction.value = "NONE";
  none.acquisition_time_s.value = *none.acquisition_time_s + 600;
  const double counted = bq * decay(600 + mean_count_time_s(240, half_life), half_life);
  EXPECT_NEAR(counted * suv_scale(none, man(), SuvType::bw).factor, suv, 1e-9);
  PetFacts late = sts();  // series written after the scan; the frame knows when it was
  late.series_time_s.value = *late.series_time_s + 7200;
  late.acquisition_time_s.value = *late.acquisition_time_s + 600;
  late.frame_reference_time_ms = {1000 * (600 + mean_count_time_s(240, half_life)), "(0054,1300)"};
  EXPECT_NEAR(bq * suv_scale(late, man(), SuvType::bw).factor, suv, 1e-9);
  PetFacts gml;
  gml.units = {"GML", ""};
  EXPECT_DOUBLE_EQ(suv_scale(gml, man(), SuvType::bw).factor, 1);
  PetFacts philips;
  philips.units = {"CNTS", ""};
  philips.philips_suv_factor = {0.5, "(7053,1000)"};
  EXPECT_DOUBLE_EQ(suv_scale(philips, man(), SuvType::bw).factor, 0.5);
  PetFacts activity = sts();
  activity.units.value = "CNTS";
  activity.philips_activity_factor = {2.0, "(7053,1009)"};
  EXPECT_NEAR(bq / 2 * suv_scale(activity, man(), SuvType::bw).factor, suv, 1e-9);
  PetFacts mbq = sts();
  mbq.injected_dose_bq.value = 388.777472;
  EXPECT_NEAR(bq * suv_scale(mbq, man(), SuvType::bw).factor, suv, 1e-9);
  EXPECT_EQ(suv_scale(mbq, man(), SuvType::bw).remarks.at(0).code, "dose_in_mbq");
}

TEST(Suv, InverseFromAnyTypeToAny) {
  for (int from = 0; from < 6; ++from)
    for (int to = 0; to < 6; ++to) {
      PetFacts pet;
      pet.units = {std::string(row_of(SuvType(from)).dicom_units), ""};
      pet.suv_type = {std::string(row_of(SuvType(from)).dicom_type), ""};
      std::vector<std::string> missing;
      EXPECT_NEAR(suv_scale(pet, man(), SuvType(to)).factor,
                  normalisation(SuvType(to), man(), missing) / normalisation(SuvType(from), man(), missing), 1e-9);
      EXPECT_NEAR(suv_scale(sts(), man(), SuvType(from)).factor * suv_scale(pet, man(), SuvType(to)).factor,
                  suv_scale(sts(), man(), SuvType(to)).factor, 1e-12);
    }
}

TEST(Suv, OverMidnightIsSaid) {
  PetFacts pet = sts();
  pet.injection_time_s.value = 86400.0 - 1800;
  pet.series_time_s.value = 911.0;
  pet.acquisition_time_s.value = 911.0;
  const SuvScale scale = suv_scale(pet, man(), SuvType::bw);
  EXPECT_NEAR(scale.factor, 2.429029766e-4, 1e-13);
  EXPECT_EQ(scale.remarks.at(0).code, "over_midnight");
}

struct Fault {
  const char* text;
  void (*make)(PetFacts&, PatientFacts&);
};

TEST(Suv, NothingMissingIsGuessed) {
  const Fault faults[] = {
      {"patient weight (0010,1030) is missing", [](PetFacts&, PatientFacts& p) { p.weight_kg = {}; }},
      {"patient weight (0010,1030) is 0", [](PetFacts&, PatientFacts& p) { p.weight_kg.value = 0; }},
      {"patient weight (0010,1030) is 71000", [](PetFacts&, PatientFacts& p) { p.weight_kg.value = 71000; }},
      {"injected dose (0018,1074) is missing", [](PetFacts& f, PatientFacts&) { f.injected_dose_bq = {}; }},
      {"injected dose (0018,1074) is 3e+15", [](PetFacts& f, PatientFacts&) { f.injected_dose_bq.value = 3e15; }},
      {"half-life (0018,1075) is missing", [](PetFacts& f, PatientFacts&) { f.half_life_s = {}; }},
      {"injection time (0018,1078) is missing", [](PetFacts& f, PatientFacts&) { f.injection_time_s = {}; }},
      {"series time (0008,0031) is missing", [](PetFacts& f, PatientFacts&) { f.series_time_s = f.acquisition_time_s = {}; }},
      {"units (0054,1001) are missing", [](PetFacts& f, PatientFacts&) { f.units = {}; }},
      {"units (0054,1001) are 'PROPCPS'", [](PetFacts& f, PatientFacts&) { f.units.value = "PROPCPS"; }},
      {"(7053,1000)", [](PetFacts& f, PatientFacts&) { f.units.value = "CNTS"; }},
      {"decay correction (0054,1102) is missing", [](PetFacts& f, PatientFacts&) { f.decay_correction = {}; }},
      {"decay correction (0054,1102) is 'YES'", [](PetFacts& f, PatientFacts&) { f.decay_correction.value = "YES"; }},
      {"after the injection", [](PetFacts& f, PatientFacts&) { f.injection_time_s.value = *f.series_time_s + 9000; }},
      {"frame reference time (0054,1300)", [](PetFacts& f, PatientFacts&) { f.series_time_s.value = *f.series_time_s + 60; }},
  };
  for (const Fault& fault : faults) {
    PetFacts pet = sts();
    PatientFacts patient = man();
    fault.make(pet, patient);
    try {
      (void)suv_scale(pet, patient, SuvType::bw);
      ADD_FAILURE() << "not refused: " << fault.text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(fault.text), std::string::npos) << error.what();
      EXPECT_EQ(error.code(), Code::bad_input);
    }
  }
  PatientFacts neither = man();
  neither.sex = "O";
  neither.height_m = {};
  EXPECT_NO_THROW((void)suv_scale(sts(), neither, SuvType::bw));
  EXPECT_THROW((void)suv_scale(sts(), neither, SuvType::lbm_james), Error);
  neither.sex = "";
  neither.height_m.value = 1.75;
  EXPECT_THROW((void)suv_scale(sts(), neither, SuvType::ibw), Error);
}

// Published: IBSI SUV manual's reference object DRO_2_2 (sex O, 1.75 m).
TEST(Suv, PublishedSexOtherIsTheMeanOfBothAndSaid) {
  PatientFacts other = man();
  other.sex = "O";
  std::vector<std::string> missing;
  EXPECT_NEAR(normalisation(SuvType::ibw, other, missing), 69405, 1e-6);
  const SuvScale scale = suv_scale(sts(), other, SuvType::ibw);
  ASSERT_EQ(scale.remarks.size(), 1U);
  EXPECT_EQ(scale.remarks[0].code, "sex_other");
}

TEST(Suv, ImageIsConvertedOnceAndOnlyOnce) {
  Image image;
  Volume<float> volume(Grid({2, 1, 1}, {1, 1, 1}));
  volume.at(1, 0, 0) = 10000;
  VolumeSequence sequence;
  sequence.emplace_back(std::move(volume));
  image.pixels = std::move(sequence);
  image.unit = "Bq/mL";
  image.acquisition.facts = sts();
  image.acquisition.patient = man();
  std::vector<Remark> remarks;
  const Image suv = suv_image(image, SuvType::bw, false, remarks);
  EXPECT_TRUE(is_suv(suv));
  EXPECT_EQ(suv.unit, "g/mL");
  const Image again = suv_image(suv, SuvType::bw, false, remarks);
  EXPECT_NEAR(std::get<Volume<float>>(again.volume()).at(1, 0, 0), 2.429029766, 1e-6);
  Image bare;
  VolumeSequence empty;
  empty.emplace_back(Volume<float>(Grid({1, 1, 1}, {1, 1, 1})));
  bare.pixels = std::move(empty);
  EXPECT_THROW((void)suv_image(bare, SuvType::bw, false, remarks), Error);
  EXPECT_EQ(suv_image(bare, SuvType::bw, true, remarks).unit, "g/mL");
}

}  // namespace
}  // namespace penta::pet
