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

Logits infer_once(const Network& network, std::span<const VolumeView<const float>> channels, const NetworkSpec& spec) {
  const Grid& grid = channels.front().grid;
  const Tensor plain = to_tensor(channels, spec.input);
  const Size3 padded = spatial(plain, spec.input.network_dims());
  const std::int64_t count = padded[0] * padded[1] * padded[2];
  Logits out{grid, static_cast<std::int64_t>(spec.classes.size()), {}};
  out.values.resize(static_cast<std::size_t>(out.classes * grid.count()));
  const std::vector<int> all = mirrorings(spec.mirror);
  const std::vector<std::string> names{spec.outputs.logits};
  for (const int axes : all) {
    // The padded image is turned over, so that what was padded lies at the low ends (as the recipes in train/ do it).
    Tensor turned = plain;
    for (std::size_t c = 0; c < channels.size(); ++c) flip(turned.values.data() + static_cast<std::int64_t>(c) * count, padded, axes);
    Tensor answer = std::move(network.run(turned, names).front());
    if (answer.shape.size() != plain.shape.size() || answer.shape[1] != out.classes ||
        spatial(answer, spec.input.network_dims()) != padded)
      refuse_output(network, "not one value for each class of its card and voxel");
    for (std::int64_t c = 0; c < out.classes; ++c) {
      float* one = answer.values.data() + c * count;
      flip(one, padded, axes);
      add_cut(one, padded, grid.size(), 1.F / static_cast<float>(all.size()), out.values.data() + c * grid.count());
    }
  }
  return out;
}

bool larger(const Size3& size, const Size3& patch) {
  return size[0] > patch[0] || size[1] > patch[1] || size[2] > patch[2];
}

/// Voxels below the image when it is padded to the patch, half on each side (nnU-Net's pad_nd_image).
Size3 low_padding(const Size3& size, const Size3& patch) {
  Size3 low{};
  for (std::size_t k = 0; k < 3; ++k) low[k] = std::max<std::int64_t>(0, patch[k] - size[k]) / 2;
  return low;
}

/// A part of `from` (which may reach beyond it) as a volume; 0 outside.
Volume<float> part(VolumeView<const float> from, const Size3& first, const Size3& size) {
  Volume<float> out(from.grid.cropped(first, size));
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x) {
        const Size3 at{first[0] + x, first[1] + y, first[2] + z};
        bool inside = true;
        for (std::size_t k = 0; k < 3; ++k) inside = inside && at[k] >= 0 && at[k] < from.grid.size()[k];
        if (inside) out.at(x, y, z) = from.at(at[0], at[1], at[2]);
      }
  return out;
}

Logits infer_centred(const Network& network, std::span<const VolumeView<const float>> channels, const NetworkSpec& spec) {
  const Grid& grid = channels.front().grid;
  const Size3 low = low_padding(grid.size(), *spec.input.patch);
  Size3 size{}, first{};
  for (std::size_t k = 0; k < 3; ++k) {
    size[k] = std::max(grid.size()[k], (*spec.input.patch)[k]);
    first[k] = -low[k];
  }
  std::vector<Volume<float>> padded;
  for (const VolumeView<const float>& channel : channels) padded.push_back(part(channel, first, size));
  NetworkSpec plain = spec;
  plain.input.padding = Padding::zero;
  const Logits all = infer(network, views_of(padded), plain);
  Logits out{grid, all.classes, {}};
  for (std::int64_t c = 0; c < all.classes; ++c) {
    const VolumeView<const float> one{all.grid, {all.of_class(c), static_cast<std::size_t>(all.grid.count())}};
    const Volume<float> inner = part(one, low, grid.size());
    out.values.insert(out.values.end(), inner.voxels().begin(), inner.voxels().end());
  }
  return out;
}

}  // namespace

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

std::vector<int> mirrorings(const std::vector<int>& axes) {
  std::vector<int> all{0};
  for (const int axis : axes)
    for (std::size_t i = 0, n = all.size(); i < n; ++i) all.push_back(all[i] | (1 << axis));
  return all;
}

Logits infer(const Network& network, VolumeView<const float> image, const NetworkSpec& spec) {
  return infer(network, std::span(&image, 1), spec);
}

Logits infer(const Network& network, std::span<const VolumeView<const float>> channels, const NetworkSpec& spec) {
  const Size3& size = channels.front().grid.size();
  if (spec.input.padding == Padding::zero_centred && spec.input.patch) return infer_centred(network, channels, spec);
  if (!spec.input.patch || !larger(size, *spec.input.patch)) return infer_once(network, channels, spec);
  return sliding_window(channels, *spec.input.patch, spec.input.overlap,
                        [&](std::span<const VolumeView<const float>> window) { return infer_once(network, window, spec); });
}

std::vector<double> infer_whole(const Network& network, VolumeView<const float> image, const NetworkSpec& spec) {
  std::vector<double> scores(spec.classes.size());
  const std::vector<int> all = mirrorings(spec.mirror);
  const Tensor plain = to_tensor(image, spec.input);
  for (const int axes : all) {
    Tensor turned = plain;
    flip(turned.values.data(), spatial(plain, spec.input.network_dims()), axes);
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

Volume<std::uint16_t> regions_on(const Logits& logits, const Grid& grid, const std::vector<int>& regions, float above) {
  Volume<std::uint16_t> labels(grid);
  const auto to = labels.voxels();
  for (std::int64_t c = 0; c < logits.classes; ++c) {
    const VolumeView<const float> one{logits.grid, {logits.of_class(c), static_cast<std::size_t>(logits.grid.count())}};
    const Volume<float> values = resample_linear(one, grid, -std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < to.size(); ++i)
      if (values.voxels()[i] > above) to[i] = static_cast<std::uint16_t>(regions[static_cast<std::size_t>(c)]);
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
