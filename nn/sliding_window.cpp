#include "nn/sliding_window.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "nn/body.h"
#include "nn/preprocess.h"

namespace penta::nn {

namespace {

/// Sums of weighted logits and of weights on the image's grid.
struct Sums {
  Logits logits;
  std::vector<float> weights;

  void add(const Logits& window, const Size3& first, const std::array<std::vector<double>, 3>& w) {
    const Size3& n = window.grid.size();
    for (std::int64_t c = -1; c < window.classes; ++c)
      for (std::int64_t z = 0; z < n[2]; ++z)
        for (std::int64_t y = 0; y < n[1]; ++y) {
          const std::int64_t to = logits.grid.offset(first[0], first[1] + y, first[2] + z);
          const double wyz = w[1][static_cast<std::size_t>(y)] * w[2][static_cast<std::size_t>(z)];
          float* sum = c < 0 ? weights.data() + to : logits.values.data() + c * logits.grid.count() + to;
          const float* from = c < 0 ? nullptr : window.of_class(c) + window.grid.offset(0, y, z);
          for (std::int64_t x = 0; x < n[0]; ++x) {
            const float weight = window_weight(w[0][static_cast<std::size_t>(x)] * wyz);
            sum[x] += c < 0 ? weight : weight * from[x];
          }
        }
  }
};

}  // namespace

std::vector<std::int64_t> window_starts(std::int64_t size, std::int64_t patch, double overlap) {
  if (size <= patch) return {0};
  const double step = static_cast<double>(patch) * (1 - overlap);
  const auto steps = static_cast<std::int64_t>(std::ceil(static_cast<double>(size - patch) / step));
  const double actual = static_cast<double>(size - patch) / static_cast<double>(steps);
  std::vector<std::int64_t> starts;
  for (std::int64_t i = 0; i <= steps; ++i) starts.push_back(std::llrint(actual * static_cast<double>(i)));
  return starts;
}

std::vector<double> gaussian_weights(std::int64_t n) {
  std::vector<double> weights(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    const double d = static_cast<double>(i - n / 2) * 8 / static_cast<double>(n);
    weights[static_cast<std::size_t>(i)] = std::exp(-0.5 * d * d);
  }
  return weights;
}

Logits sliding_window(std::span<const VolumeView<const float>> channels, const Size3& patch, double overlap,
                      const std::function<Logits(std::span<const VolumeView<const float>>)>& run) {
  const Grid& grid = channels.front().grid;
  Sums sums{{grid, 0, {}}, std::vector<float>(static_cast<std::size_t>(grid.count()))};
  Size3 size{};
  std::array<std::vector<double>, 3> weights;
  for (std::size_t k = 0; k < 3; ++k) {
    size[k] = std::min(patch[k], grid.size()[k]);
    weights[k] = gaussian_weights(size[k]);
  }
  for (const std::int64_t z : window_starts(grid.size()[2], size[2], overlap))
    for (const std::int64_t y : window_starts(grid.size()[1], size[1], overlap))
      for (const std::int64_t x : window_starts(grid.size()[0], size[0], overlap)) {
        std::vector<Volume<float>> window;
        for (const VolumeView<const float>& channel : channels) window.push_back(cut(channel, Box{{x, y, z}, size}));
        const Logits logits = run(views_of(window));
        if (sums.logits.classes == 0) {
          sums.logits.classes = logits.classes;
          sums.logits.values.resize(static_cast<std::size_t>(logits.classes * grid.count()));
        }
        sums.add(logits, {x, y, z}, weights);
      }
  for (std::size_t i = 0; i < sums.logits.values.size(); ++i) sums.logits.values[i] /= sums.weights[i % sums.weights.size()];
  return std::move(sums.logits);
}

}  // namespace penta::nn
