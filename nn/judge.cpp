#include "nn/judge.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/error.h"
#include "nn/cubic.h"
#include "nn/logits.h"
#include "nn/preprocess.h"

namespace penta::nn {

namespace {

Size3 spatial_size(const std::vector<std::int64_t>& shape) {
  Size3 size{1, 1, 1};
  for (std::size_t k = 0; k < 3 && k + 2 < shape.size(); ++k) size[k] = shape[shape.size() - 1 - k];
  return size;
}

[[noreturn]] void refuse_output(const Network& network, const char* why) {
  throw Error(Code::model_missing, "the model '" + network.name() + "' gives " + why);
}

/// The outputs asked of a network; which of them are which.
struct Wanted {
  std::vector<std::string> names;
  std::size_t ood = 0, cam = 0;  ///< 0: not there (the first output is the logits)
};

Wanted wanted_of(const Network& network, const OutputNames& names) {
  Wanted wanted{{names.logits}, 0, 0};
  const auto add = [&](const std::string& name, std::string_view usual) -> std::size_t {
    // A name on the card must be there; the usual name may be.
    const std::string asked = name.empty() ? std::string(usual) : name;
    if (name.empty() && !network.has_output(asked)) return 0;
    wanted.names.push_back(asked);
    return wanted.names.size() - 1;
  };
  wanted.ood = add(names.ood, "ood");
  wanted.cam = add(names.cam, "cam");
  return wanted;
}

/// Sums of what the passes (mirrors times networks) gave.
struct Sums {
  std::vector<double> scores;
  double strangeness = 0;
  std::vector<float> heat;
  Size3 heat_size{};

  void add(const Network& network, const Wanted& wanted, std::vector<Tensor> answers, int axes) {
    if (answers.front().values.size() != scores.size()) refuse_output(network, "not one value for each class of its card");
    for (std::size_t c = 0; c < scores.size(); ++c) scores[c] += static_cast<double>(answers.front().values[c]);
    if (wanted.ood > 0) strangeness += static_cast<double>(answers[wanted.ood].values.front());
    if (wanted.cam == 0) return;
    Tensor& cam = answers[wanted.cam];
    heat_size = spatial_size(cam.shape);
    const std::int64_t count = heat_size[0] * heat_size[1] * heat_size[2];
    if (cam.values.size() != scores.size() * static_cast<std::size_t>(count)) refuse_output(network, "no heat map of its classes");
    heat.resize(cam.values.size());
    for (std::size_t c = 0; c < scores.size(); ++c) flip(cam.values.data() + static_cast<std::int64_t>(c) * count, heat_size, axes);
    for (std::size_t i = 0; i < heat.size(); ++i) heat[i] += cam.values[i];
  }
};

}  // namespace

Judgement judge(const ModelStore& models, const Bundle& bundle, VolumeView<const float> image) {
  return judge(models, bundle, std::span(&image, 1));
}

Judgement judge(const ModelStore& models, const Bundle& bundle, std::span<const VolumeView<const float>> channels) {
  return judge_prepared(models, bundle, prepared(channels, bundle.network.input));
}

Judgement judge_prepared(const ModelStore& models, const Bundle& bundle, const std::vector<Volume<float>>& seen) {
  const NetworkSpec& spec = bundle.network;
  const std::vector<const Network*> networks = models.networks(bundle);
  const Network* backbone = models.backbone(bundle);
  const Tensor plain = to_tensor(views_of(seen), spec.input);
  const Size3 padded = spatial_size(plain.shape);
  const std::vector<int> all = mirrorings(spec.mirror);
  Sums sums{std::vector<double>(spec.classes.size()), 0, {}, {}};
  bool strange = false;
  for (const int axes : all) {
    Tensor turned = plain;
    for (std::size_t c = 0; c < seen.size(); ++c)
      flip(turned.values.data() + static_cast<std::int64_t>(c) * padded[0] * padded[1] * padded[2], padded, axes);
    if (backbone != nullptr) turned = std::move(backbone->run(turned, std::span(&spec.backbone->output, 1)).front());
    for (const Network* network : networks) {
      network->prepare(turned.shape);
      const Wanted wanted = wanted_of(*network, spec.outputs);
      strange = wanted.ood > 0;
      sums.add(*network, wanted, network->run(turned, wanted.names), axes);
    }
  }
  const double passes = static_cast<double>(all.size() * networks.size());
  for (double& v : sums.scores) v /= passes;
  Judgement judgement;
  judgement.probabilities = spec.probabilities ? sums.scores : softmax(sums.scores, spec.temperature.value_or(1.0));
  if (judgement.probabilities.size() == 1) judgement.probabilities.push_back(1 - judgement.probabilities[0]);
  if (strange) judgement.strangeness = sums.strangeness / passes;
  for (float& v : sums.heat) v /= static_cast<float>(passes);
  judgement.heat = std::move(sums.heat);
  judgement.heat_size = sums.heat_size;
  if (!judgement.heat.empty()) {
    // What was padded at the high ends is part of what the heat map covers.
    const Grid looked_at = seen.front().grid().cropped({}, padded);
    judgement.heat_grid = same_extent(looked_at, judgement.heat_size);
  }
  return judgement;
}

std::optional<Abstention> abstention(const NetworkSpec& spec, const Judgement& judgement) {
  std::array<char, 120> text{};
  if (spec.ood_threshold && judgement.strangeness && *judgement.strangeness > *spec.ood_threshold) {
    std::snprintf(text.data(), text.size(), "the image is unlike those that it knows (%.3g, its limit is %.3g)",
                  *judgement.strangeness, *spec.ood_threshold);
    return Abstention{"out_of_distribution", text.data()};
  }
  const double top = *std::max_element(judgement.probabilities.begin(), judgement.probabilities.end());
  if (spec.abstain_below && top < *spec.abstain_below) {
    std::snprintf(text.data(), text.size(), "no class reaches a probability of %.2g (the highest has %.2g)",
                  *spec.abstain_below, top);
    return Abstention{"undecided", text.data()};
  }
  return std::nullopt;
}

}  // namespace penta::nn
