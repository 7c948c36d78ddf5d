#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "nn/painter.h"

namespace penta::nn {

namespace {

constexpr std::int64_t lanes = 32;  // voxels whose logits stay in registers
constexpr std::int64_t together = 4;  // classes that share the reading of a feature

/// Best logits and labels of one group of voxels so far.
struct Best {
  std::array<float, lanes> value;
  std::array<std::int32_t, lanes> label;
};

// One body for every instruction set: always inlined into the functions below, which are compiled for one each.
template <std::int64_t group>
[[gnu::always_inline]] inline void logits_of(const Head& head, const float* values, std::int64_t stride, std::int64_t first,
                                             float (&sums)[group][lanes]) {
  for (std::int64_t g = 0; g < group; ++g)
    for (std::int64_t i = 0; i < lanes; ++i) sums[g][i] = head.bias[static_cast<std::size_t>(first + g)];
  for (std::int64_t f = 0; f < head.features; ++f) {
    const float* feature = values + f * stride;
    for (std::int64_t g = 0; g < group; ++g) {
      const float weight = head.weights[static_cast<std::size_t>((first + g) * head.features + f)];
      for (std::int64_t i = 0; i < lanes; ++i) sums[g][i] += weight * feature[i];
    }
  }
}

template <std::int64_t group>
[[gnu::always_inline]] inline void classes_of(const Decision& decision, const float* values, std::int64_t stride, std::int64_t first,
                                              Best& best) {
  alignas(64) float sums[group][lanes];
  if (decision.head != nullptr) {
    logits_of<group>(*decision.head, values, stride, first, sums);
  } else {
    for (std::int64_t g = 0; g < group; ++g)
      for (std::int64_t i = 0; i < lanes; ++i) sums[g][i] = values[(first + g) * stride + i];
  }
  const bool by_regions = !decision.regions.empty();
  for (std::int64_t g = 0; g < group; ++g) {
    const std::int64_t c = first + g;
    const std::int32_t label = by_regions ? decision.regions[static_cast<std::size_t>(c)]
                                          : static_cast<std::int32_t>(decision.classes == 1 ? 1 : c);
    for (std::int64_t i = 0; i < lanes; ++i) {
      const bool better = sums[g][i] > best.value[static_cast<std::size_t>(i)];
      best.label[static_cast<std::size_t>(i)] = better ? label : best.label[static_cast<std::size_t>(i)];
      // Regions may overlap: each is only held against the threshold.
      best.value[static_cast<std::size_t>(i)] = better && !by_regions ? sums[g][i] : best.value[static_cast<std::size_t>(i)];
    }
  }
}

[[gnu::always_inline]] inline void decide_group(const Decision& decision, const float* values, std::int64_t stride, Best& best) {
  const bool threshold = decision.classes == 1 || !decision.regions.empty();
  best.value.fill(threshold ? decision.above : -std::numeric_limits<float>::infinity());
  best.label.fill(0);
  std::int64_t c = 0;
  for (; c + together <= decision.classes; c += together) classes_of<together>(decision, values, stride, c, best);
  for (; c < decision.classes; ++c) classes_of<1>(decision, values, stride, c, best);
}

using Kernel = void (*)(const Decision&, const float*, std::int64_t, Best&);

void plain(const Decision& decision, const float* values, std::int64_t stride, Best& best) { decide_group(decision, values, stride, best); }
#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] void avx2(const Decision& decision, const float* values, std::int64_t stride, Best& best) {
  decide_group(decision, values, stride, best);
}
[[gnu::target("avx512f")]] void avx512(const Decision& decision, const float* values, std::int64_t stride, Best& best) {
  decide_group(decision, values, stride, best);
}
#endif

Kernel kernel() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2;
#endif
  return plain;
}

}  // namespace

void decide(const Decision& decision, const float* values, std::int64_t stride, std::int64_t channels, std::int64_t count,
            std::uint16_t* labels) {
  const Kernel run = kernel();
  alignas(64) Best best;
  std::vector<float> rest;
  for (std::int64_t i = 0; i < count; i += lanes) {
    const float* from = values + i;
    std::int64_t step = stride;
    if (i + lanes > stride) {
      // The last group reaches beyond the values: a copy of its own.
      rest.assign(static_cast<std::size_t>(channels * lanes), 0.F);
      for (std::int64_t c = 0; c < channels; ++c)
        std::copy_n(from + c * stride, std::min(lanes, count - i), rest.data() + c * lanes);
      from = rest.data();
      step = lanes;
    }
    run(decision, from, step, best);
    for (std::int64_t k = 0; k < std::min(lanes, count - i); ++k)
      labels[i + k] = static_cast<std::uint16_t>(best.label[static_cast<std::size_t>(k)]);
  }
}

void uncertain(const Decision& decision, const float* values, std::int64_t stride, std::int64_t count, float* out) {
  std::vector<double> all(static_cast<std::size_t>(decision.classes));
  const bool apart = decision.classes == 1 || !decision.regions.empty();
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t c = 0; c < decision.classes; ++c) {
      double& value = all[static_cast<std::size_t>(c)];
      value = static_cast<double>(values[decision.head == nullptr ? c * stride + i : i]);
      if (decision.head == nullptr) continue;
      value = static_cast<double>(decision.head->bias[static_cast<std::size_t>(c)]);
      for (std::int64_t f = 0; f < decision.head->features; ++f)
        value += static_cast<double>(decision.head->weights[static_cast<std::size_t>(c * decision.head->features + f)] * values[f * stride + i]);
    }
    double doubt = 0, sum = 0;
    const double top = *std::max_element(all.begin(), all.end());
    for (const double value : all) {
      const double p = decision.probabilities ? value : 1 / (1 + std::exp(-value / decision.temperature));
      if (apart) doubt = std::max(doubt, 1 - std::max(p, 1 - p));
      sum += decision.probabilities ? value : std::exp((value - top) / decision.temperature);
    }
    if (!apart) doubt = 1 - (decision.probabilities ? top : 1) / sum;
    out[i] = static_cast<float>(doubt);
  }
}

}  // namespace penta::nn
