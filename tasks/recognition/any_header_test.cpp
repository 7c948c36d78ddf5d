#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_recognition_any_header();

namespace {

Image image_of(Acquisition acquisition, float value = 0) {
  Volume<float> volume(Grid({20, 20, 20}, {10, 10, 10}));
  for (float& v : volume.voxels()) v = value;
  volume.at(0, 0, 0) = value + 1000;
  VolumeSequence sequence;
  sequence.emplace_back(std::move(volume));
  Image image;
  image.pixels = std::move(sequence);
  image.acquisition = std::move(acquisition);
  return image;
}

template <class Data>
Answer run(const Data& data, const char* role) {
  const auto method = make_recognition_any_header();
  const Input inputs[] = {{role, &data}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

std::vector<std::string> labels_of(const Answer& answer) {
  std::vector<std::string> labels;
  for (const Score& score : std::get<Scores>(answer.artifacts.at(0).value)) {
    EXPECT_FALSE(score.probability);
    labels.push_back(score.label);
  }
  return labels;
}

bool said(const Answer& answer, std::string_view code) {
  return std::any_of(answer.remarks.begin(), answer.remarks.end(), [&](const Remark& r) { return r.code == code; });
}

using Labels = std::vector<std::string>;

TEST(AnyHeader, PublishedHeadersOfCtAndMr) {
  Acquisition ct;
  ct.modality = ct.dicom_modality = "CT";
  CtFacts facts;
  facts.kernel = {"B70f", "(0018,1210)"};
  facts.contrast_agent = {"Omnipaque", "(0018,0010)"};
  ct.facts = facts;
  EXPECT_EQ(labels_of(run(image_of(ct, -1000), "image")), (Labels{"CT", "sharp kernel", "contrast agent"}));
  EXPECT_TRUE(said(run(image_of(ct, 0), "image"), "values_not_hu"));
  Acquisition mr;
  mr.modality = mr.dicom_modality = "MR";
  MrFacts t1;
  t1.repetition_time_ms = {2300.0, ""};
  t1.echo_time_ms = {3.0, ""};
  t1.inversion_time_ms = {900.0, ""};
  t1.scanning_sequence = {"GR\\IR", ""};
  t1.field_strength_t = {15000.0, ""};
  mr.facts = t1;
  const Answer answer = run(image_of(mr), "image");
  EXPECT_EQ(labels_of(answer), (Labels{"MR", "T1"}));
  EXPECT_TRUE(said(answer, "sequence_rule"));
  EXPECT_TRUE(said(answer, "field_strength"));
}

TEST(AnyHeader, PetConflicts) {
  Acquisition pet;
  pet.modality = "PET";
  pet.dicom_modality = "PT";
  PetFacts facts;
  facts.half_life_s = {4063.0, "(0018,1075)"};
  facts.tracer = {"Fluorine F^18^", ""};
  facts.corrections = {"NORM\\DTIM\\SCAT", "(0028,0051)"};
  facts.decay_correction = {"START", ""};
  pet.facts = facts;
  pet.body_part = "BRAIN";
  Image image = image_of(pet);
  image.unit = "[hnsf'U]";
  const Answer answer = run(image, "image");
  EXPECT_EQ(labels_of(answer), (Labels{"PET", "Ga-68", "not attenuation corrected"}));
  for (const char* code : {"nuclide_conflict", "decay_conflict", "unit_conflict", "no_suv"}) EXPECT_TRUE(said(answer, code)) << code;
}

TEST(AnyHeader, SpectFromProjections) {
  RawData raw;
  raw.acquisition.modality = "SPECT";
  SpectFacts facts;
  facts.kind = {"GATED TOMO", "(0008,0008)"};
  facts.isotope = {"^99m^Technetium", ""};
  facts.energy_windows = {{"", 320, 400}};
  raw.acquisition.facts = facts;
  const Answer answer = run(raw, "raw");
  EXPECT_EQ(labels_of(answer), (Labels{"SPECT", "tomographic projections", "gated", "Tc-99m"}));
  EXPECT_TRUE(said(answer, "energy_conflict"));
}

TEST(AnyHeader, UltrasoundModesByRegion) {
  Image image;
  image.acquisition.modality = "US";
  image.acquisition.facts = UsFacts{};
  Frame2d frame;
  frame.width = frame.height = 4;
  frame.pixels = std::vector<std::uint8_t>(16);
  frame.regions.resize(3);
  frame.regions[0].data_type = 1;
  frame.regions[0].spatial_format = 1;
  frame.regions[1].data_type = 3;
  frame.regions[2].data_type = 2;
  FrameSequence frames;
  frames.push_back(frame);
  frames.push_back(frame);
  image.pixels = std::move(frames);
  EXPECT_EQ(labels_of(run(image, "image")), (Labels{"US", "B-mode", "colour Doppler", "spectral Doppler", "cine"}));
}

}  // namespace
}  // namespace penta
