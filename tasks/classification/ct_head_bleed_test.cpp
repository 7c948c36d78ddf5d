#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "core/test_data.h"
#include "nn/bundle.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_classification_ct_head_bleed(const nn::ModelStore& models);

namespace {

nn::ModelStore models() {
  return nn::ModelStore({repository_root() / "models"});
}

bool has_models(const nn::ModelStore& store) {
  return store.find("ct.head_bleed") != nullptr && store.find("any.image_encoder") != nullptr;
}

Answer run(const nn::ModelStore& store, const Image& image) {
  const MethodPtr method = make_classification_ct_head_bleed(store);
  const std::vector<Input> inputs{{"image", &image}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

Image image_of(Volume<float> volume, const char* unit = "[hnsf'U]") {
  Image image;
  VolumeSequence sequence;
  sequence.emplace_back(std::move(volume));
  image.pixels = std::move(sequence);
  image.unit = unit;
  return image;
}

/// HU at x, y mm from the middle of a drawn head: air, scalp, skull, brain with ventricles and a bright pool.
float head(double x, double y) {
  const double r = std::hypot(x / 70, y / 88);
  if (r > 1.06) return -1000;
  if (r > 1) return 30;
  if (r > 0.92) return 900;
  if (std::hypot((std::abs(x) - 8) / 6, (y + 5) / 22) < 1) return 5;
  if (std::hypot((x - 35) / 14, (y - 5) / 20) < 1) return 68;
  return static_cast<float>(34 + 3 * std::sin(0.9 * x) * std::cos(0.7 * y));
}

Volume<float> drawn(const Grid& grid, double scale = 1) {
  Volume<float> volume(grid);
  const Size3& size = grid.size();
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x) {
        const PatientPoint p = grid.to_patient({double(x), double(y), double(z)});
        volume.at(x, y, z) = head(p.x / scale, p.y / scale);
      }
  return volume;
}

Grid axial(std::int64_t slices) { return Grid({200, 200, slices}, {1, 1, 5}, {-99.5, -99.5, 0}); }

/// The mean over slices, or a negative number where the method said nothing.
double said(const Answer& answer) {
  for (const Artifact& a : answer.artifacts)
    if (const auto* m = std::get_if<Measurements>(&a.value)) return m->front().value;
  return -1;
}

bool has_remark(const Answer& answer, const char* code) {
  return std::any_of(answer.remarks.begin(), answer.remarks.end(), [&](const Remark& r) { return r.code == code; });
}

TEST(CtHeadBleed, TwinOrientationsOfOneHeadAreJudgedAlike) {
  const nn::ModelStore store = models();
  if (!has_models(store)) GTEST_SKIP() << "no model ct.head_bleed";
  const Grid turned({200, 200, 4}, {1, 1, 5}, {99.5, 99.5, 0}, {{{-1, 0, 0}, {0, -1, 0}, {0, 0, 1}}});
  const Answer a = run(store, image_of(drawn(axial(4)))), b = run(store, image_of(drawn(turned)));
  EXPECT_NEAR(said(a), said(b), 1e-6);
  // A drawing may be too unlike a patient: then both say nothing.
  EXPECT_EQ(has_remark(a, "out_of_distribution"), has_remark(b, "out_of_distribution"));
  EXPECT_NE(said(a) < 0, !has_remark(a, "out_of_distribution"));
}

TEST(CtHeadBleed, PhantomSeriesHasNoProbability) {
  const nn::ModelStore store = models();
  if (!has_models(store)) GTEST_SKIP() << "no model ct.head_bleed";
  const Answer answer = run(store, image_of(drawn(axial(4))));
  const auto& scores = std::get<Scores>(
      std::find_if(answer.artifacts.begin(), answer.artifacts.end(), [](const Artifact& a) { return a.role == "scores"; })->value);
  ASSERT_EQ(scores.size(), 2U);
  for (const Score& score : scores) EXPECT_FALSE(score.probability.has_value());
}

TEST(CtHeadBleed, PhantomOfATrunkIsRefused) {
  const nn::ModelStore store = models();
  if (!has_models(store)) GTEST_SKIP() << "no model ct.head_bleed";
  const Grid wide({200, 200, 3}, {2, 2, 5}, {-199, -199, 0});
  try {
    (void)run(store, image_of(drawn(wide, 2)));
    FAIL() << "a section of 900 cm2 was taken for a head";
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::bad_input);
  }
  EXPECT_THROW((void)run(store, image_of(drawn(axial(3)), "g/mL")), Error);
}

TEST(CtHeadBleed, PhantomOfStripesIsNoHead) {
  const nn::ModelStore store = models();
  if (!has_models(store)) GTEST_SKIP() << "no model ct.head_bleed";
  Frame2d frame;
  frame.width = frame.height = 128;
  std::vector<std::uint8_t> pixels(128 * 128);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = (i / 7) % 2 == 0 ? 250 : 20;
  frame.pixels = std::move(pixels);
  Image image;
  FrameSequence frames;
  frames.push_back(std::move(frame));
  image.pixels = std::move(frames);
  EXPECT_TRUE(has_remark(run(store, image), "out_of_distribution"));
}

}  // namespace

}  // namespace penta
