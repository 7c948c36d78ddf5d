#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/test_data.h"
#include "nn/bundle.h"
#include "nn/judge.h"
#include "tasks/methods.h"
#include "tasks/slices.h"

namespace penta {

MethodPtr make_recognition_us_view(const nn::ModelStore& models);

namespace {

std::filesystem::path models() {
  return repository_root() / "models";
}

/// A drawn skull with speckle.
Image head() {
  Frame2d frame;
  frame.width = 160;
  frame.height = 120;
  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < 120; ++y)
    for (int x = 0; x < 160; ++x) {
      const double r = std::hypot((x - 80) / 60.0, (y - 60) / 45.0);
      const int grain = (x * 37 + y * 91 + x * y * 13) % 40;
      pixels.push_back(static_cast<std::uint8_t>((std::abs(r - 1) < 0.05 ? 200 : r < 1 ? 40 : 70) + grain));
    }
  frame.pixels = std::move(pixels);
  Image image;
  image.pixels = FrameSequence{std::move(frame)};
  return image;
}

Answer answer_with(const nn::ModelStore& store, const Image& image) {
  const MethodPtr method = make_recognition_us_view(store);
  const std::vector<Input> inputs{{"image", &image}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

Scores scores_with(const nn::ModelStore& store, const Image& image) {
  return std::get<Scores>(answer_with(store, image).artifacts.at(0).value);
}

double of(const Scores& scores, std::string_view label) {
  const auto at = std::find_if(scores.begin(), scores.end(), [&](const Score& s) { return s.label == label; });
  return at == scores.end() ? -1 : at->probability.value();
}

TEST(UsView, TwinTheOrgansLeaveTheFetalHeadAsItsOwnNetworkSaysIt) {
  const nn::ModelStore store({models()});
  const Image image = head();
  const Scores scores = scores_with(store, image);
  const std::vector<CutSlice> seen = standing_slices(image);
  const double alone = nn::judge(store, store.need("us.view"), seen.at(0).picture.view()).probabilities[0];
  EXPECT_NEAR(of(scores, "fetal head"), alone, 1e-9);
  ASSERT_EQ(scores.size(), 4U);
  double sum = 0;
  for (const Score& score : scores) sum += score.probability.value();
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_TRUE(std::is_sorted(scores.begin(), scores.end(),
                             [](const Score& a, const Score& b) { return *a.probability > *b.probability; }));
}

TEST(UsView, PhantomOfANamedHeadHasNoRemarkOnOtherOrgans) {
  const Answer answer = answer_with(nn::ModelStore({models()}), head());
  ASSERT_GE(of(std::get<Scores>(answer.artifacts.at(0).value), "fetal head"), 0.5);
  for (const Remark& remark : answer.remarks) EXPECT_NE(remark.code, "organ_not_named");
}

TEST(UsView, WithoutModelsOfUnclearLicenceThereIsTheHeadAndTheRest) {
  const nn::ModelStore store({models()}, true);
  const Scores scores = scores_with(store, head());
  ASSERT_EQ(scores.size(), 2U);
  EXPECT_NEAR(of(scores, "fetal head") + of(scores, "other"), 1, 1e-9);
}

}  // namespace
}  // namespace penta
