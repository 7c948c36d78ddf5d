#include "modality/pet/study.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

namespace penta::pet {

namespace {

struct Header {
  PetFacts pet;
  PatientFacts patient;
};

// An FDG scan of 90 minutes' uptake without a fault.
Header sound() {
  Header h;
  PetFacts& p = h.pet;
  p.units = {"BQML", "(0054,1001)"};
  p.decay_correction = {"START", "(0054,1102)"};
  p.corrections = {"NORM\\DTIM\\ATTN\\SCAT\\DECY\\RAN", "(0028,0051)"};
  p.tracer = {"Fluorodeoxyglucose", "(0018,0031)"};
  p.isotope = {"^18^Fluorine", "(0054,0300)"};
  p.injected_dose_bq = {3.7e8, "(0018,1074)"};
  p.half_life_s = {6586.2, "(0018,1075)"};
  p.injection_time_s = {100000.0, "(0018,1078)"};
  p.series_time_s = {105400.0, "(0008,0031)"};
  p.acquisition_time_s = {105400.0, "(0008,0032)"};
  p.frame_duration_ms = {180000.0, "(0018,1242)"};
  p.frame_reference_time_ms = {89000.0, "(0054,1300)"};
  h.patient.weight_kg = {71.0, "(0010,1030)"};
  h.patient.height_m = {1.75, "(0010,1020)"};
  h.patient.age_years = {50.0, "(0010,1010)"};
  return h;
}

struct Fault {
  const char* codes;  ///< of all remarks, in their order, joined by blanks
  std::function<void(PetFacts&, PatientFacts&)> make;
};

std::string codes_of(const Study& study) {
  std::string codes;
  for (const Remark& remark : study.remarks) codes += (codes.empty() ? "" : " ") + remark.code;
  return codes;
}

void philips(PetFacts& p) {
  p.units.value = "CNTS";
  p.philips_activity_factor = {2.0, "(7053,1009)"};
  // 2 * 71000 / (3.7e8 * 2^(-5400 / 6586.2))
  p.philips_suv_factor = {6.774e-4, "(7053,1000)"};
}

using P = PetFacts;
using Q = PatientFacts;

// Published: what each attribute may hold (PS3.3 C.8.9.1, C.8.9.2, CID 4020); one row a header fault.
const std::vector<Fault>& faults() {
  static const std::vector<Fault> list{
      {"tracer_missing", [](P& p, Q&) { p.tracer = {}; }},
      {"tracer_missing", [](P& p, Q&) { p.tracer.value = ""; }},
      {"tracer_missing half_life_unknown isotope_missing",
       [](P& p, Q&) { p.tracer = {}, p.isotope = {}, p.half_life_s.value = 5000; }},
      {"tracer_conflict", [](P& p, Q&) { p.isotope.value = "^68^Gallium", p.half_life_s.value = 4063; }},
      {"isotope_conflict", [](P& p, Q&) { p.half_life_s.value = 4063; }},
      {"isotope_conflict", [](P& p, Q&) { p.half_life_s.value = 1222; }},
      {"isotope_conflict", [](P& p, Q&) { p.tracer.value = "PSMA-1007", p.isotope.value = "68Ga"; }},
      {"isotope_conflict tracer_conflict", [](P& p, Q&) { p.isotope.value = "^11^Carbon"; }},
      {"tracer_conflict", [](P& p, Q&) { p.isotope.value = "^11^Carbon", p.half_life_s.value = 1222; }},
      {"not_pet_nuclide",
       [](P& p, Q&) { p.tracer.value = "DOTATATE", p.isotope.value = "^177^Lutetium", p.half_life_s.value = 574300; }},
      {"not_pet_nuclide",
       [](P& p, Q&) { p.tracer.value = "HDP", p.isotope.value = "^99m^Technetium", p.half_life_s.value = 21620; }},
      {"half_life_missing", [](P& p, Q&) { p.half_life_s = {}; }},
      {"half_life_missing", [](P& p, Q&) { p.half_life_s.value = 0; }},
      {"half_life_unit", [](P& p, Q&) { p.half_life_s.value = 109.77; }},
      {"half_life_unit", [](P& p, Q&) { p.half_life_s.value = 1.8295; }},
      {"half_life_unit", [](P& p, Q&) { p.tracer.value = "PIB", p.isotope.value = "11C", p.half_life_s.value = 20.4; }},
      {"half_life_unknown", [](P& p, Q&) { p.half_life_s.value = 9000; }},
      {"dose_missing", [](P& p, Q&) { p.injected_dose_bq = {}; }},
      {"dose_missing", [](P& p, Q&) { p.injected_dose_bq.value = 0; }},
      {"dose_missing", [](P& p, Q&) { p.injected_dose_bq.value = -3.7e8; }},
      {"dose_in_mbq", [](P& p, Q&) { p.injected_dose_bq.value = 370; }},
      {"dose_in_mbq", [](P& p, Q&) { p.injected_dose_bq.value = 10; }},
      {"dose_in_kbq", [](P& p, Q&) { p.injected_dose_bq.value = 3.7e5; }},
      {"dose_implausible", [](P& p, Q&) { p.injected_dose_bq.value = 3.7e9; }},
      {"dose_implausible", [](P& p, Q&) { p.injected_dose_bq.value = 3.7e11, p.tracer.value = "PSMA"; }},
      {"dose_implausible", [](P& p, Q&) { p.injected_dose_bq.value = 0.37; }},
      {"weight_missing", [](P&, Q& q) { q.weight_kg = {}; }},
      {"weight_missing", [](P&, Q& q) { q.weight_kg.value = 0; }},
      {"weight_conflict", [](P&, Q& q) { q.weight_kg.value = 7; }},
      {"weight_conflict", [](P&, Q& q) { q.weight_kg.value = 7, q.height_m = {}; }},
      {"weight_conflict", [](P&, Q& q) { q.weight_kg.value = 7, q.height_m = {}, q.age_years = {}; }},
      {"weight_conflict", [](P&, Q& q) { q.weight_kg.value = 71, q.height_m = {}, q.age_years.value = 1; }},
      {"weight_conflict", [](P&, Q& q) { q.weight_kg.value = 350; }},
      {"weight_implausible", [](P&, Q& q) { q.weight_kg.value = 700; }},
      {"weight_implausible", [](P&, Q& q) { q.weight_kg.value = -71; }},
      {"weight_in_grams", [](P&, Q& q) { q.weight_kg.value = 71000; }},
      {"height_in_cm", [](P&, Q& q) { q.height_m.value = 175; }},
      {"height_implausible", [](P&, Q& q) { q.height_m.value = 1750; }},
      {"height_implausible", [](P&, Q& q) { q.height_m.value = 0.1; }},
      {"injection_time_missing", [](P& p, Q&) { p.injection_time_s = {}; }},
      {"scan_time_missing", [](P& p, Q&) { p.series_time_s = {}, p.acquisition_time_s = {}; }},
      {"injection_after_scan", [](P& p, Q&) { p.injection_time_s.value = 109000; }},
      {"injection_after_scan", [](P& p, Q&) { p.injection_time_s.value = 105400 + 2 * 86400; }},
      {"over_midnight", [](P& p, Q&) { p.injection_time_s.value = 100000 + 86400; }},
      {"uptake_long", [](P& p, Q&) { p.injection_time_s.value = 105400 - 6 * 3600; }},
      {"uptake_long", [](P& p, Q&) { p.injection_time_s.value = 105400 - 365 * 86400.0; }},
      {"uptake_short", [](P& p, Q&) { p.injection_time_s.value = 105400 - 600; }},
      {"series_after_acquisition", [](P& p, Q&) { p.series_time_s.value = 109000; }},
      {"decay_correction_missing", [](P& p, Q&) { p.decay_correction = {}; }},
      {"decay_correction_missing", [](P& p, Q&) { p.decay_correction.value = ""; }},
      {"decay_correction_unknown", [](P& p, Q&) { p.decay_correction.value = "YES"; }},
      {"decay_conflict", [](P& p, Q&) { p.decay_correction.value = "NONE"; }},
      {"decay_conflict", [](P& p, Q&) { p.corrections.value = "NORM\\ATTN\\SCAT"; }},
      {"not_decay_corrected",
       [](P& p, Q&) { p.corrections.value = "NORM\\ATTN\\SCAT", p.decay_correction.value = "NONE"; }},
      {"units_missing", [](P& p, Q&) { p.units = {}; }},
      {"units_missing", [](P& p, Q&) { p.units.value = ""; }},
      {"units_unknown", [](P& p, Q&) { p.units.value = "KBQML"; }},
      {"units_unknown", [](P& p, Q&) { p.units.value = "Bq/ml"; }},
      {"counts_without_factor", [](P& p, Q&) { p.units.value = "CNTS"; }},
      {"counts_without_factor", [](P& p, Q&) { p.units.value = "PROPCPS"; }},
      {"counts_without_factor",
       [](P& p, Q&) { philips(p), p.philips_suv_factor.value = 0, p.philips_activity_factor = {}; }},
      {"philips_suv_only", [](P& p, Q&) { philips(p), p.philips_activity_factor = {}; }},
      {"philips_conflict", [](P& p, Q&) { philips(p), p.philips_suv_factor.value = 4e-4; }},
      {"suv_type_unknown",
       [](P& p, Q&) {
         p.units.value = "GML", p.suv_type = {"BODY", ""};
       }},
      {"suv_type_conflict",
       [](P& p, Q&) {
         p.units.value = "GML", p.suv_type = {"BSA", ""};
       }},
      {"suv_type_conflict",
       [](P& p, Q&) {
         p.units.value = "CM2ML", p.suv_type = {"BW", ""};
       }},
      {"corrections_missing", [](P& p, Q&) { p.corrections = {}; }},
      {"not_attenuation_corrected", [](P& p, Q&) { p.corrections.value = "NORM\\SCAT\\DECY"; }},
      {"not_scatter_corrected", [](P& p, Q&) { p.corrections.value = "NORM\\ATTN\\DECY"; }},
      {"attenuation_conflict",
       [](P& p, Q&) {
         p.attenuation_method = {"NONE", ""};
       }},
      {"attenuation_conflict",
       [](P& p, Q&) {
         p.attenuation_method = {"measured,AC CT", ""}, p.corrections.value = "SCAT\\DECY";
       }},
      {"scatter_conflict",
       [](P& p, Q&) {
         p.scatter_method = {"NONE", ""};
       }},
      {"frame_duration", [](P& p, Q&) { p.frame_duration_ms.value = 0; }},
      {"frame_reference_time", [](P& p, Q&) { p.frame_reference_time_ms.value = -5; }},
  };
  return list;
}

TEST(PetStudy, PublishedHeaderFaultsEachIsSaidAndNothingElse) {
  ASSERT_GE(faults().size(), 50U);
  for (std::size_t i = 0; i < faults().size(); ++i) {
    Header h = sound();
    faults()[i].make(h.pet, h.patient);
    EXPECT_EQ(codes_of(study_of(h.pet, h.patient)), faults()[i].codes) << "case " << i;
  }
}

TEST(PetStudy, SoundHeadersHaveNoRemark) {
  const std::vector<Fault> variants{
      {"", [](P&, Q&) {}},
      {"", [](P& p, Q&) { p.decay_correction.value = "ADMIN"; }},
      {"", [](P& p, Q&) { philips(p); }},
      {"", [](P& p, Q&) { p.units.value = "GML", p.injected_dose_bq = {}, p.injection_time_s = {}; }},
      {"",
       [](P& p, Q&) {
         p.units.value = "CM2ML", p.suv_type = {"BSA", ""};
       }},
      {"", [](P& p,
              Q&) { p.tracer.value = "Ga68-PSMA-11", p.isotope.value = "^68^Gallium", p.half_life_s.value = 4062.6; }},
      {"",
       [](P& p, Q&) {
         p.tracer.value = "NH3 Ammonia", p.isotope = {}, p.half_life_s.value = 597.9, p.injection_time_s.value = 105400;
       }},
      {"", [](P&, Q& q) { q.weight_kg.value = 9, q.height_m.value = 0.75, q.age_years.value = 1; }},
      {"", [](P&, Q& q) { q.height_m = {}, q.age_years = {}; }},
      {"",
       [](P& p, Q&) {
         p.tracer.value = "Zr-89 trastuzumab", p.isotope.value = "^89^Zirconium", p.half_life_s.value = 282240,
         p.injection_time_s.value = 105400 - 4 * 86400.0;
       }},
  };
  for (std::size_t i = 0; i < variants.size(); ++i) {
    Header h = sound();
    variants[i].make(h.pet, h.patient);
    EXPECT_EQ(codes_of(study_of(h.pet, h.patient)), "") << "variant " << i;
  }
}

TEST(PetStudy, RawDataNeedNoUnitsAndNoCorrections) {
  Header h = sound();
  h.pet.units = h.pet.corrections = h.pet.decay_correction = {};
  EXPECT_EQ(codes_of(study_of(h.pet, h.patient, Stage::raw)), "");
  h.pet.half_life_s.value = 109.77;
  EXPECT_EQ(codes_of(study_of(h.pet, h.patient, Stage::raw)), "half_life_unit");
}

TEST(PetStudy, PublishedLabels) {
  const Header h = sound();
  EXPECT_EQ(study_of(h.pet, h.patient).labels,
            (std::vector<std::string>{"FDG", "F-18", "activity concentration", "attenuation corrected",
                                      "scatter corrected", "decay corrected to scan start"}));
  EXPECT_EQ(tracer_named("[68Ga]Ga-DOTATATE"), "DOTATATE");
  EXPECT_EQ(tracer_named("F18-FET"), "FET");
  EXPECT_EQ(tracer_named("cafeteria"), "");
}

}  // namespace
}  // namespace penta::pet
