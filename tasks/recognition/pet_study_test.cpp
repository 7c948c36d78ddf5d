#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_recognition_pet_study();

namespace {

template <class Data>
Answer run(const Data& data, const char* role) {
  const auto method = make_recognition_pet_study();
  const Input inputs[] = {{role, &data}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

using Labels = std::vector<std::string>;

Labels labels_of(const Answer& answer) {
  Labels labels;
  for (const Score& score : std::get<Scores>(answer.artifacts.at(0).value)) {
    EXPECT_FALSE(score.probability);
    labels.push_back(score.label);
  }
  return labels;
}

bool said(const Answer& answer, std::string_view code) {
  return std::any_of(answer.remarks.begin(), answer.remarks.end(), [&](const Remark& r) { return r.code == code; });
}

Image image_of(double length_mm, const std::string& body_part) {
  Image image;
  VolumeSequence sequence;
  sequence.emplace_back(Volume<float>(Grid({10, 10, 10}, {50, 50, length_mm / 10})));
  image.pixels = std::move(sequence);
  image.acquisition.modality = "PET";
  image.acquisition.body_part = body_part;
  PetFacts facts;
  facts.units = {"GML", ""};
  facts.tracer = {"FDG", ""};
  facts.half_life_s = {6588.0, ""};
  facts.corrections = {"ATTN\\SCAT\\DECY", ""};
  facts.decay_correction = {"START", ""};
  image.acquisition.facts = facts;
  return image;
}

TEST(PetStudyMethod, PublishedRegionByLengthAndHeader) {
  const Labels common{
      "FDG", "F-18", "SUV", "attenuation corrected", "scatter corrected", "decay corrected to scan start"};
  const auto expect = [&](double mm, const char* part, Labels more, bool conflict) {
    const Answer answer = run(image_of(mm, part), "image");
    Labels all = common;
    all.insert(all.end(), more.begin(), more.end());
    EXPECT_EQ(labels_of(answer), all) << part;
    EXPECT_EQ(said(answer, "body_part_conflict"), conflict) << part;
  };
  expect(900, "WHOLEBODY", {"whole body"}, false);
  expect(900, "BRAIN", {"whole body", "head"}, true);
  expect(200, "BRAIN", {"single bed position", "head"}, false);
  expect(200, "WHOLEBODY", {"single bed position"}, true);
  expect(400, "HEADNECK", {"head and neck"}, false);
  expect(400, "", {}, false);
}

// Published: what STIR's PET_ACQ_small.l.hdr.STIR says.
TEST(PetStudyMethod, PublishedListModeHeader) {
  RawData raw;
  raw.value = ListMode{};
  raw.acquisition.modality = "PET";
  PetFacts facts;
  facts.tracer = {"FDG", "radiopharmaceutical"};
  facts.isotope = {"F-18", "isotope name"};
  facts.half_life_s = {6586.2, "isotope gamma halflife (sec)"};
  facts.injected_dose_bq = {4.65e7, "tracer activity at time of injection (Bq)"};
  raw.acquisition.facts = facts;
  const Answer answer = run(raw, "raw");
  EXPECT_EQ(labels_of(answer), (Labels{"FDG", "F-18", "list mode"}));
  EXPECT_TRUE(said(answer, "weight_missing"));
  EXPECT_FALSE(said(answer, "units_missing"));
}

TEST(PetStudyMethod, OtherModalitiesAreRefused) {
  Image image = image_of(900, "");
  image.acquisition.modality = "CT";
  EXPECT_THROW((void)run(image, "image"), Error);
  image.acquisition.modality.clear();
  image.acquisition.facts = {};
  const Answer answer = run(image, "image");
  EXPECT_TRUE(said(answer, "no_header"));
}

}  // namespace
}  // namespace penta
