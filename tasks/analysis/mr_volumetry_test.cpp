#include <gtest/gtest.h>

#include "tasks/methods.h"

namespace penta {

MethodPtr make_analysis_mr_volumetry();

namespace {

Answer run(const LabelMap& labels) {
  const MethodPtr method = make_analysis_mr_volumetry();
  const std::vector<Input> inputs{{"labels", &labels}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

// Phantom: blocks of 6 and 24 voxels of 2 x 1 x 5 mm.
TEST(MrVolumetry, PhantomBlocks) {
  LabelMap labels;
  labels.layers.emplace_back(Grid({8, 8, 8}, {2, 1, 5}));
  for (std::int64_t z = 0; z < 3; ++z)
    for (std::int64_t y = 0; y < 5; ++y)
      for (std::int64_t x = 0; x < 2; ++x) labels.layers[0].at(x, y, z) = y == 0 ? 1 : 2;
  add_found_segments(labels);
  const Answer answer = run(labels);
  const auto& volumes = std::get<Measurements>(answer.artifacts.at(0).value);
  ASSERT_EQ(volumes.size(), 3U);
  EXPECT_DOUBLE_EQ(volumes[0].value, 0.06);
  EXPECT_DOUBLE_EQ(volumes[1].value, 0.24);
  EXPECT_DOUBLE_EQ(volumes[2].value, 0.3);
}

TEST(MrVolumetry, EmptyLabelsGetARemark) {
  LabelMap labels;
  labels.layers.emplace_back(Grid({2, 2, 2}, {1, 1, 1}));
  EXPECT_EQ(run(labels).remarks.size(), 1U);
}

}  // namespace
}  // namespace penta
