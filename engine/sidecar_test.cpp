#include "engine/sidecar.h"

#include <gtest/gtest.h>

#include <sstream>

namespace penta::engine {
namespace {

Image diffusion(const Matrix3& direction, const std::vector<Vector3>& gradients) {
  VolumeSequence volumes;
  for (std::size_t i = 0; i < gradients.size(); ++i)
    volumes.emplace_back(Volume<float>(Grid({2, 2, 2}, {1, 2, 3}, {0, 0, 0}, direction)));
  Image image;
  image.pixels = std::move(volumes);
  image.axis = SequenceAxis::b_value;
  image.axis_values.assign(gradients.size(), 1000);
  image.axis_directions = gradients;
  return image;
}

std::vector<double> numbers_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<double> out;
  for (double value = 0; in >> value;) out.push_back(value);
  return out;
}

// Inverse: the voxel axes, x turned back where they are right-handed, give the patient's direction again.
TEST(BVectors, InverseGivesThePatientsDirection) {
  const std::vector<Vector3> gradients{{0, 0, 0}, {0.6, 0, 0.8}, {0, -0.6, 0.8}};
  const std::vector<Matrix3> directions{{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
                                        {{{1, 0, 0}, {0, 1, 0}, {0, 0, -1}}},
                                        {{{0, 0, 1}, {0.8, 0.6, 0}, {-0.6, 0.8, 0}}}};
  for (const Matrix3& m : directions) {
    const Image image = diffusion(m, gradients);
    const Grid& grid = grid_of(std::get<VolumeSequence>(image.pixels).front());
    const auto lines = numbers_of(b_vectors_of(image));
    ASSERT_EQ(lines.size(), 9U);
    const bool right_handed = dot(cross(grid.axis(0), grid.axis(1)), grid.axis(2)) > 0;
    for (std::size_t v = 0; v < 3; ++v)
      for (std::size_t c = 0; c < 3; ++c) {
        double back = 0;
        for (int k = 0; k < 3; ++k)
          back += lines[3 * static_cast<std::size_t>(k) + v] * (k == 0 && right_handed ? -1 : 1) * grid.axis(k)[c];
        EXPECT_NEAR(back, gradients[v][c], 1e-8);
      }
  }
}

TEST(BVectors, NothingIsWrittenWithoutDirections) {
  EXPECT_EQ(b_vectors_of(diffusion({{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, {})), "");
  Image image = diffusion({{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, {{1, 0, 0}, {0, 1, 0}});
  image.axis_directions.pop_back();
  EXPECT_EQ(b_vectors_of(image), "");
}

}  // namespace
}  // namespace penta::engine
