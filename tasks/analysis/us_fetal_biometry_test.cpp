#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "nn/bundle.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_analysis_us_fetal_biometry(const nn::ModelStore& models);

namespace {

/// A frame and the labels of an ellipse with semi-axes in pixels.
struct Case {
  Image image;
  LabelMap head;
};

Case ellipse(double a, double b, double angle, std::array<double, 2> spacing) {
  Case made;
  Frame2d frame;
  frame.width = 400;
  frame.height = 270;
  frame.pixels = std::vector<std::uint8_t>(400 * 270);
  made.image.pixels = FrameSequence{frame};
  made.head.planar = true;
  made.head.layers.emplace_back(Grid({400, 270, 1}, {1, 1, 1}));
  for (std::int64_t y = 0; y < 270; ++y)
    for (std::int64_t x = 0; x < 400; ++x) {
      const double dx = (double(x) - 190.3) * spacing[0], dy = (double(y) - 131.7) * spacing[1];
      const double u = dx * std::cos(angle) + dy * std::sin(angle), v = dy * std::cos(angle) - dx * std::sin(angle);
      made.head.layers[0].at(x, y, 0) = u * u / (a * a) + v * v / (b * b) <= 1 ? 1 : 0;
    }
  return made;
}

Answer run(const Case& given, const std::map<std::string, std::string>& settings) {
  const nn::ModelStore none({});
  const MethodPtr method = make_analysis_us_fetal_biometry(none);
  const std::vector<Input> inputs{{"image", &given.image}, {"head", &given.head}};
  const Params params(method->card(), settings);
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

/// Perimeter by the definition: chords of 100000 steps.
double perimeter(double a, double b) {
  double sum = 0;
  const int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double t = 2 * std::numbers::pi * i / n, s = 2 * std::numbers::pi * (i + 1) / n;
    sum += std::hypot(a * (std::cos(s) - std::cos(t)), b * (std::sin(s) - std::sin(t)));
  }
  return sum;
}

TEST(UsFetalBiometry, PhantomEllipses) {
  for (const double angle : {0.0, 0.4, 1.3, 2.5})
    for (const double mm : {0.1, 0.3}) {
      const double a = 120 * mm, b = 95 * mm;
      const Answer answer = run(ellipse(a, b, angle, {mm, mm}), {{"pixel_mm", std::to_string(mm)}});
      const auto& m = std::get<Measurements>(answer.artifacts.at(0).value);
      EXPECT_NEAR(m.at(0).value / perimeter(a, b), 1, 5e-4);
      EXPECT_NEAR(m.at(1).value, 2 * b, 0.005 * b);
      EXPECT_NEAR(m.at(2).value, 2 * a, 0.005 * a);
      EXPECT_EQ(m.at(0).unit, "mm");
    }
}

TEST(UsFetalBiometry, PhantomPixelsThatAreNotSquareAndAHole) {
  Case given = ellipse(36, 24, 0.6, {0.2, 0.3});
  std::get<FrameSequence>(given.image.pixels)[0].spacing_mm = {0.2, 0.3};
  for (std::int64_t y = 120; y < 130; ++y)
    for (std::int64_t x = 180; x < 200; ++x) given.head.layers[0].at(x, y, 0) = 0;
  given.head.layers[0].at(3, 3, 0) = 1;
  const Answer answer = run(given, {});
  EXPECT_NEAR(std::get<Measurements>(answer.artifacts.at(0).value).at(0).value / perimeter(36, 24), 1, 2e-3);
  const Finding& place = std::get<Findings>(answer.artifacts.at(1).value).at(0);
  EXPECT_TRUE(place.in_pixels);
  EXPECT_NEAR(place.centre.x, 190.3, 0.1);
  EXPECT_NEAR(place.centre.y, 131.7, 0.1);
}

// Published: Hadlock et al. 1984, HC 175 mm and 300 mm by the formula.
TEST(UsFetalBiometry, PublishedAge) {
  const double r = 175 / (2 * std::numbers::pi);
  const Answer answer = run(ellipse(r, r, 0, {0.25, 0.25}), {{"pixel_mm", "0.25"}});
  EXPECT_NEAR(std::get<Measurements>(answer.artifacts.at(0).value).at(3).value, 20.02, 0.05);
}

TEST(UsFetalBiometry, RefusesWithoutMillimetresAndWithoutAHead) {
  Case given = ellipse(30, 20, 0, {0.3, 0.3});
  EXPECT_THROW((void)run(given, {}), Error);
  for (std::uint16_t& v : given.head.layers[0].voxels()) v = 0;
  EXPECT_THROW((void)run(given, {{"pixel_mm", "0.3"}}), Error);
}

TEST(UsFetalBiometry, SaysThatAHeadIsCutOff) {
  Case given = ellipse(80, 60, 0, {0.3, 0.3});
  EXPECT_FALSE(run(given, {{"pixel_mm", "0.3"}}).remarks.empty());
}

}  // namespace
}  // namespace penta
