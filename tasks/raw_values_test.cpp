#include "tasks/raw_values.h"

#include <gtest/gtest.h>

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

// Twin: lung_share() of train/recognition.py says 2 / 13 of these rows.
TEST(RawValues, TwinLungShareOfThePythonRecipe) {
  const std::vector<float> rows = {40, 40,   40,   40,    40,  //
                                   40, -800, -700, -1000, 40,  //
                                   40, 40,   40,   40,    -800};
  Volume<float> picture(Grid({5, 3, 1}, {1, 1, 1}));
  std::copy(rows.begin(), rows.end(), picture.voxels().begin());
  EXPECT_DOUBLE_EQ(lung_share({std::move(picture), 2, 0}), 2.0 / 13);
}

TEST(RawValues, PhantomTheVoxelOfAPetIsNoCube) {
  EXPECT_TRUE(is_cube({4.42, 4.42, 4.42}));
  EXPECT_TRUE(is_cube({4.0, 4.0, 4.3}));
  EXPECT_FALSE(is_cube({4.07, 4.07, 3.0}));
}

}  // namespace
}  // namespace penta
