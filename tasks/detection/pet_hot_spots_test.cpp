#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_detection_pet_hot_spots();

namespace {

struct Ball {
  PatientPoint centre;
  double radius_mm, suv;
};

Image balls(const std::vector<Ball>& list) {
  Volume<float> suv(Grid({60, 60, 40}, {4, 4, 4}));
  for (std::int64_t z = 0; z < 40; ++z)
    for (std::int64_t y = 0; y < 60; ++y)
      for (std::int64_t x = 0; x < 60; ++x) {
        suv.at(x, y, z) = 1;
        for (const Ball& b : list)
          if (distance(suv.grid().to_patient({double(x), double(y), double(z)}), b.centre) <= b.radius_mm)
            suv.at(x, y, z) = static_cast<float>(b.suv);
      }
  Image image;
  VolumeSequence sequence;
  sequence.emplace_back(std::move(suv));
  image.pixels = std::move(sequence);
  image.unit = "g/mL";
  image.acquisition.modality = "PET";
  return image;
}

Answer run(const Image& image, const std::map<std::string, std::string>& settings = {}) {
  const auto method = make_detection_pet_hot_spots();
  const Input inputs[] = {{"pet", &image}};
  const Params params(method->card(), settings);
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

const Findings& findings_of(const Answer& answer) { return std::get<Findings>(answer.artifacts.at(0).value); }
bool said(const Answer& answer, std::string_view code) {
  return std::any_of(answer.remarks.begin(), answer.remarks.end(), [&](const Remark& r) { return r.code == code; });
}

TEST(PetHotSpots, PhantomBallsByFallingUptakeWithTheirNumbers) {
  const Answer answer = run(balls({{{60, 60, 80}, 10, 12}, {{160, 160, 80}, 24, 8}, {{60, 160, 80}, 20, 3}}));
  const Findings& findings = findings_of(answer);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_NEAR(findings[0].centre.x, 160, 4.1);
  EXPECT_EQ(findings[0].region, "hot part 1");
  EXPECT_NEAR(findings[1].centre.y, 60, 4.1);
  EXPECT_GT(findings[0].score, findings[1].score);
  EXPECT_NEAR(findings[1].size, 20, 4.1);
  const auto& all = std::get<Measurements>(answer.artifacts.at(1).value);
  const auto it = std::find_if(all.begin(), all.end(), [](const Measurement& m) { return m.region == "hot part 2" && m.name == "SUVmax"; });
  ASSERT_NE(it, all.end());
  EXPECT_DOUBLE_EQ(it->value, 12);
}

TEST(PetHotSpots, NothingHotTooManyAndNothingFinite) {
  EXPECT_TRUE(said(run(balls({})), "no_hot_spot"));
  const Answer one = run(balls({{{60, 60, 80}, 10, 12}, {{160, 160, 80}, 24, 8}}), {{"most", "1"}});
  EXPECT_EQ(findings_of(one).size(), 1U);
  EXPECT_TRUE(said(one, "more_hot_spots"));
  Image image = balls({});
  for (float& v : std::get<Volume<float>>(std::get<VolumeSequence>(image.pixels).at(0)).voxels())
    v = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW((void)run(image), Error);
}

}  // namespace
}  // namespace penta
