#include "tasks/slices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace penta {
namespace {

Volume<std::int16_t> ramp(const Size3& size) {
  Volume<std::int16_t> volume(Grid(size, {1, 1, 1}));
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x) volume.at(x, y, z) = static_cast<std::int16_t>(x + 100 * y + 10000 * (z % 3));
  return volume;
}

Image image_of(AnyVolume volume) {
  VolumeSequence sequence;
  sequence.push_back(std::move(volume));
  Image image;
  image.pixels = std::move(sequence);
  return image;
}

TEST(Slices, PhantomCutsKeepTheLowerAxisAsColumns) {
  const AnyVolume volume = ramp({4, 3, 2});
  const Volume<float> sagittal = cut(volume, 0, 2), coronal = cut(volume, 1, 1), axial = cut(volume, 2, 1);
  EXPECT_EQ(sagittal.grid().size(), (Size3{3, 2, 1}));
  EXPECT_EQ(coronal.grid().size(), (Size3{4, 2, 1}));
  EXPECT_EQ(axial.grid().size(), (Size3{4, 3, 1}));
  EXPECT_EQ(sagittal.at(1, 1, 0), 10102.0F);
  EXPECT_EQ(coronal.at(3, 1, 0), 10103.0F);
  EXPECT_EQ(axial.at(3, 2, 0), 10203.0F);
}

TEST(Slices, PhantomAxialPicturesAreHungTheSameWay) {
  Volume<float> hung(Grid({3, 2, 1}, {1, 1, 1}));  // as the patient lies: x to the left, y to the back
  for (std::int64_t y = 0; y < 2; ++y)
    for (std::int64_t x = 0; x < 3; ++x) hung.at(x, y, 0) = static_cast<float>(10 * y + x);
  Volume<float> flipped(Grid({3, 2, 1}, {1, 1, 1})), turned(Grid({2, 3, 1}, {1, 1, 1}));
  for (std::int64_t y = 0; y < 2; ++y)
    for (std::int64_t x = 0; x < 3; ++x) {
      flipped.at(x, 1 - y, 0) = hung.at(x, y, 0);
      turned.at(y, 2 - x, 0) = hung.at(x, y, 0);
    }
  const auto same = [&](const Volume<float>& got) {
    return got.grid().size() == hung.grid().size() && std::equal(got.voxels().begin(), got.voxels().end(), hung.voxels().begin());
  };
  EXPECT_TRUE(same(upright(hung, {1, 0, 0}, {0, 0.93, -0.37})));
  EXPECT_TRUE(same(upright(flipped, {1, 0, 0}, {0, -1, 0})));
  EXPECT_TRUE(same(upright(turned, {0, 1, 0}, {-1, 0, 0})));
  EXPECT_TRUE(same(upright(hung, {0, 1, 0}, {0, 0, -1}))) << "sagittal: as it is";
}

TEST(Slices, PhantomThreeOfEachAxisAndNoneThatShowsNothing) {
  const auto slices = standing_slices(image_of(ramp({20, 24, 40})));
  ASSERT_EQ(slices.size(), 9U);
  EXPECT_EQ(slices[0].axis, 2);
  EXPECT_EQ(slices[0].place, 12);
  EXPECT_EQ(slices[8].place, 14);
  EXPECT_EQ(standing_slices(image_of(ramp({20, 24, 4}))).size(), 2U) << "two places of four; across x and y only four rows are left";
  EXPECT_TRUE(standing_slices(image_of(Volume<std::uint8_t>(Grid({20, 20, 20}, {1, 1, 1})))).empty());
}

TEST(Slices, PhantomGreyBetweenPercentilesAndNothingNotFinite) {
  Volume<float> picture(Grid({101, 1, 1}, {1, 1, 1}));
  for (std::int64_t x = 0; x < 101; ++x) picture.at(x, 0, 0) = static_cast<float>(x);
  to_grey(picture, 10, 90);
  EXPECT_EQ(picture.at(10, 0, 0), 0.0F);
  EXPECT_NEAR(picture.at(50, 0, 0), 127.5F, 1e-4F);
  EXPECT_EQ(picture.at(95, 0, 0), 255.0F);
  picture.at(3, 0, 0) = std::numeric_limits<float>::quiet_NaN();
  to_grey(picture);
  for (const float v : picture.voxels()) EXPECT_TRUE(std::isfinite(v));
}

TEST(Slices, PhantomScoresAreSortedAndUncalibratedOnesCarryNoProbability) {
  const Scores scores = scores_of({"a", "b", "c"}, {0.2, 0.7, 0.1}, true);
  EXPECT_EQ(scores[0].label, "b");
  EXPECT_EQ(*scores[2].probability, 0.1);
  EXPECT_FALSE(scores_of({"a"}, {1.0}, false)[0].probability);
}

}  // namespace
}  // namespace penta
