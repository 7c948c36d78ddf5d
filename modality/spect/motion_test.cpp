#include "modality/spect/motion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/random.h"

namespace penta::spect {

namespace {

struct Ball {
  double x, y, z, sigma, counts;
};

// Heart, liver and a warm body as Gaussians seen by parallel holes, 60 views of 3 degrees, Poisson noise.
Projections phantom(std::uint64_t seed, double scale) {
  const std::vector<Ball> balls{
      {0, 0, 0, 15, 260}, {6, 8, 4, 3.2, 320}, {5, 4, 6, 2.5, 180}, {-7, 3, -14, 6, 260}, {2, -9, -8, 2.2, 40}};
  Projections p;
  p.columns = p.rows = 64;
  p.spacing_mm = {6.8, 6.8};
  p.layers.resize(1);
  Random random(seed, 0);
  for (int v = 0; v < 60; ++v) {
    const double angle = 225 - 3 * v, a = angle * std::numbers::pi / 180;
    p.angle_deg.push_back(std::fmod(angle + 360, 360));
    for (int r = 0; r < 64; ++r)
      for (int c = 0; c < 64; ++c) {
        double mean = 0.5;
        for (const Ball& b : balls) {
          const double u = c - 31.5 - (-b.x * std::cos(a) + b.y * std::sin(a)), w = r - 31.5 - b.z;
          mean += b.counts * std::exp(-(u * u + w * w) / (2 * b.sigma * b.sigma));
        }
        p.layers[0].push_back(static_cast<float>(random.poisson(scale * mean)));
      }
  }
  return p;
}

enum class Kind { step, one_axial, one_lateral };

Projections shifted(const Projections& still, int view, int pixels, Kind kind) {
  Projections out = still;
  for (int v = view; v < (kind == Kind::step ? 60 : view + 1); ++v)
    for (int r = 0; r < 64; ++r)
      for (int c = 0; c < 64; ++c) {
        const int from_r = kind == Kind::one_lateral ? r : r - pixels,
                  from_c = kind == Kind::one_lateral ? c - pixels : c;
        const bool inside = from_r >= 0 && from_r < 64 && from_c >= 0 && from_c < 64;
        out.layers[0][static_cast<std::size_t>(v * 4096 + r * 64 + c)] =
            inside ? still.layers[0][static_cast<std::size_t>(v * 4096 + from_r * 64 + from_c)] : 0;
      }
  return out;
}

bool finds(const std::vector<Motion>& motions, int view, int pixels, Kind kind) {
  for (const Motion& m : motions)
    if (std::abs(static_cast<int>(m.view) - view) <= 1 &&
        (kind == Kind::one_lateral ? m.lateral_px : m.axial_px) * pixels > 0)
      return true;
  return false;
}

TEST(SpectMotion, PhantomShiftOfOnePixelIsFoundAtThreeCountLevels) {
  int found = 0, all = 0, false_alarms = 0;
  for (const double scale : {0.25, 0.5, 1.0}) {
    const Projections still = phantom(7, scale);
    false_alarms += static_cast<int>(motion_of(still).size());
    for (const Kind kind : {Kind::step, Kind::one_axial, Kind::one_lateral})
      for (int view = 2; view < 59; view += 8)
        for (const int pixels : {-1, 1}) {
          ++all;
          found += finds(motion_of(shifted(still, view, pixels, kind)), view, pixels, kind) ? 1 : 0;
        }
  }
  RecordProperty("found", found);
  RecordProperty("all", all);
  EXPECT_EQ(false_alarms, 0);
  EXPECT_GE(found, 0.95 * all);
}

TEST(SpectMotion, HeadsAreNotComparedWithEachOther) {
  Projections p = phantom(3, 1);
  const Projections moved = shifted(p, 30, 1, Kind::step);
  p.layers = moved.layers;
  for (std::size_t v = 30; v < 60; ++v) p.angle_deg[v] = std::fmod(p.angle_deg[v] + 120, 360);
  EXPECT_TRUE(motion_of(p).empty());
  p.angle_deg.clear();
  EXPECT_TRUE(motion_of(p).empty());
}

}  // namespace
}  // namespace penta::spect
