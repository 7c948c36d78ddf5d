#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_recognition_spect_study();

namespace {

template <class Data>
Answer run(const Data& data, const char* role) {
  const auto method = make_recognition_spect_study();
  const Input inputs[] = {{role, &data}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

std::vector<std::string> labels_of(const Answer& answer) {
  std::vector<std::string> labels;
  for (const Score& score : std::get<Scores>(answer.artifacts.at(0).value)) labels.push_back(score.label);
  return labels;
}

// A ball at the middle in each of 30 views; from view 12 on it lies `moved` pixels higher.
RawData study(int moved) {
  Projections p;
  p.columns = p.rows = 32;
  p.spacing_mm = {6, 6};
  p.layers.resize(1);
  for (int v = 0; v < 30; ++v) {
    p.angle_deg.push_back(6.0 * v);
    for (int i = 0; i < 1024; ++i) {
      const double x = i % 32 - 16, y = i / 32 - 16 - (v >= 12 ? moved : 0);
      p.layers[0].push_back(static_cast<float>(100 * std::exp(-(x * x + y * y) / 18)));
    }
  }
  RawData raw;
  raw.value = std::move(p);
  raw.acquisition.modality = "SPECT";
  SpectFacts facts;
  facts.isotope = {"^99m^Technetium", ""};
  facts.energy_windows = {{"", 126, 154}};
  raw.acquisition.facts = facts;
  return raw;
}

TEST(SpectStudyMethod, PhantomMotionIsSaidWithItsViewAndSize) {
  EXPECT_EQ(labels_of(run(study(0), "raw")), (std::vector<std::string>{"tomographic projections", "Tc-99m"}));
  const Answer answer = run(study(1), "raw");
  EXPECT_EQ(labels_of(answer), (std::vector<std::string>{"tomographic projections", "Tc-99m", "patient motion"}));
  ASSERT_EQ(answer.remarks.size(), 1U);
  EXPECT_EQ(answer.remarks[0].code, "patient_motion");
  EXPECT_EQ(
      answer.remarks[0].text,
      "from view 13 of 30 on the counts lie 1.0 pixels (6.0 mm) further along the patient than in the views beside");
}

TEST(SpectStudyMethod, FilesWithoutAHeaderAndOtherModalities) {
  RawData raw = study(0);
  raw.acquisition.facts = {};
  EXPECT_EQ(run(raw, "raw").remarks.at(0).code, "no_header");
  raw.acquisition.modality = "PET";
  EXPECT_THROW((void)run(raw, "raw"), Error);
}

}  // namespace
}  // namespace penta
