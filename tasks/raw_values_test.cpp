#include "tasks/raw_values.h"

#include <gtest/gtest.h>

#include <cmath>

namespace penta {
namespace {

std::vector<CutSlice> of(std::initializer_list<std::pair<float, int>> values) {
  std::vector<float> all;
  for (const auto& [value, times] : values) all.insert(all.end(), static_cast<std::size_t>(times), value);
  Volume<float> picture(Grid({static_cast<std::int64_t>(all.size()), 1, 1}, {1, 1, 1}));
  std::copy(all.begin(), all.end(), picture.voxels().begin());
  std::vector<CutSlice> slices;
  slices.push_back({std::move(picture), 2, 0});
  return slices;
}

// Twin: the answers of in_hounsfield_units() of train/recognition.py for the same values.
TEST(RawValues, TwinHounsfieldUnitsOfThePythonRecipe) {
  EXPECT_TRUE(in_hounsfield_units(of({{-1000, 30}, {-450, 5}, {40, 60}, {700, 5}})));
  EXPECT_TRUE(in_hounsfield_units(of({{-3024, 20}, {-1100, 2}, {-600, 1}, {-200, 77}})));
  EXPECT_FALSE(in_hounsfield_units(of({{-1000, 1}, {40, 99}}))) << "too little air";
  EXPECT_FALSE(in_hounsfield_units(of({{-1000, 91}, {40, 9}}))) << "too little tissue";
  EXPECT_FALSE(in_hounsfield_units(of({{-1500, 28}, {-900, 10}, {-450, 18}, {0, 44}}))) << "an MR phase map";
  EXPECT_FALSE(in_hounsfield_units(of({{0, 30}, {300, 70}})));
  EXPECT_FALSE(in_hounsfield_units({}));
}

// Twin: lung_share() of train/recognition.py says 2 / 13 of these rows; with a table below the same.
TEST(RawValues, TwinLungShareOfThePythonRecipe) {
  const std::vector<float> rows = {40,    40,    40,    40,    40,     //
                                   40,    -800,  -700,  -1000, 40,     //
                                   40,    40,    40,    40,    -800,   //
                                   -1000, -1000, -1000, -1000, -1000,  //
                                   -800,  -800,  -800,  -800,  -800,   //
                                   500,   500,   500,   500,   500};
  for (const std::int64_t height : {3, 6}) {
    Volume<float> picture(Grid({5, height, 1}, {1, 1, 1}));
    std::copy(rows.begin(), rows.begin() + 5 * height, picture.voxels().begin());
    EXPECT_DOUBLE_EQ(lung_share({std::move(picture), 2, 0}), 2.0 / 13) << height;
  }
}

/// Twelve by twelve, air around a square of tissue with a wall of bone about it; one brick may be missing.
CutSlice walled(bool whole, std::int64_t first, std::int64_t last) {
  Volume<float> picture(Grid({12, 12, 1}, {1, 1, 1}));
  for (std::int64_t y = 0; y < 12; ++y)
    for (std::int64_t x = 0; x < 12; ++x) {
      const bool inside = x >= first && x <= last && y >= first && y <= last;
      const bool wall = inside && (x == first || x == last || y == first || y == last);
      const bool tissue = x >= 1 && x <= 10 && y >= 1 && y <= 10;
      picture.at(x, y, 0) = wall ? 800.0F : tissue ? 40.0F : -1000.0F;
    }
  if (!whole) picture.at(first, 6, 0) = 40;
  return {std::move(picture), 2, 0};
}

TEST(RawValues, PhantomTheSkullShutsInTheBrain) {
  EXPECT_DOUBLE_EQ(bone_ring(walled(true, 1, 10), 250, -250), 64.0 / 100);
  EXPECT_DOUBLE_EQ(bone_ring(walled(true, 4, 7), 250, -250), 0) << "the marrow of a long bone is not the middle";
  EXPECT_DOUBLE_EQ(bone_ring(walled(true, 3, 8), 250, -250), 16.0 / 100);
  EXPECT_DOUBLE_EQ(bone_ring(walled(false, 2, 9), 250, -250), 0) << "a ring that is open";
  EXPECT_DOUBLE_EQ(bone_ring(walled(true, 0, 11), 250, -250), 0) << "no air at the edge";
  EXPECT_DOUBLE_EQ(bone_ring(walled(true, 1, 10), 900, -250), 0) << "no bone";
}

TEST(RawValues, PhantomTheTopOfADisplayWindowIsFlat) {
  EXPECT_DOUBLE_EQ(clipped_share(walled(true, 1, 10)), 0) << "a wall of one pixel is no ground";
  Volume<float> picture(Grid({20, 20, 1}, {1, 1, 1}));
  for (std::int64_t y = 0; y < 20; ++y)
    for (std::int64_t x = 0; x < 20; ++x) picture.at(x, y, 0) = x < 5 ? 255.0F : x < 15 ? 100.0F : 0.0F;
  EXPECT_DOUBLE_EQ(clipped_share({std::move(picture), 2, 0}), 4.0 / 15) << "the column beside the tissue is not flat";
}

TEST(RawValues, PhantomTissueUpToTheEdges) {
  const auto drawn = [](std::int64_t margin) {
    Volume<float> picture(Grid({56, 40, 1}, {1, 1, 1}));
    for (std::int64_t y = 0; y < 40; ++y)
      for (std::int64_t x = 0; x < 56; ++x) picture.at(x, y, 0) = std::abs(x - 27) + std::abs(y - 19) <= margin ? 90.0F : 5.0F;
    return CutSlice{std::move(picture), 2, 0};
  };
  EXPECT_DOUBLE_EQ(edges_filled(drawn(100)), 1);
  EXPECT_LT(edges_filled(drawn(20)), 0.6) << "a diamond with dark corners";
}

TEST(RawValues, PhantomColourIsWhatItsChannelsDifferBy) {
  FrameSequence frames(1);
  frames[0].width = 4;
  frames[0].height = 1;
  frames[0].pixels = std::vector<Rgb8>{{200, 0, 0}, {10, 10, 10}, {100, 110, 115}, {100, 110, 116}};
  EXPECT_DOUBLE_EQ(colour_share(frames), 0.5);
  frames[0].pixels = std::vector<std::uint8_t>{1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(colour_share(frames), 0);
}

TEST(RawValues, PhantomTheVoxelOfAPetIsNoCube) {
  EXPECT_TRUE(is_cube({4.42, 4.42, 4.42}));
  EXPECT_TRUE(is_cube({4.0, 4.0, 4.3}));
  EXPECT_FALSE(is_cube({4.07, 4.07, 3.0}));
}

}  // namespace
}  // namespace penta
