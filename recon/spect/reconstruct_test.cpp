#include "recon/spect/reconstruct.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "core/error.h"

namespace penta::recon {
namespace {

struct Ball {
  PatientPoint centre_mm;
  double radius_mm, counts_per_ml;
};

Projections camera(int views, double arc_deg, double axial_step_mm) {
  Projections p;
  p.columns = 48, p.rows = 40;
  p.spacing_mm = {6, 5};
  p.axial_start_mm = axial_step_mm < 0 ? 150 : -45;
  p.axial_step_mm = axial_step_mm;
  p.axial_known = true;
  for (int v = 0; v < views; ++v) {
    p.angle_deg.push_back(225 - arc_deg * v / views);
    p.radius_mm.push_back(220);
  }
  return p;
}

/// Chord lengths through a ball, from the geometry of PS3.3 C.8.4.12 and 4 x 4 samples a pixel: no projector of ours.
std::vector<float> seen(const Projections& p, const Ball& ball) {
  std::vector<float> counts;
  for (const double angle : p.angle_deg) {
    const double a = angle * std::numbers::pi / 180;
    const double u0 = -std::cos(a) * ball.centre_mm.x + std::sin(a) * ball.centre_mm.y;
    for (std::int64_t r = 0; r < p.rows; ++r)
      for (std::int64_t c = 0; c < p.columns; ++c) {
        double chord_mm = 0;
        for (int k = 0; k < 16; ++k) {
          const double u = (static_cast<double>(c) - 0.5 * static_cast<double>(p.columns - 1) + (k % 4 - 1.5) / 4) * p.spacing_mm[0];
          const double z = p.axial_start_mm + (static_cast<double>(r) + (k / 4 - 1.5) / 4) * p.axial_step_mm;
          const double square = ball.radius_mm * ball.radius_mm - (u - u0) * (u - u0) - (z - ball.centre_mm.z) * (z - ball.centre_mm.z);
          if (square > 0) chord_mm += 2 * std::sqrt(square) / 16;
        }
        counts.push_back(static_cast<float>(ball.counts_per_ml * chord_mm * p.spacing_mm[0] * p.spacing_mm[1] / 1000 /
                                            static_cast<double>(p.angle_deg.size())));
      }
  }
  return counts;
}

double sum_of(std::span<const float> values) { return std::accumulate(values.begin(), values.end(), 0.0); }

class Place : public testing::TestWithParam<double> {};

TEST_P(Place, OfAPointLeftAnteriorSuperiorPhantom) {
  const Projections p = camera(60, 180, GetParam());
  const Ball ball{{60, -42, 105}, 7, 1000};
  const auto counts = seen(p, ball);
  const Volume<float> volume = reconstruct(p, counts, {});
  const auto at = std::max_element(volume.voxels().begin(), volume.voxels().end()) - volume.voxels().begin();
  const PatientPoint brightest = volume.grid().to_patient(
      {static_cast<double>(at % 48), static_cast<double>(at / 48 % 48), static_cast<double>(at / 48 / 48)});
  EXPECT_LE(std::abs(brightest.x - 60), 6);
  EXPECT_LE(std::abs(brightest.y + 42), 6);
  EXPECT_LE(std::abs(brightest.z - 105), 5);
  EXPECT_NEAR(sum_of(volume.voxels()) / sum_of(counts), 1, 0.005);
}

INSTANTIATE_TEST_SUITE_P(RowsDownAndUp, Place, testing::Values(-5.0, 5.0));

TEST(Reconstruct, SphereKeepsItsCountsAndItsLevelPhantom) {
  const Projections p = camera(64, 360, -5);
  const Ball ball{{-30, 20, 50}, 50, 40};
  const auto counts = seen(p, ball);
  const Volume<float> volume = reconstruct(p, counts, {20, 4});
  EXPECT_NEAR(sum_of(volume.voxels()) / sum_of(counts), 1, 0.005);
  RecordProperty("counts_error_percent", std::to_string(100 * (sum_of(volume.voxels()) / sum_of(counts) - 1)));
  double inside = 0;
  std::int64_t voxels = 0;
  for (std::int64_t z = 0; z < 40; ++z)
    for (std::int64_t y = 0; y < 48; ++y)
      for (std::int64_t x = 0; x < 48; ++x) {
        const IndexPoint index{static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)};
        if (distance(volume.grid().to_patient(index), ball.centre_mm) > 38) continue;
        inside += static_cast<double>(volume.at(x, y, z));
        ++voxels;
      }
  EXPECT_NEAR(inside / static_cast<double>(voxels) / volume.grid().voxel_volume_ml() / 40, 1, 0.05);
}

TEST(Reconstruct, GatesAreSummedOrTakenOneByOne) {
  Projections p = camera(4, 360, -5);
  const std::size_t size = 48 * 40 * 4;
  p.gates = 2;
  p.layers = {std::vector<float>(size, 1.F), std::vector<float>(size, 2.F)};
  EXPECT_EQ(counts_of(p, 0, std::nullopt)[7], 3.F);
  EXPECT_EQ(counts_of(p, 0, 1)[7], 2.F);
  EXPECT_THROW(static_cast<void>(counts_of(p, 0, 2)), Error);
  EXPECT_THROW(static_cast<void>(counts_of(p, 1, std::nullopt)), Error);
}

TEST(Reconstruct, RefusesViewsThatDoNotFitTheirAngles) {
  Projections p = camera(4, 360, -5);
  p.layers = {std::vector<float>(48 * 40 * 3)};
  EXPECT_THROW(static_cast<void>(camera_of(p)), Error);
  p.layers.clear();
  p.spacing_mm[0] = 0;
  EXPECT_THROW(static_cast<void>(camera_of(p)), Error);
}

}  // namespace
}  // namespace penta::recon
