#include "image/regrid/regrid.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace penta {
namespace {

// A stack that shows a linear function of the patient's place: linear interpolation must give it back.
float truth(const PatientPoint& p) { return static_cast<float>(3 + 0.5 * p.x - 0.25 * p.y + 2 * p.z); }

SliceStack stack_at(const std::vector<PatientPoint>& origins, Vector3 row = {1, 0, 0}, Vector3 column = {0, 1, 0}) {
  SliceStack stack;
  stack.width = 12;
  stack.height = 10;
  stack.spacing_mm = {2, 2};
  stack.row_axis = row;
  stack.column_axis = column;
  stack.why = "test";
  for (const PatientPoint& o : origins) {
    SliceStack::Slice slice{o, {}};
    for (int y = 0; y < 10; ++y)
      for (int x = 0; x < 12; ++x)
        slice.pixels.push_back(truth({o.x + 2 * (x * row[0] + y * column[0]), o.y + 2 * (x * row[1] + y * column[1]),
                                      o.z + 2 * (x * row[2] + y * column[2])}));
    stack.slices.push_back(std::move(slice));
  }
  return stack;
}

void expect_truth(const Volume<float>& volume, bool everywhere) {
  const Size3& size = volume.grid().size();
  std::int64_t right = 0;
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x)
        if (std::abs(volume.at(x, y, z) - truth(volume.grid().to_patient({double(x), double(y), double(z)}))) < 1e-3) ++right;
  if (everywhere)
    EXPECT_EQ(right, volume.grid().count());
  else
    EXPECT_GE(double(right), 0.6 * double(volume.grid().count()));
}

TEST(Regrid, PhantomUnevenSlicesGiveTheLinearTruth) {
  std::vector<Remark> remarks;
  const auto volume = regrid(stack_at({{0, 0, 0}, {0, 0, 3}, {0, 0, 6}, {0, 0, 15}, {0, 0, 18}}), RegridPolicy::resample, remarks);
  EXPECT_EQ(volume.grid().size(), (Size3{12, 10, 7}));
  EXPECT_DOUBLE_EQ(volume.grid().spacing_mm()[2], 3);
  expect_truth(volume, true);
  ASSERT_EQ(remarks.size(), 1U);
  EXPECT_EQ(remarks[0].code, "resampled");
  EXPECT_NE(remarks[0].text.find("9 mm"), std::string::npos);
}

TEST(Regrid, PhantomTiltedGantryIsUndone) {
  std::vector<PatientPoint> origins;
  for (int k = 0; k < 6; ++k) origins.push_back({0, 1.0 * k, 4.0 * k});
  std::vector<Remark> remarks;
  const auto volume = regrid(stack_at(origins), RegridPolicy::resample, remarks);
  EXPECT_EQ(volume.grid().size(), (Size3{12, 13, 6}));
  expect_truth(volume, false);
  // Inside every slice the truth is exact.
  for (std::int64_t z = 0; z < 6; ++z)
    for (std::int64_t y = 4; y < 9; ++y)
      EXPECT_NEAR(volume.at(5, y, z), truth(volume.grid().to_patient({5, double(y), double(z)})), 1e-3);
}

TEST(Regrid, ObliqueSlices) {
  const double c = std::cos(0.3), s = std::sin(0.3);
  std::vector<PatientPoint> origins;
  for (const double w : {0.0, 2.0, 4.0, 7.0, 9.0}) origins.push_back({10 - s * w, -5, 3 + c * w});
  std::vector<Remark> remarks;
  expect_truth(regrid(stack_at(origins, {c, 0, s}), RegridPolicy::resample, remarks), true);
}

TEST(Regrid, OneSliceIsAVolumeOfAnAssumedThickness) {
  std::vector<Remark> remarks;
  const auto volume = regrid(stack_at({{3, 4, 5}}), RegridPolicy::resample, remarks);
  EXPECT_EQ(volume.grid().size(), (Size3{12, 10, 1}));
  EXPECT_DOUBLE_EQ(volume.grid().spacing_mm()[2], 2);
  expect_truth(volume, true);
  ASSERT_EQ(remarks.size(), 1U);
  EXPECT_EQ(remarks[0].code, "thickness_assumed");
}

TEST(Regrid, MissingPlanesAreCounted) {
  std::vector<Remark> remarks;
  const auto volume = regrid(stack_at({{0, 0, 0}, {0, 0, 3}, {0, 0, 12}, {0, 0, 15}}), RegridPolicy::resample, remarks);
  expect_truth(volume, true);
  ASSERT_EQ(remarks.size(), 1U);
  EXPECT_NE(remarks[0].text.find("2 planes lie in gaps"), std::string::npos) << remarks[0].text;
}

TEST(Regrid, TiltAcrossAGapFillsNothingFromFarAway) {
  // Slices every 4 mm, shifted by 4 mm each (two pixels); one is missing at 8 mm and one at 12 mm.
  std::vector<Remark> remarks;
  const auto volume =
      regrid(stack_at({{0, 0, 0}, {0, 4, 4}, {0, 16, 16}, {0, 20, 20}, {0, 24, 24}}), RegridPolicy::resample, remarks);
  ASSERT_EQ(volume.grid().size(), (Size3{12, 22, 7}));
  const float outside = truth({0, 0, 0}) - 0.25F * 18;  // the lowest pixel of the first slice
  const auto there = [&](int y, int z) { return truth(volume.grid().to_patient({5.0, double(y), double(z)})); };
  for (const int z : {2, 3}) {
    // Both slices have pixels from row 8 to 11 (16 to 22 mm).
    for (int y = 8; y < 12; ++y) EXPECT_NEAR(volume.at(5, y, z), there(y, z), 1e-3);
    // Only one has others, 4 mm or 8 mm away.
    for (const int y : {2, 7, 12, 17}) EXPECT_NEAR(volume.at(5, y, z), outside, 1e-3);
  }
}

TEST(Regrid, StrictRefusesAndNoSliceIsTooFew) {
  std::vector<Remark> remarks;
  EXPECT_THROW((void)regrid(stack_at({{0, 0, 0}, {0, 0, 3}}), RegridPolicy::strict, remarks), Error);
  EXPECT_THROW((void)regrid(stack_at({}), RegridPolicy::resample, remarks), Error);
}

}  // namespace
}  // namespace penta
