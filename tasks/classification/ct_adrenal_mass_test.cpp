#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/test_data.h"
#include "nn/bundle.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_classification_ct_adrenal_mass(const nn::ModelStore& models);

namespace {

nn::ModelStore models() {
  return nn::ModelStore({repository_root() / "models"});
}

Image empty_image(const Grid& grid) {
  VolumeSequence sequence;
  sequence.emplace_back(Volume<float>(grid));
  Image image;
  image.pixels = std::move(sequence);
  image.unit = "[hnsf'U]";
  return image;
}

// Two crossed plates, with a ball where `ball` > 0.
LabelMap gland(const Grid& grid, double ball, const std::string& name) {
  LabelMap labels;
  labels.layers.emplace_back(grid);
  labels.segments.push_back({7, 0, name, {}, {}, Side::left, {}});
  const Size3& size = grid.size();
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x) {
        const PatientPoint p = grid.to_patient({double(x), double(y), double(z)});
        const bool a =
            std::abs(p.y - 32) <= 15 && std::abs(p.x - 32 - 0.25 * (p.z - 32)) <= 2 && std::abs(p.z - 32) <= 18;
        const bool b =
            std::abs(p.x - 32 - 0.5 * (p.y - 32)) <= 2 && std::abs(p.y - 26) <= 14 && std::abs(p.z - 26) <= 10;
        const bool c =
            (p.x - 36) * (p.x - 36) + (p.y - 30) * (p.y - 30) + (p.z - 30) * (p.z - 30) <= ball * ball && ball > 0;
        labels.layers[0].at(x, y, z) = a || b || c ? 7 : 0;
      }
  return labels;
}

Answer judged(const nn::ModelStore& store, const LabelMap& labels,
              const std::map<std::string, std::string>& settings = {}) {
  const Image image = empty_image(labels.grid());
  const MethodPtr method = make_classification_ct_adrenal_mass(store);
  const Input inputs[] = {{"image", &image}, {"labels", &labels}};
  const Params params(method->card(), settings);
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

double mass(const Answer& answer) { return *std::get<Scores>(answer.artifacts.at(0).value).at(0).probability; }

const Grid& plain() {
  static const Grid grid({64, 64, 64}, {1, 1, 1});
  return grid;
}

// The values are those of train/ct.adrenal_mass/shape.py and ONNX Runtime for the same drawn shapes.
TEST(CtAdrenalMass, TwinOfTheRecipe) {
  const nn::ModelStore store = models();
  if (store.find("ct.adrenal_mass") == nullptr) GTEST_SKIP() << "no model ct.adrenal_mass";
  const Answer thin = judged(store, gland(plain(), 0, "left adrenal gland")),
               thick = judged(store, gland(plain(), 9, "ADRENAL"));
  EXPECT_NEAR(mass(thin), 0.0217717, 1e-5);
  EXPECT_NEAR(mass(thick), 0.9891907, 1e-5);
  EXPECT_EQ(std::get<Scores>(thin.artifacts[0].value)[0].label, "mass");
  const auto& numbers = std::get<Measurements>(thick.artifacts[1].value);
  EXPECT_NEAR(numbers.at(0).value, 8.797, 1e-9);
  EXPECT_NEAR(numbers.at(1).value, 17.11077, 1e-4);
  EXPECT_EQ(numbers.at(0).side, Side::left);
}

// inverse: the same gland in another place, turned and mirrored
TEST(CtAdrenalMass, DoesNotDependOnPlaceOrTurn) {
  const nn::ModelStore store = models();
  if (store.find("ct.adrenal_mass") == nullptr) GTEST_SKIP() << "no model ct.adrenal_mass";
  const Grid turned({70, 66, 80}, {1, 1, 1}, {70, -3, 64}, {{{0, 0, -1}, {1, 0, 0}, {0, -1, 0}}});
  EXPECT_NEAR(mass(judged(store, gland(turned, 9, "adrenal"))), mass(judged(store, gland(plain(), 9, "adrenal"))),
              1e-4);
}

TEST(CtAdrenalMass, SaysWhatIsMissing) {
  const nn::ModelStore store = models();
  LabelMap labels = gland(plain(), 0, "liver");
  labels.segments.push_back({8, 0, "spleen", {}, {}, Side::none, {}});
  EXPECT_THROW((void)judged(store, labels), Error);                    // two labels, none named adrenal
  EXPECT_THROW((void)judged(store, labels, {{"value", "9"}}), Error);  // no such label
  EXPECT_THROW((void)judged(store, labels, {{"value", "8"}}), Error);  // marks no voxel
}

}  // namespace
}  // namespace penta
