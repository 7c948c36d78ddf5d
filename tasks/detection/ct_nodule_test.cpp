#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/random.h"
#include "core/test_data.h"
#include "modality/ct/nodule.h"
#include "nn/bundle.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_detection_ct_nodule(const nn::ModelStore& models);

namespace {

const Grid& grid() {
  static const Grid value({72, 64, 48}, {1.5, 1.5, 2}, {-100, -90, 300});
  return value;
}

const PatientPoint ball{-60, -40, 340};

double distance(const PatientPoint& a, const PatientPoint& b) {
  return std::hypot(std::hypot(a.x - b.x, a.y - b.y), a.z - b.z);
}

// phantom: one lung (an ellipsoid), in it a ball of 10 mm and a vessel of 5 mm that crosses it
bool in_lung(const PatientPoint& p) {
  return std::hypot(std::hypot((p.x + 46) / 46, (p.y + 42) / 42), (p.z - 348) / 44) <= 1;
}

Image chest() {
  Volume<float> hu(grid());
  Random random(5);
  for (std::int64_t z = 0; z < 48; ++z)
    for (std::int64_t y = 0; y < 64; ++y)
      for (std::int64_t x = 0; x < 72; ++x) {
        const PatientPoint p = grid().to_patient({double(x), double(y), double(z)});
        const double nodule = std::clamp((5 - distance(p, ball)) / 1.5 + 0.5, 0.0, 1.0);
        const double vessel = std::clamp((2.5 - std::hypot(p.x + 35, p.z - 350)) / 1.5 + 0.5, 0.0, 1.0);
        hu.at(x, y, z) =
            static_cast<float>((in_lung(p) ? -860 + 900 * std::max(nodule, vessel) : 40) + 10 * random.normal());
      }
  VolumeSequence sequence;
  sequence.emplace_back(std::move(hu));
  Image image;
  image.pixels = std::move(sequence);
  image.unit = "[hnsf'U]";
  return image;
}

LabelMap lungs(bool any) {
  LabelMap labels;
  labels.layers.emplace_back(grid());
  for (std::int64_t z = 0; z < 48; ++z)
    for (std::int64_t y = 0; y < 64; ++y)
      for (std::int64_t x = 0; x < 72; ++x)
        labels.layers[0].at(x, y, z) = any && in_lung(grid().to_patient({double(x), double(y), double(z)})) ? 1 : 0;
  return labels;
}

Answer found(const nn::ModelStore& models, const LabelMap& where, const std::map<std::string, std::string>& settings) {
  const Image image = chest();
  const MethodPtr method = make_detection_ct_nodule(models);
  const Input inputs[] = {{"image", &image}, {"lungs", &where}};
  const Params params(method->card(), settings);
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

TEST(CtNodule, PhantomBallIsDescribedAsABallAndAVesselAsATube) {
  const Answer answer = found(nn::ModelStore({}), lungs(true), {{"numbers", "true"}});
  const auto& table = std::get<Table>(answer.artifacts.at(0).value);
  ASSERT_EQ(table.columns.size(), 4 + ct::spot_numbers);
  ASSERT_FALSE(table.rows.empty());
  bool ball_seen = false, vessel_seen = false;
  for (const auto& row : table.rows) {
    const auto number = [&](std::size_t k) { return std::stod(row.at(k)); };
    const PatientPoint p{number(0), number(1), number(2)};
    const double wide = number(4 + 29), narrow = number(4 + 30);  // of the mean of d d^T: 1/3 each for a ball
    if (distance(p, ball) < 1.5 && std::abs(number(3) - 5) < 0.8) {
      ball_seen = true;
      EXPECT_LT(wide, 0.38);
      EXPECT_GT(narrow, 0.28);
    }
    if (std::hypot(p.x + 35, p.z - 350) < 1.5 && std::abs(p.y + 42) < 25) {
      vessel_seen = true;
      EXPECT_GT(wide, 0.42);
    }
  }
  EXPECT_TRUE(ball_seen);
  EXPECT_TRUE(vessel_seen || table.rows.size() == 1);
}

TEST(CtNodule, PhantomTheBallComesFirst) {
  const nn::ModelStore store({repository_root() / "models"});
  if (store.find("ct.nodule") == nullptr) GTEST_SKIP() << "no model ct.nodule";
  const Answer answer = found(store, lungs(true), {});
  const auto& findings = std::get<Findings>(answer.artifacts.at(0).value);
  ASSERT_FALSE(findings.empty());
  EXPECT_LT(distance(findings[0].centre, ball), 2);
  EXPECT_NEAR(findings[0].size, 10, 1.6);
  EXPECT_NEAR(findings[0].box[3] - findings[0].box[0], findings[0].size, 1e-9);
}

TEST(CtNodule, WithoutLungsNothingIsFoundAndItIsSaid) {
  const Answer answer = found(nn::ModelStore({}), lungs(false), {});
  EXPECT_TRUE(std::get<Findings>(answer.artifacts.at(0).value).empty());
  ASSERT_EQ(answer.remarks.size(), 1U);
  EXPECT_EQ(answer.remarks[0].code, "no_lungs");
}

}  // namespace
}  // namespace penta
