#include "modality/ct/ray_shape.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace penta::ct {
namespace {

constexpr Vector3 up{0, 0, 1};

// Rays from the axis of an endless tube of radius 1 along z, with a ball of radius `ball` about their start.
std::vector<double> lengths_of(double tube, double ball) {
  std::vector<double> lengths;
  for (const Vector3& d : ray_directions()) {
    const double across = std::hypot(d[0], d[1]);
    lengths.push_back(std::max(ball, std::min(30.0, tube / std::max(1e-9, across))));
  }
  return lengths;
}

TEST(RayShape, PhantomATubeLeavesTwiceAndOpposed) {
  const auto directions = ray_directions();
  const RayShape shape = ray_shape(directions, lengths_of(1, 0), 1, up);
  EXPECT_EQ(shape.exits[0], 2);
  EXPECT_EQ(shape.exits[1], 2);
  EXPECT_NEAR(shape.opposed, -1, 0.01);
  EXPECT_NEAR(shape.widest[0], 0.5 * (1 - std::sqrt(1 - 1 / 2.25)), 0.02);  // a cap: sin of its angle is 1 / 1.5
  EXPECT_NEAR(shape.profile[0], 1.01, 0.03);
  EXPECT_NEAR(shape.profile[2], 1 / std::sqrt(1 - 0.8065 * 0.8065), 0.1);  // |cos| is even on a sphere
}

TEST(RayShape, PhantomABallOnAVesselIsRoundBesideIt) {
  const auto directions = ray_directions();
  const RayShape shape = ray_shape(directions, lengths_of(1, 3), 3, up);
  EXPECT_EQ(shape.exits[0], 2);
  EXPECT_LT(shape.widest[0], 0.03);
  for (const double v : shape.profile) EXPECT_NEAR(v, 1, 1e-9);
}

TEST(RayShape, PhantomABallAloneHasNoExit) {
  const auto directions = ray_directions();
  const RayShape shape = ray_shape(directions, lengths_of(0, 3), 3, up);
  EXPECT_EQ(shape.exits[0], 0);
  EXPECT_EQ(shape.widest[1], 0);
  EXPECT_EQ(shape.opposed, 0);
}

}  // namespace
}  // namespace penta::ct
