#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "core/test_data.h"
#include "nn/bundle.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_segmentation_mr_brain_mask(const nn::ModelStore& models);
MethodPtr make_segmentation_mr_white_matter_lesion(const nn::ModelStore& models);

namespace {

nn::ModelStore models() {
  return nn::ModelStore({repository_root() / "models"});
}

/// A ball of 60 mm radius, brighter towards its middle, in air; `n` voxels of `spacing` mm along each axis.
Image ball(std::int64_t n, double spacing, const Vector3& origin) {
  Volume<float> volume(Grid({n, n, n}, {spacing, spacing, spacing}, {origin[0], origin[1], origin[2]}));
  for (std::int64_t z = 0; z < n; ++z)
    for (std::int64_t y = 0; y < n; ++y)
      for (std::int64_t x = 0; x < n; ++x) {
        const auto at = [&](std::int64_t i) { return (static_cast<double>(i) - 0.5 * static_cast<double>(n - 1)) * spacing; };
        const double r = std::sqrt(at(x) * at(x) + at(y) * at(y) + at(z) * at(z));
        volume.at(x, y, z) = r < 60 ? static_cast<float>(160 - r) : 2.F;
      }
  Image image;
  VolumeSequence sequence;
  sequence.emplace_back(std::move(volume));
  image.pixels = std::move(sequence);
  image.acquisition.modality = "MR";
  return image;
}

Answer run(const MethodPtr& method, const Image& image) {
  const std::vector<Input> inputs{{"image", &image}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

std::string refusal(const MethodPtr& method, const Image& image) {
  try {
    static_cast<void>(run(method, image));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(MrBrain, AnImageSmallerThanAHeadIsRefusedByName) {
  const nn::ModelStore store = models();
  const Image small = ball(40, 2, {0, 0, 0});
  EXPECT_NE(refusal(make_segmentation_mr_brain_mask(store), small).find("mr.brain_mask: wants a whole head"), std::string::npos);
  EXPECT_NE(refusal(make_segmentation_mr_white_matter_lesion(store), small).find("wants a whole head"), std::string::npos);
}

TEST(MrBrain, NoHeadIsRefusedPhantom) {  // a ball has a rim, but no structures
  const nn::ModelStore store = models();
  if (store.find("mr.brain") == nullptr) GTEST_SKIP() << "no model mr.brain";
  Image empty = ball(50, 2, {0, 0, 0});
  auto& volume = std::get<Volume<float>>(std::get<VolumeSequence>(empty.pixels).front());
  std::fill(volume.voxels().begin(), volume.voxels().end(), 0.F);
  EXPECT_NE(refusal(make_segmentation_mr_brain_mask(store), empty).find("no T1-weighted head"), std::string::npos);
}

}  // namespace

}  // namespace penta
