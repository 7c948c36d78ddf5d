#include "nn/sliding_window.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace penta::nn {

namespace {

std::vector<double> gaussian(std::int64_t n) {
  std::vector<double> weights(static_cast<std::size_t>(n));
  const double middle = static_cast<double>(n - 1) / 2, deviation = static_cast<double>(n) / 8;
  for (std::int64_t i = 0; i < n; ++i) {
    const double d = (static_cast<double>(i) - middle) / deviation;
    // Corners of a window would otherwise weigh nothing in float32.
    weights[static_cast<std::size_t>(i)] = std::max(std::exp(-0.5 * d * d), 1e-4);
  }
  return weights;
}

Volume<float> cut(VolumeView<const float> image, const Size3& first, const Size3& size) {
  Volume<float> out(image.grid.cropped(first, size));
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      std::copy_n(&image.at(first[0], first[1] + y, first[2] + z), size[0], &out.at(0, y, z));
  return out;
}

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
            const auto weight = static_cast<float>(w[0][static_cast<std::size_t>(x)] * wyz);
            sum[x] += c < 0 ? weight : weight * from[x];
          }
        }
  }
};

}  // namespace

std::vector<std::int64_t> window_starts(std::int64_t size, std::int64_t patch) {
  if (size <= patch) return {0};
  const std::int64_t step = std::max<std::int64_t>(1, patch / 2);
  const std::int64_t steps = (size - patch + step - 1) / step;
  std::vector<std::int64_t> starts;
  for (std::int64_t i = 0; i <= steps; ++i) starts.push_back((size - patch) * i / steps);
  return starts;
}

Logits sliding_window(VolumeView<const float> image, const Size3& patch,
                      const std::function<Logits(VolumeView<const float>)>& run) {
  Sums sums{{image.grid, 0, {}}, std::vector<float>(image.voxels.size())};
  Size3 size{};
  std::array<std::vector<double>, 3> weights;
  for (std::size_t k = 0; k < 3; ++k) {
    size[k] = std::min(patch[k], image.grid.size()[k]);
    weights[k] = gaussian(size[k]);
  }
  for (const std::int64_t z : window_starts(image.grid.size()[2], size[2]))
    for (const std::int64_t y : window_starts(image.grid.size()[1], size[1]))
      for (const std::int64_t x : window_starts(image.grid.size()[0], size[0])) {
        const Volume<float> window = cut(image, {x, y, z}, size);
        const Logits logits = run(window.view());
        if (sums.logits.classes == 0) {
          sums.logits.classes = logits.classes;
          sums.logits.values.resize(static_cast<std::size_t>(logits.classes) * image.voxels.size());
        }
        sums.add(logits, {x, y, z}, weights);
      }
  for (std::size_t i = 0; i < sums.logits.values.size(); ++i) sums.logits.values[i] /= sums.weights[i % sums.weights.size()];
  return std::move(sums.logits);
}

}  // namespace penta::nn
