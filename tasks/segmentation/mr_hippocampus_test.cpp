#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "core/test_data.h"
#include "nn/bundle.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_segmentation_mr_hippocampus(const nn::ModelStore& models);

namespace {

nn::ModelStore models() {
  return nn::ModelStore({repository_root() / "models"});
}

bool has_models(const nn::ModelStore& store) {
  return store.find("mr.hippocampus") != nullptr && store.find("mr.hippocampus_locator") != nullptr;
}

Answer run(const nn::ModelStore& store, const Image& image, const std::map<std::string, std::string>& settings) {
  const MethodPtr method = make_segmentation_mr_hippocampus(store);
  const std::vector<Input> inputs{{"image", &image}};
  const Params params(method->card(), settings);
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

Image image_of(Volume<float> volume) {
  Image image;
  VolumeSequence sequence;
  sequence.emplace_back(std::move(volume));
  image.pixels = std::move(sequence);
  return image;
}

/// A bright curved rod in grey, about the size of a hippocampus crop.
Volume<float> crop(const Grid& grid) {
  Volume<float> volume(grid);
  for (std::int64_t z = 0; z < grid.size()[2]; ++z)
    for (std::int64_t y = 0; y < grid.size()[1]; ++y)
      for (std::int64_t x = 0; x < grid.size()[0]; ++x) {
        const PatientPoint p = grid.to_patient({double(x), double(y), double(z)});
        volume.at(x, y, z) = static_cast<float>(100 + 40 * std::sin(0.3 * p.x) + 30 * std::cos(0.2 * p.y + 0.1 * p.z));
      }
  return volume;
}

TEST(MrHippocampus, TwinCropInAnotherOrientationGivesTheSameLabels) {
  const nn::ModelStore store = models();
  if (store.find("mr.hippocampus") == nullptr) GTEST_SKIP() << "no model mr.hippocampus";
  // The same voxels stored the other way round along x and y.
  const Grid plain({36, 50, 34}, {1, 1, 1}), turned({36, 50, 34}, {1, 1, 1}, {35, 49, 0}, {{{-1, 0, 0}, {0, -1, 0}, {0, 0, 1}}});
  const Answer a = run(store, image_of(crop(plain)), {{"side", "left"}}), b = run(store, image_of(crop(turned)), {});
  const auto& la = std::get<LabelMap>(a.artifacts.at(0).value).layers.at(0);
  const auto& lb = std::get<LabelMap>(b.artifacts.at(0).value).layers.at(0);
  for (std::int64_t z = 0; z < 34; ++z)
    for (std::int64_t y = 0; y < 50; ++y)
      for (std::int64_t x = 0; x < 36; ++x) ASSERT_EQ(la.at(x, y, z), lb.at(35 - x, 49 - y, z));
  const auto& volumes = std::get<Measurements>(a.artifacts.at(1).value);
  ASSERT_EQ(volumes.size(), 3U);
  EXPECT_EQ(volumes[0].side, Side::left);
  EXPECT_EQ(std::get<Measurements>(b.artifacts.at(1).value)[0].side, Side::none);
  EXPECT_NEAR(volumes[0].value, volumes[1].value + volumes[2].value, 1e-9);
}

TEST(MrHippocampus, PhantomWithoutAHeadIsRefused) {
  const nn::ModelStore store = models();
  if (!has_models(store)) GTEST_SKIP() << "no models";
  EXPECT_THROW((void)run(store, image_of(crop(Grid({120, 140, 110}, {1.5, 1.5, 1.5}))), {}), Error);
}

TEST(MrHippocampus, RefusesWithoutModels) {
  try {
    (void)run(nn::ModelStore({}), image_of(crop(Grid({20, 20, 20}, {1, 1, 1}))), {});
    FAIL();
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::model_missing);
  }
}

// Twin: a voxel that is NaN or infinite is as one that holds the smallest value.
TEST(MrHippocampus, NonFiniteVoxelsAreReplacedAndSaidTwin) {
  const nn::ModelStore store = models();
  if (store.find("mr.hippocampus") == nullptr) GTEST_SKIP() << "no model mr.hippocampus";
  Volume<float> plain = crop(Grid({36, 50, 34}, {1, 1, 1})), holed = crop(plain.grid());
  const float smallest = *std::min_element(plain.voxels().begin(), plain.voxels().end());
  plain.at(0, 0, 0) = plain.at(35, 0, 0) = smallest;
  holed.at(0, 0, 0) = std::numeric_limits<float>::quiet_NaN();
  holed.at(35, 0, 0) = std::numeric_limits<float>::infinity();
  const Answer a = run(store, image_of(std::move(plain)), {}), b = run(store, image_of(std::move(holed)), {});
  const auto &in_a = std::get<Measurements>(a.artifacts.at(1).value), &in_b = std::get<Measurements>(b.artifacts.at(1).value);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_DOUBLE_EQ(in_a.at(i).value, in_b.at(i).value);
  ASSERT_EQ(b.remarks.at(0).code, "non_finite_voxels");
  EXPECT_EQ(b.remarks[0].text.substr(0, 8), "2 voxels");
  EXPECT_EQ(a.remarks.at(0).code, "taken_as_a_crop");
}

}  // namespace
}  // namespace penta
