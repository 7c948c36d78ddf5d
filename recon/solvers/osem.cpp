#include "recon/solvers/osem.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace penta::recon {

namespace {

using Values = std::vector<float>;

Values sensitivity_of(const Operator& model) {
  const Values ones(static_cast<std::size_t>(model.measurement_size()), 1.F);
  Values seen(static_cast<std::size_t>(model.image_size()));
  model.adjoint(ones, seen);
  return seen;
}

// An element that the model cannot reach (expected 0) says nothing of the image.
void ratio(std::span<const float> measured, std::span<float> expected) noexcept {
  for (std::size_t i = 0; i < expected.size(); ++i)
    expected[i] = expected[i] > 1e-12F ? measured[i] / expected[i] : 0.F;
}

void check(std::span<const Subset> subsets) {
  if (subsets.empty()) throw Error(Code::bad_input, "reconstructing: there is no measurement");
  for (const Subset& subset : subsets) {
    if (static_cast<std::int64_t>(subset.measured.size()) != subset.model->measurement_size())
      throw Error(Code::bad_input, "reconstructing: a subset's counts do not fit its operator");
    for (const float value : subset.measured)
      if (!(value >= 0) || !std::isfinite(value)) throw Error(Code::bad_input, "reconstructing: counts must be >= 0");
  }
}

Values even_start(std::span<const Subset> subsets, std::span<const Values> sensitivities) {
  double counts = 0, reach = 0;
  for (const Subset& subset : subsets) counts = std::accumulate(subset.measured.begin(), subset.measured.end(), counts);
  Values seen(sensitivities[0].size(), 0.F);
  for (const Values& one : sensitivities)
    for (std::size_t i = 0; i < seen.size(); ++i) seen[i] += one[i];
  for (const float value : seen) reach += value;
  const auto level = static_cast<float>(reach > 0 ? counts / reach : 0);
  for (float& value : seen) value = value > 0 ? level : 0.F;
  return seen;
}

}  // namespace

std::vector<float> osem(std::span<const Subset> subsets, int iterations, const std::function<void(int, int)>& progress) {
  check(subsets);
  std::vector<Values> sensitivities;
  for (const Subset& subset : subsets) sensitivities.push_back(sensitivity_of(*subset.model));
  Values image = even_start(subsets, sensitivities);
  Values change(image.size());
  const int all = iterations * static_cast<int>(subsets.size());
  int done = 0;
  for (int iteration = 0; iteration < iterations; ++iteration)
    for (std::size_t s = 0; s < subsets.size(); ++s) {
      Values expected(subsets[s].measured.size());
      subsets[s].model->forward(image, expected);
      ratio(subsets[s].measured, expected);
      subsets[s].model->adjoint(expected, change);
      for (std::size_t i = 0; i < image.size(); ++i)
        if (sensitivities[s][i] > 1e-6F) image[i] *= change[i] / sensitivities[s][i];
      if (progress) progress(++done, all);
    }
  return image;
}

}  // namespace penta::recon
