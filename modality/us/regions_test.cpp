#include "modality/us/regions.h"

#include <gtest/gtest.h>

namespace penta::us {
namespace {

UsRegion region(std::int64_t x0, std::int64_t y0, std::int64_t x1, std::int64_t y1, RegionUnit unit, double delta, int data_type) {
  UsRegion r;
  r.x0 = x0;
  r.y0 = y0;
  r.x1 = x1;
  r.y1 = y1;
  r.unit_x = r.unit_y = unit;
  r.delta_x = delta;
  r.delta_y = -delta;
  r.spatial_format = 1;
  r.data_type = data_type;
  return r;
}

TEST(UsRegions, PhantomSpacingBelongsToThePixelsRegion) {
  Frame2d frame;
  frame.regions = {region(0, 0, 99, 99, RegionUnit::centimetre, 0.05, 1), region(20, 20, 40, 40, RegionUnit::centimetre, 0.02, 2),
                   region(0, 100, 99, 199, RegionUnit::second, 0.01, 3)};
  EXPECT_DOUBLE_EQ(spacing_mm_at(frame, 5, 5)->at(0), 0.5);
  EXPECT_DOUBLE_EQ(spacing_mm_at(frame, 5, 5)->at(1), 0.5);
  EXPECT_DOUBLE_EQ(spacing_mm_at(frame, 30, 30)->at(0), 0.2);
  EXPECT_FALSE(spacing_mm_at(frame, 5, 150));
  EXPECT_FALSE(spacing_mm_at(frame, 500, 5));
  EXPECT_EQ(kind_of(*region_at(frame, 30, 30)), "colour flow");
  EXPECT_EQ(kind_of(*region_at(frame, 5, 150)), "spectral Doppler");
}

TEST(UsRegions, WithoutRegionsTheFrameSpeaks) {
  Frame2d frame;
  EXPECT_FALSE(spacing_mm_at(frame, 0, 0));
  frame.spacing_mm = {{0.3, 0.3}};
  EXPECT_DOUBLE_EQ(spacing_mm_at(frame, 7, 7)->at(1), 0.3);
}

}  // namespace
}  // namespace penta::us
