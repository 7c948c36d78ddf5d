#include "tasks/network_method.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "nn/bundle.h"
#include "nn/logits.h"
#include "nn/postprocess.h"
#include "nn/preprocess.h"
#include "tasks/finite.h"

namespace penta {

namespace {

/// A picture as a volume of one slice, one pixel a unit: the network's grid then also lies in pixels.
Volume<float> picture_volume(const Frame2d& frame) {
  Volume<float> volume(Grid({frame.width, frame.height, 1}, {1, 1, 1}));
  const std::vector<float> grey = frame.grey();
  std::copy(grey.begin(), grey.end(), volume.voxels().begin());
  return volume;
}

Volume<std::uint16_t> segmented(VolumeView<const float> image, const nn::Network& network, const nn::NetworkSpec& spec) {
  const Volume<float> seen = nn::prepared(image, spec.input);
  nn::Logits logits = nn::infer(network, seen.view(), spec);
  const double temperature = spec.temperature.value_or(1.0);
  const float above = spec.probabilities ? static_cast<float>(spec.threshold)
                                         : static_cast<float>(temperature) * nn::logit_of(spec.threshold);
  Volume<std::uint16_t> labels = nn::labels_on(logits, image.grid, above);
  if (spec.largest_component) nn::keep_largest(labels, spec.fill_holes);
  return labels;
}

class NetworkMethod final : public Method {
 public:
  NetworkMethod(const nn::ModelStore& models, const nn::Bundle& bundle)
      : models_(models), bundle_(bundle), card_(completed(bundle)) {}

  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    const Image& image = request.need<Image>(card_.inputs.front().role);
    const nn::Network& network = models_.network(bundle_);
    Answer answer;
    std::int64_t replaced = 0;
    if (card_.task != Task::segmentation)
      answer.artifacts.push_back({card_.outputs.front().role, scores(image, network, request.control, replaced)});
    else
      answer.artifacts.push_back({card_.outputs.front().role, labels(image, network, request.control, replaced)});
    say_non_finite(replaced, "of the image", "the smallest finite value is taken there", answer.remarks);
    return answer;
  }

 private:
  static Card completed(const nn::Bundle& bundle) {
    Card card = bundle.card;
    if (card.inputs.empty()) {
      InputRole input;
      input.role = "image";
      input.text = bundle.network.input.dims == 3 ? "one volume" : "a picture, or the frames of a cine";
      card.inputs.push_back(std::move(input));
    }
    if (card.outputs.empty()) {
      const bool segments = card.task == Task::segmentation;
      card.outputs.push_back({segments ? "labels" : "scores", segments ? "labels" : "scores", "", "", {}});
    }
    if (card.gate.kinds.empty()) card.gate.kinds = {bundle.network.input.dims == 3 ? "volume" : "frames"};
    if (card.determinism.empty()) card.determinism = "The same labels for any number of threads (one fixed layout).";
    return card;
  }

  /// What the network is to see, finite everywhere; `replaced` counts on.
  Volume<float> finite(Volume<float> volume, std::int64_t& replaced) const {
    replaced += replace_non_finite(volume.voxels(), card_.id);
    return volume;
  }

  LabelMap labels(const Image& image, const nn::Network& network, const Control& control, std::int64_t& replaced) const {
    LabelMap map;
    map.segments = bundle_.network.segments;
    map.acquisition = image.acquisition;
    if (bundle_.network.input.dims == 3) {
      control.report(0, card_.id);
      const Volume<float> volume = finite(to_float(image.volume()), replaced);
      map.layers.push_back(segmented(volume.view(), network, bundle_.network));
      return map;
    }
    const FrameSequence& frames = image.frames();
    if (frames.empty()) throw Error(Code::bad_input, card_.id + ": the image has no frame");
    const Frame2d& first = frames.front();
    map.planar = true;
    map.layers.emplace_back(Grid({first.width, first.height, static_cast<std::int64_t>(frames.size())}, {1, 1, 1}));
    auto to = map.layers.front().voxels().begin();
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (frames[i].width != first.width || frames[i].height != first.height)
        throw Error(Code::bad_input, card_.id + ": the frames differ in size");
      control.report(static_cast<double>(i) / static_cast<double>(frames.size()), card_.id);
      const Volume<float> picture = finite(picture_volume(frames[i]), replaced);
      const Volume<std::uint16_t> one = segmented(picture.view(), network, bundle_.network);
      to = std::copy(one.voxels().begin(), one.voxels().end(), to);
    }
    return map;
  }

  /// Frames of a long cine that are looked at, evenly spread: neighbours hardly differ.
  static constexpr std::size_t frames_max = 32;

  Scores scores(const Image& image, const nn::Network& network, const Control& control, std::int64_t& replaced) const {
    const nn::NetworkSpec& spec = bundle_.network;
    std::vector<double> mean(std::max<std::size_t>(spec.classes.size(), 2));
    std::size_t count = 1;
    const auto add = [&](Volume<float> given) {
      const Volume<float> volume = finite(std::move(given), replaced);
      const Volume<float> seen = nn::prepared(volume.view(), spec.input);
      std::vector<double> p = nn::infer_whole(network, seen.view(), spec);
      if (!spec.probabilities) p = nn::softmax(p, spec.temperature.value_or(1.0));
      if (p.size() == 1) p.push_back(1 - p[0]);
      for (std::size_t c = 0; c < p.size(); ++c) mean[c] += p[c];
    };
    if (spec.input.dims == 3) {
      add(to_float(image.volume()));
    } else {
      const FrameSequence& frames = image.frames();
      if (frames.empty()) throw Error(Code::bad_input, card_.id + ": the image has no frame");
      count = std::min(frames.size(), frames_max);
      for (std::size_t i = 0; i < count; ++i) {
        control.report(static_cast<double>(i) / static_cast<double>(count), card_.id);
        add(picture_volume(frames[i * frames.size() / count]));
      }
    }
    Scores scores;
    for (std::size_t c = 0; c < mean.size(); ++c) {
      Score score;
      score.label = c < spec.classes.size() ? spec.classes[c] : "other";
      // Only a temperature on the card says that a probability was calibrated.
      if (spec.temperature) score.probability = mean[c] / static_cast<double>(count);
      scores.push_back(std::move(score));
    }
    return sorted(std::move(scores), mean);
  }

  static Scores sorted(Scores scores, const std::vector<double>& by) {
    std::vector<std::size_t> order(scores.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return by[a] > by[b]; });
    Scores out;
    for (const std::size_t i : order) out.push_back(std::move(scores[i]));
    return out;
  }

  const nn::ModelStore& models_;
  const nn::Bundle& bundle_;
  Card card_;
};

}  // namespace

std::vector<MethodPtr> make_network_methods(const nn::ModelStore& models) {
  std::vector<MethodPtr> methods;
  for (const nn::Bundle& bundle : models.bundles()) {
    if (!bundle.fault.empty() || !bundle.network.used_by.empty()) continue;
    const Task task = bundle.card.task;
    if (task == Task::segmentation || task == Task::recognition || task == Task::classification)
      methods.push_back(std::make_unique<NetworkMethod>(models, bundle));
  }
  return methods;
}

}  // namespace penta
