#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "core/error.h"
#include "core/random.h"
#include "image/resample/area.h"
#include "image/resample/reorient.h"
#include "image/resample/resample.h"

namespace penta {
namespace {

Grid oblique(Size3 size, Vector3 spacing, PatientPoint origin) {
  const double a = 0.2;
  return {size, spacing, origin, {{{std::cos(a), -std::sin(a), 0}, {std::sin(a), std::cos(a), 0}, {0, 0, -1}}}};
}

float ramp(const PatientPoint& p) { return static_cast<float>(3 + 0.5 * p.x - 0.25 * p.y + 2 * p.z); }

Volume<float> ramp_on(const Grid& grid) {
  Volume<float> out(grid);
  for (std::int64_t z = 0; z < grid.size()[2]; ++z)
    for (std::int64_t y = 0; y < grid.size()[1]; ++y)
      for (std::int64_t x = 0; x < grid.size()[0]; ++x)
        out.at(x, y, z) = ramp(grid.to_patient({double(x), double(y), double(z)}));
  return out;
}

TEST(Resample, PhantomLinearRampIsReproduced) {
  const Volume<float> image = ramp_on(oblique({20, 24, 16}, {1, 1.5, 2}, {-10, 4, 30}));
  const Grid inner({8, 9, 7}, {0.7, 0.9, 1.3}, {-12, 16, 4});
  const Volume<float> out = resample_linear(image.view(), inner, -1000.F);
  int seen = 0;
  for (std::int64_t z = 0; z < 7; ++z)
    for (std::int64_t y = 0; y < 9; ++y)
      for (std::int64_t x = 0; x < 8; ++x) {
        const PatientPoint p = inner.to_patient({double(x), double(y), double(z)});
        const IndexPoint i = image.grid().to_index(p);
        if (i.x < 0 || i.y < 0 || i.z < 0 || i.x > 19 || i.y > 23 || i.z > 15) continue;
        EXPECT_NEAR(out.at(x, y, z), ramp(p), 2e-4);
        ++seen;
      }
  EXPECT_GT(seen, 400);
}

TEST(Resample, TwinPlainLinear) {
  Volume<float> image(Grid({7, 6, 5}, {1, 2, 3}, {0, 0, 0}));
  Random random(1);
  for (float& v : image.voxels()) v = static_cast<float>(random.normal());
  const Grid grid = oblique({11, 9, 13}, {0.9, 1.1, 1.0}, {-1, -1, 12});
  const Volume<float> out = resample_linear(image.view(), grid, 7.F);
  int outside = 0;
  for (std::int64_t z = 0; z < 13; ++z)
    for (std::int64_t y = 0; y < 9; ++y)
      for (std::int64_t x = 0; x < 11; ++x) {
        const IndexPoint p = image.grid().to_index(grid.to_patient({double(x), double(y), double(z)}));
        const float plain = linear_at(image.view(), p, 7.F);
        outside += plain == 7.F;
        EXPECT_NEAR(out.at(x, y, z), plain, 1e-5);
      }
  EXPECT_GT(outside, 0);
}

TEST(Resample, InverseOfNearestOnTheSameGridIsTheSame) {
  Volume<std::uint16_t> labels(oblique({9, 8, 7}, {0.5, 0.7, 0.9}, {100, -50, 3}));
  for (std::size_t i = 0; i < labels.voxels().size(); ++i) labels.voxels()[i] = static_cast<std::uint16_t>(i * 7 % 501);
  const Volume<std::uint16_t> out = resample_nearest(std::as_const(labels).view(), labels.grid());
  EXPECT_TRUE(std::equal(out.voxels().begin(), out.voxels().end(), labels.voxels().begin()));
}

TEST(Reorient, PhantomRampKeepsItsPlaceAndTurnsBack) {
  const Volume<float> image = ramp_on(oblique({5, 6, 7}, {1, 1.5, 2}, {-10, 4, 30}));
  for (const char* letters : {"RAS", "LPS", "PIR", "SAL"}) {
    const Volume<float> turned = reoriented(image.view(), letters);
    for (std::int64_t z = 0; z < turned.grid().size()[2]; ++z)
      EXPECT_NEAR(turned.at(1, 2, z), ramp(turned.grid().to_patient({1, 2, double(z)})), 1e-4);
    EXPECT_TRUE(reoriented(turned.view(), "LPI").grid().same_as(reoriented(image.grid(), "LPI"), 1e-9));
  }
  const Grid ras = reoriented(Grid({2, 3, 4}, {1, 1, 1}), "RAS");
  EXPECT_EQ(ras.direction()[0][0], -1);
  EXPECT_EQ(ras.origin_mm(), (PatientPoint{1, 2, 0}));
  EXPECT_THROW((void)reoriented(ras, "RAR"), Error);
  EXPECT_THROW((void)reoriented(ras, "XYZ"), Error);
}

// Hand-worked: 5 voxels of 1 mm to 2 mm: means of pairs, and the last one alone.
TEST(Area, PublishedSmallCase) {
  Volume<float> image(Grid({5, 1, 1}, {1, 1, 1}));
  for (int i = 0; i < 5; ++i) image.at(i, 0, 0) = static_cast<float>(i * i);
  const Volume<float> out = area_mean(std::as_const(image).view(), {2, 1, 1});
  ASSERT_EQ(out.grid().size()[0], 3);
  EXPECT_FLOAT_EQ(out.at(0, 0, 0), 0.5F);
  EXPECT_FLOAT_EQ(out.at(1, 0, 0), 6.5F);
  EXPECT_FLOAT_EQ(out.at(2, 0, 0), 16.F);
  EXPECT_DOUBLE_EQ(out.grid().origin_mm().x, 0.5);
  // 5 to 2: 0, 1, half of 4 over 2.5; half of 4, 9, 16 over 2.5.
  const Volume<float> two = area_mean_to(std::as_const(image).view(), {2, 1, 1});
  EXPECT_FLOAT_EQ(two.at(0, 0, 0), 3.F / 2.5F);
  EXPECT_FLOAT_EQ(two.at(1, 0, 0), 27.F / 2.5F);
}

TEST(Area, PhantomMeanIsKept) {
  const Volume<float> image = ramp_on(oblique({12, 10, 8}, {1, 1.5, 2}, {-10, 4, 30}));
  const Volume<float> out = area_mean_to(image.view(), {5, 3, 2});
  double before = 0, after = 0;
  for (const float v : image.voxels()) before += v;
  for (const float v : out.voxels()) after += v;
  EXPECT_NEAR(before / 960, after / 30, 1e-3);
  EXPECT_NEAR(out.at(2, 1, 1), ramp(out.grid().to_patient({2, 1, 1})), 1e-3);
}

}  // namespace
}  // namespace penta
