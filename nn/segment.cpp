#include "nn/segment.h"

#include "nn/logits.h"
#include "nn/postprocess.h"
#include "nn/preprocess.h"

namespace penta::nn {

float threshold_of(const NetworkSpec& spec) noexcept {
  if (spec.probabilities) return static_cast<float>(spec.threshold);
  return static_cast<float>(spec.temperature.value_or(1.0)) * logit_of(spec.threshold);
}

Volume<std::uint16_t> segment(const ModelStore& models, const Bundle& bundle,
                              std::span<const VolumeView<const float>> channels, const Control& control) {
  const NetworkSpec& spec = bundle.network;
  const std::vector<const Network*> networks = models.networks(bundle);
  control.check_cancelled();
  const std::vector<Volume<float>> seen = prepared(channels, spec.input);
  Logits logits = infer(*networks.front(), views_of(seen), spec);
  for (std::size_t i = 1; i < networks.size(); ++i) {
    control.check_cancelled();
    const Logits more = infer(*networks[i], views_of(seen), spec);
    for (std::size_t k = 0; k < logits.values.size(); ++k) logits.values[k] += more.values[k];
  }
  for (float& v : logits.values) v /= static_cast<float>(networks.size());
  Volume<std::uint16_t> labels = spec.regions.empty()
                                     ? labels_on(logits, channels.front().grid, threshold_of(spec))
                                     : regions_on(logits, channels.front().grid, spec.regions, threshold_of(spec));
  if (spec.largest_component) keep_largest(labels, spec.fill_holes);
  return labels;
}

}  // namespace penta::nn
