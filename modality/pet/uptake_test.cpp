#include "modality/pet/uptake.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace penta::pet {

namespace {

struct Egg {
  PatientPoint centre;
  double rx, ry, rz, suv;
};

// A body of SUV 1 from the knees (z = 0) to the vertex (z = 960): head, trunk and legs, with hot organs; x to the left.
std::vector<Egg> person() {
  return {{{0, 0, 870}, 80, 95, 95, 1},   {{0, 0, 500}, 190, 120, 320, 1}, {{-90, 0, 120}, 80, 80, 180, 1},
          {{90, 0, 120}, 80, 80, 180, 1}, {{0, 0, 900}, 60, 70, 45, 8},    {{45, -40, 580}, 35, 35, 30, 6},
          {{65, 45, 440}, 25, 25, 45, 6}, {{-65, 45, 440}, 25, 25, 45, 6}, {{0, -20, 250}, 30, 30, 25, 40},
          {{30, 10, 330}, 5, 5, 20, 15}};
}

Volume<float> image_of(const std::vector<Egg>& eggs, double z_low, double z_high) {
  const auto slices = static_cast<std::int64_t>((z_high - z_low) / 5);
  Volume<float> suv(Grid({90, 60, slices}, {5, 5, 5}, {-222.5, -147.5, z_low}));
  for (std::int64_t z = 0; z < slices; ++z)
    for (std::int64_t y = 0; y < 60; ++y)
      for (std::int64_t x = 0; x < 90; ++x) {
        const PatientPoint p = suv.grid().to_patient({double(x), double(y), double(z)});
        for (const Egg& e : eggs)
          if (std::pow((p.x - e.centre.x) / e.rx, 2) + std::pow((p.y - e.centre.y) / e.ry, 2) +
                  std::pow((p.z - e.centre.z) / e.rz, 2) <=
              1)
            suv.at(x, y, z) = std::max(suv.at(x, y, z), static_cast<float>(e.suv));
      }
  return suv;
}

std::multiset<std::string> organs_of(const Uptake& uptake) {
  std::multiset<std::string> names;
  for (const HotPart& part : uptake.parts) names.insert(part.organ);
  return names;
}

TEST(Uptake, PhantomOrgansAreNamedAndLesionsAreNot) {
  auto eggs = person();
  eggs.push_back({{110, 0, 120}, 30, 30, 40, 7});    // thigh
  eggs.push_back({{-90, -20, 650}, 15, 15, 15, 9});  // right lung
  eggs.push_back({{40, 0, 770}, 12, 12, 12, 6});     // neck
  const Uptake uptake = uptake_of(image_of(eggs, 0, 970), {});
  EXPECT_EQ(organs_of(uptake),
            (std::multiset<std::string>{"", "", "", "bladder", "brain", "heart", "kidney", "kidney", "ureter"}));
  EXPECT_TRUE(uptake.has_brain);
  EXPECT_TRUE(uptake.has_bladder);
}

TEST(Uptake, PhantomWithoutTheHeadOrWithoutTheBladderInView) {
  EXPECT_EQ(organs_of(uptake_of(image_of(person(), 0, 760), {})),
            (std::multiset<std::string>{"bladder", "heart", "kidney", "kidney", "ureter"}));
  EXPECT_EQ(organs_of(uptake_of(image_of(person(), 300, 970), {})),
            (std::multiset<std::string>{"brain", "heart", "kidney", "kidney", "ureter"}));
  // 200 mm of the head: the brain only.
  EXPECT_EQ(organs_of(uptake_of(image_of(person(), 760, 970), {})), (std::multiset<std::string>{"brain"}));
}

TEST(Uptake, PhantomHeatInTheNeckIsNoBrain) {
  const Uptake uptake = uptake_of(
      image_of({{{0, 0, 870}, 80, 95, 95, 1}, {{35, 0, 850}, 30, 30, 30, 9}, {{-40, 0, 860}, 25, 25, 25, 8}}, 790, 960),
      {});
  EXPECT_EQ(organs_of(uptake), (std::multiset<std::string>{"", ""}));
}

// A small ball on the flank of a hot one has no maximum of its own, and is still a spot; NaN belongs to nothing.
TEST(Uptake, PhantomSpotsOnTheFlankOfAHotOne) {
  Volume<float> suv(Grid({40, 40, 40}, {3, 3, 3}));
  for (std::int64_t i = 0; i < suv.grid().count(); ++i) {
    const double x = double(i % 40) - 15, y = double(i / 40 % 40) - 20, z = double(i / 1600) - 20, x2 = x - 8;
    suv.voxels()[static_cast<std::size_t>(i)] = static_cast<float>(1 + 20 * std::exp(-(x * x + y * y + z * z) / 18) +
                                                                   7 * std::exp(-(x2 * x2 + y * y + z * z) / 5));
  }
  const Uptake uptake = uptake_of(suv, {});
  ASSERT_EQ(uptake.parts.size(), 1U);
  ASSERT_EQ(uptake.spots.size(), 2U);
  EXPECT_NEAR(uptake.spots[0].at.x, 45, 3.1);
  EXPECT_NEAR(uptake.spots[1].at.x, 69, 3.1);
  for (std::int64_t i = 0; i < 1600 * 5; ++i)
    suv.voxels()[static_cast<std::size_t>(i)] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(uptake_of(suv, {}).spots.size(), 2U);
}

}  // namespace
}  // namespace penta::pet
