#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/parallel.h"
#include "recon/phantom/rays.h"
#include "recon/phantom/voxelise.h"

namespace penta::recon {
namespace {

TEST(Piercer, ChordsOfATurnedEllipsoidAndCylinderPhantom) {
  const Solid ball{Solid::Kind::ellipsoid, {10, 0, 0}, {5, 5, 20}, axes_along({1, 0, 0})};  // long along x
  const auto chord = Piercer(ball, {1, 0, 0}).pierce({0, 0, 0});
  ASSERT_TRUE(chord);
  EXPECT_NEAR(chord->enter_mm, -10, 1e-9);
  EXPECT_NEAR(chord->leave_mm, 30, 1e-9);
  const Solid tube{Solid::Kind::cylinder, {0, 0, 0}, {3, 3, 10}};
  EXPECT_NEAR(Piercer(tube, {0, 0, 1}).pierce({1, 1, -50})->leave_mm, 60, 1e-9);
  EXPECT_FALSE(Piercer(tube, {0, 0, 1}).pierce({3, 3, 0}));
  EXPECT_FALSE(Piercer(tube, {1, 0, 0}).pierce({0, 0, 11}));
  EXPECT_NEAR(Piercer(tube, {1, 0, 0}).pierce({0, 0, 9})->enter_mm, -3, 1e-9);
}

TEST(RayTracer, TheLaterPartLiesOnTopPhantom) {
  const std::vector<Part> parts{{Tissue::muscle, {Solid::Kind::ellipsoid, {0, 0, 0}, {10, 10, 10}}},
                                {Tissue::liver, {Solid::Kind::ellipsoid, {4, 0, 0}, {3, 3, 3}}}};
  RayTracer tracer(parts, {1, 0, 0});
  std::vector<RayTracer::Piece> pieces;
  tracer.trace({0, 0, 0}, pieces);
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[1].tissue, Tissue::liver);
  EXPECT_NEAR(pieces[1].enter_mm, 1, 1e-9);
  EXPECT_NEAR(pieces[2].leave_mm, 10, 1e-9);
}

TEST(RayTracer, AgreesWithPointsAlongTheLineTwin) {
  const Patient patient = digital_patient(5, 4);
  const Vector3 direction{0.6, 0.64, 0.48};
  RayTracer tracer(patient.parts, direction);
  std::vector<RayTracer::Piece> pieces;
  tracer.trace({-20, 10, -30}, pieces);
  for (double t = -200.05; t < 200; t += 0.7) {
    const auto here = tissue_at(patient, {-20 + t * direction[0], 10 + t * direction[1], -30 + t * direction[2]});
    const auto it = std::find_if(pieces.begin(), pieces.end(), [&](const auto& p) { return p.enter_mm <= t && t < p.leave_mm; });
    EXPECT_EQ(here.has_value(), it != pieces.end());
    if (here && it != pieces.end()) {
      EXPECT_EQ(*here, it->tissue);
    }
  }
}

TEST(Voxelise, ABallKeepsItsVolumePhantom) {
  Patient patient;
  patient.parts = {{Tissue::liver, {Solid::Kind::ellipsoid, {3, -2, 1}, {21, 17, 25}}}};
  TissueValues values{};
  values[static_cast<std::size_t>(Tissue::liver)] = 1;
  const Grid grid({30, 30, 30}, {2, 2, 2}, {-29, -29, -29});
  const Volume<float> volume = voxelise(patient, grid, values, 0, 3);
  double sum = 0;
  for (const float value : volume.voxels()) sum += static_cast<double>(value);
  EXPECT_NEAR(sum * 8, 4.0 / 3 * std::numbers::pi * 21 * 17 * 25, 0.003 * 37000);
}

TEST(DigitalPatient, OrgansHaveAdultVolumesOnTheirSides) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    const Patient patient = digital_patient(seed);
    const Grid grid({96, 64, 150}, {4, 4, 4}, {-190, -126, -410});
    const LabelMap labels = labels_of(patient, grid);
    const auto volume = [&](std::string_view name) { return volume_ml(labels, *labels.find(name)); };
    EXPECT_GT(volume("liver"), 1000);
    EXPECT_LT(volume("liver"), 2400);
    EXPECT_GT(volume("kidney left"), 80);
    EXPECT_LT(volume("kidney left"), 260);
    EXPECT_GT(volume("spleen"), 90);
    EXPECT_LT(volume("spleen"), 350);
    EXPECT_GT(volume("lung right"), 1000);
    EXPECT_LT(volume("lung right"), 3500);
    EXPECT_GT(patient.weight_kg, 45);
    EXPECT_LT(patient.weight_kg, 120);
    const auto mean_x = [&](std::string_view name) {
      double sum = 0, count = 0;
      const auto value = labels.find(name)->value;
      for (std::int64_t z = 0; z < 150; ++z)
        for (std::int64_t y = 0; y < 64; ++y)
          for (std::int64_t x = 0; x < 96; ++x)
            if (labels.layers[0].at(x, y, z) == value) sum += static_cast<double>(x) * 4 - 190, ++count;
      return sum / count;
    };
    EXPECT_LT(mean_x("liver"), -10);  // -x is the patient's right
    EXPECT_GT(mean_x("spleen"), 40);
    EXPECT_GT(mean_x("myocardium"), 5);
  }
}

TEST(DigitalPatient, SeedDecidesAndLesionsDoNotMoveTheBody) {
  const Patient one = digital_patient(7), same = digital_patient(7, 3), other = digital_patient(8);
  EXPECT_EQ(one.parts[20].solid.centre_mm, same.parts[20].solid.centre_mm);
  EXPECT_EQ(one.parts.size() + 3, same.parts.size());
  EXPECT_NE(one.parts[0].solid.half_mm, other.parts[0].solid.half_mm);
}

TEST(Voxelise, IsTheSameForAnyNumberOfThreads) {
  const Patient patient = digital_patient(3);
  TissueValues values{};
  for (std::size_t k = 0; k < tissue_count; ++k) values[k] = row_of(static_cast<Tissue>(k)).hu;
  const Grid grid({40, 30, 20}, {10, 10, 20}, {-195, -145, -200});
  const Volume<float> many = voxelise(patient, grid, values, -1000);
  const ThreadLimit limit(1);
  const Volume<float> one = voxelise(patient, grid, values, -1000);
  EXPECT_TRUE(std::equal(one.voxels().begin(), one.voxels().end(), many.voxels().begin()));
}

TEST(Voxelise, RefusesATurnedGrid) {
  const Grid grid({2, 2, 2}, {1, 1, 1}, {}, {{{0, 1, 0}, {-1, 0, 0}, {0, 0, 1}}});
  EXPECT_THROW(static_cast<void>(labels_of(Patient{}, grid)), Error);
}

}  // namespace
}  // namespace penta::recon
