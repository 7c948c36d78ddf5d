#include "nn/logits.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/parallel.h"
#include "image/resample/resample.h"
#include "nn/preprocess.h"
#include "nn/sliding_window.h"

namespace penta::nn {

namespace {

/// values[..., z, y, x] of one channel turned over along the axes set in `axes` (bit 0 x, 1 y, 2 z).
void flip(float* values, const Size3& size, int axes) {
  const auto swap_lines = [&](std::int64_t a, std::int64_t b, std::int64_t n) {
    std::swap_ranges(values + a, values + a + n, values + b);
  };
  const std::int64_t plane = size[0] * size[1];
  if ((axes & 1) != 0)
    for (std::int64_t line = 0; line < size[1] * size[2]; ++line)
      std::reverse(values + line * size[0], values + (line + 1) * size[0]);
  if ((axes & 2) != 0)
    for (std::int64_t z = 0; z < size[2]; ++z)
      for (std::int64_t y = 0; y < size[1] / 2; ++y)
        swap_lines(z * plane + y * size[0], z * plane + (size[1] - 1 - y) * size[0], size[0]);
  if ((axes & 4) != 0)
    for (std::int64_t z = 0; z < size[2] / 2; ++z) swap_lines(z * plane, (size[2] - 1 - z) * plane, plane);
}

/// Every combination of the card's mirror axes, the plain image first.
std::vector<int> mirrorings(const std::vector<int>& axes) {
  std::vector<int> all{0};
  for (const int axis : axes)
    for (std::size_t i = 0, n = all.size(); i < n; ++i) all.push_back(all[i] | (1 << axis));
  return all;
}

Size3 spatial(const Tensor& tensor, int dims) {
  const auto& s = tensor.shape;
  return dims == 3 ? Size3{s[4], s[3], s[2]} : Size3{s[3], s[2], 1};
}

[[noreturn]] void refuse_output(const Network& network, const char* why) {
  throw Error(Code::model_missing, "the model '" + network.name() + "' gives " + why);
}

/// Adds `weight` times the part of `padded` values that lies in the image to `sum`.
void add_cut(const float* values, const Size3& padded, const Size3& size, float weight, float* sum) {
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y) {
      const float* from = values + padded[0] * (y + padded[1] * z);
      float* to = sum + size[0] * (y + size[1] * z);
      for (std::int64_t x = 0; x < size[0]; ++x) to[x] += weight * from[x];
    }
}

Logits infer_once(const Network& network, VolumeView<const float> image, const NetworkSpec& spec) {
  const Tensor plain = to_tensor(image, spec.input);
  const Size3 padded = spatial(plain, spec.input.dims);
  Logits out{image.grid, static_cast<std::int64_t>(spec.classes.size()), {}};
  out.values.resize(static_cast<std::size_t>(out.classes * image.grid.count()));
  const std::vector<int> all = mirrorings(spec.mirror);
  for (const int axes : all) {
    // The padded image is turned over, so that what was padded lies at the low ends (as the recipes in train/ do it).
    Tensor turned = plain;
    flip(turned.values.data(), padded, axes);
    Tensor answer = network.run(turned);
    if (answer.shape.size() != plain.shape.size() || answer.shape[1] != out.classes ||
        spatial(answer, spec.input.dims) != padded)
      refuse_output(network, "not one value for each class of its card and voxel");
    for (std::int64_t c = 0; c < out.classes; ++c) {
      float* one = answer.values.data() + c * padded[0] * padded[1] * padded[2];
      flip(one, padded, axes);
      add_cut(one, padded, image.grid.size(), 1.F / static_cast<float>(all.size()),
              out.values.data() + c * image.grid.count());
    }
  }
  return out;
}

bool larger(const Size3& size, const Size3& patch) {
  return size[0] > patch[0] || size[1] > patch[1] || size[2] > patch[2];
}

}  // namespace

