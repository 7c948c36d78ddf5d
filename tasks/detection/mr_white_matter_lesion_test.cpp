#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "tasks/method.h"

namespace penta {

MethodPtr make_detection_mr_white_matter_lesion();

namespace {

/// Grey 100 with two boxes of lesions at 150: 6 x 6 x 6 and 2 x 2 x 2 voxels of 1 mm; labels on `grid`.
std::pair<Image, LabelMap> boxes(const Grid& grid) {
  Volume<float> volume(Grid({40, 40, 40}, {1, 1, 1}, {-20, -20, 0}));
  std::fill(volume.voxels().begin(), volume.voxels().end(), 100.F);
  LabelMap labels;
  labels.layers.emplace_back(grid);
  const auto put = [&](std::int64_t x0, std::int64_t n) {
    for (std::int64_t z = x0; z < x0 + n; ++z)
      for (std::int64_t y = x0; y < x0 + n; ++y)
        for (std::int64_t x = x0; x < x0 + n; ++x) {
          volume.at(x, y, z) = 150;
          labels.layers.front().at(x, y, z) = 1;
        }
  };
  put(5, 2);
  put(20, 6);
  Image image;
  VolumeSequence sequence;
  sequence.emplace_back(std::move(volume));
  image.pixels = std::move(sequence);
  return {std::move(image), std::move(labels)};
}

Answer run(const Image& image, const LabelMap& labels) {
  const auto method = make_detection_mr_white_matter_lesion();
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  const std::vector<Input> inputs{{"image", &image}, {"labels", &labels}};
  return method->run({inputs, {}, params, workspace, control});
}

TEST(MrWhiteMatterLesionFindings, TwoBoxesWithPlaceSizeAndOrderPhantom) {
  const auto [image, labels] = boxes(Grid({40, 40, 40}, {1, 1, 1}, {-20, -20, 0}));
  const Answer answer = run(image, labels);
  const auto& found = std::get<Findings>(answer.artifacts.at(0).value);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NEAR(found[0].centre.x, -20 + 22.5, 1e-9);  // the larger one first
  EXPECT_NEAR(found[0].centre.z, 22.5, 1e-9);
  EXPECT_NEAR(found[0].size, std::cbrt(6 * 216 / 3.141592653589793), 1e-9);
  EXPECT_NEAR(found[0].box[0], -20 + 19.5, 1e-9);
  EXPECT_NEAR(found[0].box[3], -20 + 25.5, 1e-9);
  const double d = found[1].size;
  EXPECT_NEAR(found[1].score, d / (d + 5) * 0.75, 1e-6);  // half as bright again as what is around it
  EXPECT_GT(found[0].score, found[1].score);
}

TEST(MrWhiteMatterLesionFindings, NoLesionIsNoFindingAndAnotherGridIsRefused) {
  const Grid grid({40, 40, 40}, {1, 1, 1}, {-20, -20, 0});
  auto [image, labels] = boxes(grid);
  labels.layers.front() = Volume<std::uint16_t>(grid);
  EXPECT_TRUE(std::get<Findings>(run(image, labels).artifacts.at(0).value).empty());
  const auto other = boxes(Grid({40, 40, 40}, {1, 1, 1}, {0, 0, 0}));
  EXPECT_THROW(static_cast<void>(run(other.first, other.second)), Error);
}

}  // namespace

}  // namespace penta
