#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "core/test_data.h"
#include "nn/bundle.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_recognition_any_modality(const nn::ModelStore& models);
MethodPtr make_recognition_ct_region(const nn::ModelStore& models);
MethodPtr make_recognition_mr_sequence(const nn::ModelStore& models);

namespace {

nn::ModelStore models() {
  return nn::ModelStore({repository_root() / "models"});
}

Answer run(const Method& method, const Image& image) {
  const std::vector<Input> inputs{{"image", &image}};
  const Params params(method.card(), {});
  Workspace workspace;
  Control control;
  return method.run({inputs, {}, params, workspace, control});
}

/// A drawn trunk in HU with lungs and a spine.
Image trunk() {
  Volume<std::int16_t> volume(Grid({96, 72, 24}, {4, 4, 10}));
  for (std::int64_t z = 0; z < 24; ++z)
    for (std::int64_t y = 0; y < 72; ++y)
      for (std::int64_t x = 0; x < 96; ++x) {
        const double u = static_cast<double>(x) - 48, v = static_cast<double>(y) - 36;
        const bool body = std::hypot(u / 42, v / 28) < 1, lung = std::hypot((std::abs(u) - 20) / 15, v / 20) < 1;
        const bool spine = std::hypot(u, v - 20) < 5;
        volume.at(x, y, z) = static_cast<std::int16_t>(spine ? 400 : lung ? -850 : body ? 40 + (x * 7 + y * 3 + z) % 9 : -1000);
      }
  VolumeSequence sequence;
  sequence.emplace_back(std::move(volume));
  Image image;
  image.pixels = std::move(sequence);
  return image;
}

const Scores& scores_in(const Answer& answer) { return std::get<Scores>(answer.artifacts.at(0).value); }

bool said(const Answer& answer, std::string_view code) {
  return std::any_of(answer.remarks.begin(), answer.remarks.end(), [&](const Remark& r) { return r.code == code; });
}

TEST(AnyModality, TwinTheHeaderConflictsExactlyWhenItSaysAnother) {
  const nn::ModelStore store = models();
  const MethodPtr method = make_recognition_any_modality(store);
  Image image = trunk();
  const Answer plain = run(*method, image);
  const Scores& scores = scores_in(plain);
  ASSERT_EQ(scores.size(), 5U);
  ASSERT_TRUE(scores.front().probability);
  double sum = 0;
  for (const Score& score : scores) sum += *score.probability;
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_FALSE(said(plain, "modality_conflict"));
  image.acquisition.modality = scores.front().label;
  EXPECT_FALSE(said(run(*method, image), "modality_conflict"));
  image.acquisition.modality = scores.back().label;
  EXPECT_EQ(said(run(*method, image), "modality_conflict"), *scores.front().probability >= 0.9);
}

// Twin: ruled() of train/any.modality/train.py gives HU the probability 0.99.
TEST(AnyModality, TwinHounsfieldUnitsAreCt) {
  const nn::ModelStore store = models();
  const Answer answer = run(*make_recognition_any_modality(store), trunk());
  EXPECT_TRUE(said(answer, "hounsfield_units"));
  EXPECT_EQ(scores_in(answer).front().label, "CT");
  EXPECT_NEAR(*scores_in(answer).front().probability, 0.99, 1e-9);
}

TEST(AnyModality, PhantomRefusesWhatShowsNothing) {
  const nn::ModelStore store = models();
  VolumeSequence sequence;
  sequence.emplace_back(Volume<float>(Grid({32, 32, 32}, {1, 1, 1})));
  Image image;
  image.pixels = std::move(sequence);
  EXPECT_THROW((void)run(*make_recognition_any_modality(store), image), Error);
}

TEST(CtRegion, PhantomTheTableSaysWhere) {
  const nn::ModelStore store = models();
  const Answer answer = run(*make_recognition_ct_region(store), trunk());
  ASSERT_EQ(answer.artifacts.size(), 2U);
  EXPECT_EQ(scores_in(answer).size(), 6U);
  const auto& table = std::get<Table>(answer.artifacts[1].value);
  EXPECT_EQ(table.columns.front(), "region");
  for (const auto& row : table.rows) EXPECT_LE(std::stod(row[1]), std::stod(row[2]));
}

TEST(MrSequenceMethod, PublishedHeaderCountsBeforeThePixels) {
  const nn::ModelStore store = models();
  Image image = trunk();
  MrFacts facts;
  facts.repetition_time_ms = {4500, ""};
  facts.echo_time_ms = {40, ""};
  facts.inversion_time_ms = {150, ""};
  facts.scanning_sequence = {"SE\\IR", ""};
  facts.contrast_agent = {"Gadovist", ""};
  image.acquisition.modality = "MR";
  image.acquisition.facts = facts;
  const Answer answer = run(*make_recognition_mr_sequence(store), image);
  EXPECT_TRUE(said(answer, "sequence_rule"));
  ASSERT_EQ(answer.artifacts.size(), 1U) << "STIR is none of what the pixels know";
  std::vector<std::string> labels;
  for (const Score& score : scores_in(answer)) labels.push_back(score.label);
  EXPECT_EQ(labels, (std::vector<std::string>{"STIR", "axial", "contrast agent"}));
}

}  // namespace
}  // namespace penta