Logits infer(const Network& network, VolumeView<const float> image, const NetworkSpec& spec) {
  if (!spec.input.patch || !larger(image.grid.size(), *spec.input.patch)) return infer_once(network, image, spec);
  return sliding_window(image, *spec.input.patch,
                        [&](VolumeView<const float> window) { return infer_once(network, window, spec); });
}

std::vector<double> infer_whole(const Network& network, VolumeView<const float> image, const NetworkSpec& spec) {
  std::vector<double> scores(spec.classes.size());
  const std::vector<int> all = mirrorings(spec.mirror);
  const Tensor plain = to_tensor(image, spec.input);
  for (const int axes : all) {
    Tensor turned = plain;
    flip(turned.values.data(), spatial(plain, spec.input.dims), axes);
    const Tensor answer = network.run(turned);
    if (answer.values.size() != scores.size()) refuse_output(network, "not one value for each class of its card");
    for (std::size_t c = 0; c < scores.size(); ++c)
      scores[c] += static_cast<double>(answer.values[c]) / static_cast<double>(all.size());
  }
  return scores;
}

Volume<std::uint16_t> labels_on(const Logits& logits, const Grid& grid, float above) {
  Volume<std::uint16_t> labels(grid);
  const auto to = labels.voxels();
  // Slabs of a few slices: each class is interpolated onto the slab and compared with the best so far.
  constexpr std::int64_t slab_voxels = 1 << 20;
  const std::int64_t plane = grid.size()[0] * grid.size()[1];
  const std::int64_t depth = std::clamp<std::int64_t>(slab_voxels / plane, 1, grid.size()[2]);
  constexpr float nowhere = -std::numeric_limits<float>::infinity();
  for (std::int64_t z = 0; z < grid.size()[2]; z += depth) {
    const Grid slab = grid.cropped({0, 0, z}, {grid.size()[0], grid.size()[1], std::min(depth, grid.size()[2] - z)});
    std::vector<float> best(static_cast<std::size_t>(slab.count()), logits.classes == 1 ? above : nowhere);
    std::uint16_t* out = to.data() + z * plane;
    for (std::int64_t c = 0; c < logits.classes; ++c) {
      const VolumeView<const float> one{logits.grid, {logits.of_class(c), static_cast<std::size_t>(logits.grid.count())}};
      const Volume<float> values = resample_linear(one, slab, nowhere);
      const auto label = static_cast<std::uint16_t>(logits.classes == 1 ? 1 : c);
      for (std::size_t i = 0; i < best.size(); ++i)
        if (const float v = values.voxels()[i]; v > best[i]) {
          best[i] = v;
          out[i] = label;
        }
    }
  }
  return labels;
}

void to_probabilities(Logits& logits) {
  const std::int64_t count = logits.grid.count();
  if (logits.classes == 1) {
    for (float& v : logits.values) v = 1.F / (1.F + std::exp(-v));
    return;
  }
  parallel_for(count, 1 << 14, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      float top = logits.values[static_cast<std::size_t>(i)], sum = 0;
      for (std::int64_t c = 1; c < logits.classes; ++c) top = std::max(top, logits.values[static_cast<std::size_t>(i + c * count)]);
      for (std::int64_t c = 0; c < logits.classes; ++c) {
        float& v = logits.values[static_cast<std::size_t>(i + c * count)];
        sum += v = std::exp(v - top);
      }
      for (std::int64_t c = 0; c < logits.classes; ++c) logits.values[static_cast<std::size_t>(i + c * count)] /= sum;
    }
  });
}

std::vector<double> softmax(const std::vector<double>& scores, double temperature) {
  if (scores.size() == 1) return {1 / (1 + std::exp(-scores[0] / temperature))};
  std::vector<double> out(scores);
  const double top = *std::max_element(out.begin(), out.end());
  double sum = 0;
  for (double& v : out) sum += v = std::exp((v - top) / temperature);
  for (double& v : out) v /= sum;
  return out;
}

float logit_of(double probability) noexcept { return static_cast<float>(std::log(probability / (1 - probability))); }

}  // namespace penta::nn
