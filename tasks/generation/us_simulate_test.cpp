#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/parallel.h"
#include "recon/simulate/us.h"
#include "tasks/method.h"

namespace penta {

MethodPtr make_generation_us_simulate();

namespace {

Answer run(std::uint64_t seed, const std::map<std::string, std::string>& settings) {
  const auto method = make_generation_us_simulate();
  const Params params(method->card(), settings);
  Workspace workspace;
  Control control;
  control.seed = seed;
  return method->run({{}, {}, params, workspace, control});
}

TEST(UsSimulate, OutlineHasTheCircumferenceAskedForPhantom) {
  const Answer answer = run(3, {{"head_circumference_mm", "250"}});
  const Frame2d& frame = std::get<Image>(answer.artifacts.at(0).value).frames().at(0);
  const auto& labels = std::get<LabelMap>(answer.artifacts.at(1).value);
  const auto& truth = std::get<Measurements>(answer.artifacts.at(2).value);
  EXPECT_NEAR(truth.at(0).value, 250, 0.1);
  EXPECT_TRUE(labels.planar);
  // An ellipse of known axis ratio 0.74 .. 0.82 and area: its circumference follows within a percent.
  const double pixel_mm = frame.spacing_mm_or_throw()[0];
  const double area = static_cast<double>(voxel_count(labels, labels.segments.at(0))) * pixel_mm * pixel_mm;
  const double shape = 0.78, a = std::sqrt(area / std::numbers::pi / shape);
  EXPECT_NEAR(recon::ellipse_perimeter(a, shape * a), 250, 2.5);
}

TEST(UsSimulate, SpeckleOfAnEvenTissueIsRayleigh) {
  // Before the logarithm the envelope of many scatterers has mean / deviation = 1.91 (Wagner et al. 1983). The picture holds
  // 62 dB in 255 steps; the brain is even over a small window, apart from folds.
  const Answer answer = run(1, {});
  const Frame2d& frame = std::get<Image>(answer.artifacts.at(0).value).frames().at(0);
  const auto& labels = std::get<LabelMap>(answer.artifacts.at(1).value);
  const auto& pixels = std::get<std::vector<std::uint8_t>>(frame.pixels);
  std::vector<double> ratios;
  for (std::int64_t y = 0; y + 24 < frame.height; y += 24)
    for (std::int64_t x = 0; x + 24 < frame.width; x += 24) {
      double sum = 0, square = 0;
      bool inside = true;
      for (std::int64_t k = 0; k < 576; ++k) {
        const std::int64_t px = x + k % 24, py = y + k / 24;
        inside = inside && labels.layers[0].at(px, py, 0) == 1;
        const double amplitude = std::pow(10, pixels[static_cast<std::size_t>(px + frame.width * py)] / 255.0 * 62 / 20);
        sum += amplitude, square += amplitude * amplitude;
      }
      if (inside) ratios.push_back(sum / 576 / std::sqrt(square / 576 - sum * sum / 576 / 576));
    }
  ASSERT_GT(ratios.size(), 20U);
  std::nth_element(ratios.begin(), ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2), ratios.end());
  EXPECT_NEAR(ratios[ratios.size() / 2], 1.91, 0.3);
}

TEST(UsSimulate, TheSameSeedGivesTheSamePixelsForAnyNumberOfThreads) {
  const Answer many = run(4, {});
  const ThreadLimit limit(1);
  const Answer one = run(4, {});
  const Image& image = std::get<Image>(one.artifacts.at(0).value);
  EXPECT_EQ(std::get<Image>(many.artifacts.at(0).value).sha256, image.sha256);
  EXPECT_TRUE(image.acquisition.synthetic);
  EXPECT_EQ(image.acquisition.modality, "US");
}

}  // namespace
}  // namespace penta
