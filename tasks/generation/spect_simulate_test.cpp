#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/parallel.h"
#include "recon/simulate/spect.h"
#include "recon/spect/reconstruct.h"
#include "tasks/method.h"

namespace penta {

MethodPtr make_generation_spect_simulate();

namespace {

Answer run(std::uint64_t seed, const std::map<std::string, std::string>& settings) {
  const auto method = make_generation_spect_simulate();
  const Params params(method->card(), settings);
  Workspace workspace;
  Control control;
  control.seed = seed;
  return method->run({{}, {}, params, workspace, control});
}

const Projections& views_of(const Answer& answer) {
  return std::get<Projections>(std::get<RawData>(answer.artifacts.at(0).value).value);
}

TEST(SpectSimulate, CountsArePoissonPhantom) {
  // Two seeds of one body: the same expected counts, other noise. A difference of two Poisson numbers has the variance of their sum.
  recon::Patient patient = recon::digital_patient(2);
  recon::SpectProtocol protocol;
  protocol.views = 4;
  protocol.counts = 4e5;
  const Projections a = recon::simulate_spect(patient, protocol);
  patient.seed = 99;
  const Projections b = recon::simulate_spect(patient, protocol);
  double square = 0, sum = 0;
  for (std::size_t i = 0; i < a.layers[0].size(); ++i) {
    const double d = static_cast<double>(a.layers[0][i]) - static_cast<double>(b.layers[0][i]);
    square += d * d;
    sum += static_cast<double>(a.layers[0][i]) + static_cast<double>(b.layers[0][i]);
  }
  EXPECT_NEAR(sum / 8e5, 1, 0.01);
  EXPECT_NEAR(square / sum, 1, 0.05);
}

TEST(SpectSimulate, HeartLightsUpWhereItWasDrawn) {
  const Answer answer = run(1, {{"views", "30"}});
  const Projections& views = views_of(answer);
  const auto& labels = std::get<LabelMap>(answer.artifacts.at(1).value);
  const Volume<float> volume = recon::reconstruct(views, views.layers[0], {6, 5});
  ASSERT_TRUE(volume.grid().same_as(labels.grid()));
  const auto mean = [&](std::string_view name) {
    double sum = 0, count = 0;
    const int value = labels.find(name)->value;
    for (std::size_t i = 0; i < volume.voxels().size(); ++i)
      if (labels.layers[0].voxels()[i] == value) sum += static_cast<double>(volume.voxels()[i]), ++count;
    return sum / count;
  };
  EXPECT_GT(mean("myocardium"), 1.7 * mean("heart chambers"));
  EXPECT_GT(mean("myocardium"), 4 * mean("lung left"));
  EXPECT_GT(mean("liver"), 2 * mean("lung right"));
}

TEST(SpectSimulate, TheSameSeedGivesTheSameCountsForAnyNumberOfThreads) {
  const Answer many = run(4, {{"views", "8"}});
  const ThreadLimit limit(1);
  const Answer one = run(4, {{"views", "8"}});
  EXPECT_EQ(views_of(many).layers, views_of(one).layers);
  const RawData& raw = std::get<RawData>(one.artifacts.at(0).value);
  EXPECT_TRUE(raw.acquisition.synthetic);
  EXPECT_EQ(raw.acquisition.modality, "SPECT");
  EXPECT_EQ(raw.sha256.size(), 64U);
}

}  // namespace
}  // namespace penta
