// Published: the corpus of header rules. One made header a case, changed in one fact; the labels and the warnings that it
// must give, all of them and no others. Timing, kernels, half-lives and image types are those of vendors' conformance
// statements and of PS3.3.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_recognition_any_header();

namespace {

using Words = std::vector<std::string>;

struct Header {
  Acquisition acquisition;
  std::string unit;
  float air = 0, body = 1000;
  std::array<std::int64_t, 3> size{20, 20, 20};
  std::array<double, 3> spacing_mm{10, 10, 10};
};

struct Case {
  std::string what;
  std::function<void(Header&)> change;
  Words labels, warnings;
};

template <class Facts>
Facts& facts(Header& h) {
  return std::get<Facts>(h.acquisition.facts);
}

Header ct() {
  Header h;
  h.acquisition.modality = h.acquisition.dicom_modality = "CT";
  h.acquisition.facts = CtFacts{};
  h.unit = "[hnsf'U]";
  h.air = -1000;
  return h;
}

Header mr() {
  Header h;
  h.acquisition.modality = h.acquisition.dicom_modality = "MR";
  h.acquisition.facts = MrFacts{};
  return h;
}

/// FDG, corrected for everything, whose SUV can be computed.
Header pet() {
  Header h;
  h.acquisition.modality = "PET";
  h.acquisition.dicom_modality = "PT";
  PetFacts f;
  f.units = {"BQML", "(0054,1001)"};
  f.tracer = {"FDG", "(0018,0031)"};
  f.half_life_s = {6586.2, "(0018,1075)"};
  f.corrections = {"DECY\\ATTN\\SCAT\\NORM\\RAN\\DTIM", "(0028,0051)"};
  f.decay_correction = {"START", "(0054,1102)"};
  f.injected_dose_bq = {350e6, "(0018,1074)"};
  f.injection_time_s = {36000.0, "(0018,1078)"};
  f.series_time_s = f.acquisition_time_s = {39600.0, "(0008,0031)"};
  h.acquisition.patient.weight_kg = {70.0, "(0010,1030)"};
  h.acquisition.facts = f;
  h.unit = "Bq/mL";
  return h;
}

Header spect() {
  Header h;
  h.acquisition.modality = "SPECT";
  h.acquisition.dicom_modality = "NM";
  SpectFacts f;
  f.kind = {"RECON TOMO", "(0008,0008)"};
  f.isotope = {"^99m^Technetium", "(0054,0300)"};
  f.energy_windows = {{"Tc", 126.5, 154.5}};
  h.acquisition.facts = f;
  return h;
}

Answer answer_of(const Header& h) {
  Volume<float> volume(Grid(h.size, h.spacing_mm));
  for (float& v : volume.voxels()) v = h.air;
  volume.at(0, 0, 0) = h.body;
  VolumeSequence sequence;
  sequence.emplace_back(std::move(volume));
  Image image;
  image.pixels = std::move(sequence);
  image.acquisition = h.acquisition;
  image.unit = h.unit;
  const auto method = make_recognition_any_header();
  const Input inputs[] = {{"image", &image}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

/// How many cases were right; each wrong one is named.
void expect_all(const std::vector<Case>& cases, Header (*start)(), std::size_t count) {
  EXPECT_EQ(cases.size(), count);  // the number on the card
  for (const Case& one : cases) {
    Header header = start();
    one.change(header);
    const Answer answer = answer_of(header);
    Words labels, warnings;
    for (const Score& score : std::get<Scores>(answer.artifacts.at(0).value)) labels.push_back(score.label);
    for (const Remark& remark : answer.remarks)
      if (remark.severity != Severity::note) warnings.push_back(remark.code);
    EXPECT_EQ(labels, one.labels) << one.what;
    EXPECT_EQ(warnings, one.warnings) << one.what;
  }
}

Case kernel(const char* name, const char* label) {
  return {std::string("kernel ") + name, [name](Header& h) { facts<CtFacts>(h).kernel = {name, "(0018,1210)"}; },
          label == nullptr ? Words{"CT"} : Words{"CT", label}, {}};
}

Case agent(const char* text, bool given) {
  return {std::string("contrast agent ") + text, [text](Header& h) { facts<CtFacts>(h).contrast_agent = {text, "(0018,0010)"}; },
          given ? Words{"CT", "contrast agent"} : Words{"CT"}, {}};
}

TEST(HeaderRules, PublishedCt) {
  const char *sharp = "sharp kernel", *smooth = "smooth kernel";
  expect_all(
      {
          {"nothing said", [](Header&) {}, {"CT"}, {}},
          kernel("B30f", smooth), kernel("B70f", sharp), kernel("Br40", smooth), kernel("Hr64", sharp), kernel("Bl57", sharp),
          kernel("STANDARD", smooth), kernel("SOFT", smooth), kernel("BONE", sharp), kernel("LUNG", sharp), kernel("FC51", nullptr),
          agent("OMNIPAQUE 300", true), agent("APPLIED", true), agent("NO", false), agent("none", false),
          {"tilt", [](Header& h) { facts<CtFacts>(h).gantry_tilt_deg = {-15.0, ""}; }, {"CT", "tilted gantry"}, {}},
          {"no tilt", [](Header& h) { facts<CtFacts>(h).gantry_tilt_deg = {0.2, ""}; }, {"CT"}, {}},
          {"values without rescaling", [](Header& h) { h.air = 0; }, {"CT"}, {"values_not_hu"}},
          {"only soft tissue in view", [](Header& h) { h.air = 20, h.body = 90; }, {"CT"}, {}},
          {"an electron density map", [](Header& h) { h.unit = "1"; }, {"CT"}, {"unit_conflict"}},
          {"a head of two metres", [](Header& h) { h.acquisition.body_part = "HEAD", h.size[2] = 200; }, {"CT", "whole body"}, {"body_part_conflict"}},
          {"a head of 60 cm", [](Header& h) { h.acquisition.body_part = "BRAIN", h.size[2] = 60; }, {"CT"}, {"body_part_conflict"}},
          {"a head of 20 cm", [](Header& h) { h.acquisition.body_part = "HEAD"; }, {"CT"}, {}},
          {"whole body", [](Header& h) { h.size[2] = 180; }, {"CT", "whole body"}, {}},
          {"spacing in micrometres", [](Header& h) { h.spacing_mm = {900, 900, 10}; }, {"CT"}, {"field_of_view"}},
          {"spacing in metres", [](Header& h) { h.spacing_mm = {0.001, 0.001, 10}; }, {"CT"}, {"field_of_view"}},
          {"made by a program", [](Header& h) { h.acquisition.synthetic = true; }, {"CT", "synthetic"}, {}},
      },
      ct, 27);
}

Case protocol(const char* label, double tr, double te, double ti, const char* scanning, const char* variant) {
  return {std::string(label) + " by TR " + std::to_string(tr),
          [=](Header& h) {
            auto& f = facts<MrFacts>(h);
            f.repetition_time_ms = {tr, ""}, f.echo_time_ms = {te, ""}, f.scanning_sequence = {scanning, ""}, f.sequence_variant = {variant, ""};
            if (ti > 0) f.inversion_time_ms = {ti, ""};
          },
          {"MR", label}, {}};
}

TEST(HeaderRules, PublishedMr) {
  expect_all(
      {
          {"nothing said", [](Header&) {}, {"MR"}, {}},
          protocol("T1", 2300, 2.98, 900, "GR\\IR", "SP\\MP"), protocol("T1", 550, 14, 0, "SE", "SK"), protocol("T2", 4500, 102, 0, "SE", "SK"),
          protocol("PD", 2800, 30, 0, "SE", "SK"), protocol("FLAIR", 9000, 125, 2500, "SE\\IR", "SK"), protocol("STIR", 4000, 40, 150, "SE\\IR", "SK"),
          protocol("T2*", 700, 22, 0, "GR", "SP"), protocol("EPI", 2000, 30, 0, "EP\\GR", "SK"), protocol("TOF", 22, 3.7, 0, "GR", "SP\\TOF"),
          {"b-value", [](Header& h) { facts<MrFacts>(h).b_value_s_per_mm2 = {1000.0, ""}; }, {"MR", "diffusion"}, {}},
          {"ADC by image type", [](Header& h) { h.acquisition.image_type = "DERIVED\\PRIMARY\\DIFFUSION\\ADC"; }, {"MR", "diffusion"}, {}},
          {"gadolinium", [](Header& h) { facts<MrFacts>(h).contrast_agent = {"Gadovist", ""}; }, {"MR", "contrast agent"}, {}},
          {"field in gauss", [](Header& h) { facts<MrFacts>(h).field_strength_t = {15000.0, ""}; }, {"MR"}, {"field_strength"}},
          {"field of 3 T", [](Header& h) { facts<MrFacts>(h).field_strength_t = {3.0, ""}; }, {"MR"}, {}},
          {"echo after the repetition", [](Header& h) { facts<MrFacts>(h).echo_time_ms = {90.0, ""}, facts<MrFacts>(h).repetition_time_ms = {9.0, ""}; },
           {"MR"}, {"timing"}},
          {"values said to be HU", [](Header& h) { h.unit = "[hnsf'U]"; }, {"MR"}, {"unit_conflict"}},
      },
      mr, 17);
}

Case half_life(double seconds, const char* tracer, Words labels, Words warnings) {
  return {"half-life " + std::to_string(seconds),
          [=](Header& h) { facts<PetFacts>(h).half_life_s = {seconds, ""}, facts<PetFacts>(h).tracer = {tracer, ""}; }, std::move(labels), std::move(warnings)};
}

TEST(HeaderRules, PublishedPet) {
  const std::string done = "attenuation corrected";
  expect_all(
      {
          {"FDG", [](Header&) {}, {"PET", "F-18", "FDG", done}, {}},
          half_life(4062.6, "^68^Gallium DOTATATE", {"PET", "Ga-68", done}, {}), half_life(1223.4, "Carbon ^11^ choline", {"PET", "C-11", done}, {}),
          half_life(597.9, "Ammonia", {"PET", "N-13", done}, {}), half_life(75.5, "Rubidium ^82^", {"PET", "Rb-82", done}, {}),
          half_life(4062.6, "Fluorine F^18^", {"PET", "Ga-68", done}, {"nuclide_conflict"}), half_life(109.8, "FDG", {"PET", "FDG", done}, {"half_life"}),
          {"no attenuation correction", [](Header& h) { facts<PetFacts>(h).corrections = {"DECY\\SCAT\\NORM\\RAN", ""}; },
           {"PET", "F-18", "FDG", "not attenuation corrected"}, {}},
          {"two sentences on decay", [](Header& h) { facts<PetFacts>(h).corrections = {"ATTN\\SCAT\\NORM", ""}; }, {"PET", "F-18", "FDG", done}, {"decay_conflict"}},
          {"dose in MBq", [](Header& h) { facts<PetFacts>(h).injected_dose_bq = {350.0, ""}; }, {"PET", "F-18", "FDG", done}, {"dose_in_mbq"}},
          {"values said to be HU", [](Header& h) { h.unit = "[hnsf'U]"; }, {"PET", "F-18", "FDG", done}, {"unit_conflict"}},
          {"whole body", [](Header& h) { h.size[2] = 110; }, {"PET", "F-18", "FDG", done, "whole body"}, {}},
          {"a brain of a metre", [](Header& h) { h.acquisition.body_part = "BRAIN", h.size[2] = 90; }, {"PET", "F-18", "FDG", done}, {"body_part_conflict"}},
      },
      pet, 13);
}

Case photons(const char* isotope, double lower_kev, double upper_kev, const char* name, bool fit) {
  return {std::string("window of ") + isotope,
          [=](Header& h) { facts<SpectFacts>(h).isotope = {isotope, ""}, facts<SpectFacts>(h).energy_windows = {{"", lower_kev, upper_kev}}; },
          {"SPECT", "reconstructed", name}, fit ? Words{} : Words{"energy_conflict"}};
}

Case kind(const char* type, Words labels) {
  labels.insert(labels.begin(), "SPECT");
  labels.emplace_back("Tc-99m");
  return {std::string("image type ") + type, [type](Header& h) { facts<SpectFacts>(h).kind = {type, ""}; }, std::move(labels), {}};
}

TEST(HeaderRules, PublishedSpect) {
  expect_all(
      {
          kind("TOMO", {"tomographic projections"}), kind("GATED TOMO", {"tomographic projections", "gated"}), kind("RECON TOMO", {"reconstructed"}),
          kind("RECON GATED TOMO", {"reconstructed", "gated"}), kind("WHOLE BODY", {"whole body"}), kind("STATIC", {"planar"}), kind("DYNAMIC", {"dynamic planar"}),
          photons("^99m^Technetium", 126.5, 154.5, "Tc-99m", true), photons("^99m^Technetium", 320, 400, "Tc-99m", false),
          photons("^123^Iodine", 143, 175, "I-123", true), photons("^131^Iodine", 328, 400, "I-131", true), photons("^131^Iodine", 143, 175, "I-131", false),
          photons("^177^Lutetium", 187, 229, "Lu-177", true), photons("^201^Thallium", 60, 82, "Tl-201", true), photons("^111^Indium", 154, 188, "In-111", true),
          {"gates counted", [](Header& h) { facts<SpectFacts>(h).gates = {8, ""}; }, {"SPECT", "reconstructed", "gated", "Tc-99m"}, {}},
          {"no isotope", [](Header& h) { facts<SpectFacts>(h).isotope = {}; }, {"SPECT", "reconstructed"}, {}},
          {"values said to be HU", [](Header& h) { h.unit = "[hnsf'U]"; }, {"SPECT", "reconstructed", "Tc-99m"}, {"unit_conflict"}},
      },
      spect, 18);
}

}  // namespace
}  // namespace penta
