#include "engine/run.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "nn/bundle.h"

namespace penta::engine {
namespace {

// A method that is only its card: doubles the sum of its inputs' first voxels, and counts its runs.
class Fake final : public Method {
 public:
  Fake(const char* card, int* runs) : card_(card_from_json(Json::parse(card))), runs_(runs) {}
  const Card& card() const noexcept override { return card_; }
  Answer run(const Request& request) const override {
    ++*runs_;
    float sum = 0;
    for (const Input& input : request.inputs)
      sum += std::get<Volume<float>>(std::get<const Image*>(input.value)->volume()).voxels()[0];
    Volume<float> volume(Grid({1, 1, 1}, {1, 1, 1}));
    volume.voxels()[0] = 2 * sum;
    Image image;
    image.pixels.emplace<VolumeSequence>().push_back(AnyVolume(std::move(volume)));
    image.acquisition.modality = card_.modalities.front();
    image.unit = card_.outputs.empty() ? "" : card_.outputs.front().unit;
    Answer answer;
    answer.artifacts.push_back({"image", std::move(image)});
    return answer;
  }

 private:
  Card card_;
  int* runs_;
};

constexpr const char* suv = R"({"id": "pet.suv", "task": "processing", "title": "x", "modalities": ["PET"],
  "inputs": [{"role": "image", "unit": "Bq/mL"}], "outputs": [{"role": "image", "kind": "image", "unit": "g/mL"}]})";
constexpr const char* quantify = R"({"id": "pet.quantify", "task": "analysis", "title": "x", "modalities": ["PET"],
  "inputs": [{"role": "pet", "unit": "g/mL", "from": ["processing/pet.suv"]},
             {"role": "again", "unit": "g/mL", "from": ["pet.suv"]},
             {"role": "prior", "unit": "m", "required": false}]})";
constexpr const char* pair = R"({"id": "any.fuse", "task": "synthesis", "title": "x", "modalities": ["PET", "CT"],
  "inputs": [{"role": "fixed"}, {"role": "moving"}]})";
constexpr const char* circle_a = R"({"id": "a", "task": "analysis", "title": "x", "modalities": ["CT"],
  "inputs": [{"role": "p", "unit": "x", "from": ["b"]}]})";
constexpr const char* circle_b = R"({"id": "b", "task": "analysis", "title": "x", "modalities": ["CT"],
  "inputs": [{"role": "q", "unit": "x", "from": ["a"]}]})";

ContentPtr image_of(float value, const std::string& modality, const std::string& unit) {
  Volume<float> volume(Grid({1, 1, 1}, {1, 1, 1}));
  volume.voxels()[0] = value;
  Image image;
  image.pixels.emplace<VolumeSequence>().push_back(AnyVolume(std::move(volume)));
  image.acquisition.modality = modality;
  image.unit = unit;
  return std::make_shared<const io::Content>(std::move(image));
}

class Chain : public testing::Test {
 protected:
  Chain() : methods_(std::make_shared<const nn::ModelStore>(std::vector<std::filesystem::path>{}), list()) {}
  std::vector<MethodPtr> list() {
    std::vector<MethodPtr> all;
    for (const char* card : {suv, quantify, pair, circle_a, circle_b}) all.push_back(std::make_unique<Fake>(card, &runs_));
    return all;
  }
  static float value(const Produced& step) {
    const auto& image = std::get<Image>(step.answer.artifacts.front().value);
    return std::get<Volume<float>>(image.volume()).voxels()[0];
  }
  int runs_ = 0;
  Workspace workspace_;
  Control control_;
  Methods methods_;
};

TEST_F(Chain, RunsEachStepOnce) {
  Runner runner(methods_, workspace_, control_);
  runner.supply({"", image_of(3, "PET", "Bq/mL")});
  EXPECT_EQ(value(runner.run(methods_.at(Task::analysis, "pet.quantify"))), 2 * (6 + 6));
  EXPECT_EQ(runs_, 2);
  ASSERT_EQ(runner.steps().size(), 2U);
  EXPECT_EQ(runner.steps()[0]->method->card().id, "pet.suv");
}

TEST_F(Chain, WhatTheUserSuppliesIsUsedInstead) {
  Runner runner(methods_, workspace_, control_);
  runner.supply({"", image_of(5, "PET", "g/mL")});
  EXPECT_EQ(value(runner.run(methods_.at(Task::analysis, "pet.quantify"))), 20);
  EXPECT_EQ(runs_, 1);
}

TEST_F(Chain, AnAmbiguousInputIsRefusedWithItsRoles) {
  Runner runner(methods_, workspace_, control_);
  runner.supply({"", image_of(1, "PET", "")});
  try {
    (void)runner.run(methods_.at(Task::synthesis, "any.fuse"));
    FAIL();
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::wrong_use);
    EXPECT_NE(std::string(fault.what()).find("fixed, moving"), std::string::npos);
  }
}

TEST_F(Chain, AMissingInputIsNamed) {
  Runner runner(methods_, workspace_, control_);
  runner.supply({"fixed", image_of(1, "CT", "")});
  try {
    (void)runner.run(methods_.at(Task::synthesis, "any.fuse"));
    FAIL();
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::bad_input);
    EXPECT_NE(std::string(fault.what()).find("'moving'"), std::string::npos);
  }
}

TEST_F(Chain, AWrongModalityIsNotTaken) {
  Runner runner(methods_, workspace_, control_);
  runner.supply({"", image_of(1, "MR", "Bq/mL")});
  EXPECT_FALSE(runner.can_run(methods_.at(Task::analysis, "pet.quantify")));
  EXPECT_THROW((void)runner.run(methods_.at(Task::analysis, "pet.quantify")), Error);
}

TEST_F(Chain, ACircleIsRefused) {
  Runner runner(methods_, workspace_, control_);
  try {
    (void)runner.run(methods_.at(Task::analysis, "a"));
    FAIL();
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::internal);
  }
}

TEST_F(Chain, AnUnknownMethodListsWhatThereIs) {
  try {
    (void)methods_.at(Task::processing, "pet.nothing");
    FAIL();
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::model_missing);
    EXPECT_NE(std::string(fault.what()).find("pet.suv"), std::string::npos);
  }
}

}  // namespace
}  // namespace penta::engine
