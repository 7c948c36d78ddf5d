#include "tasks/network_method.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/card_json.h"
#include "nn/bundle.h"
#include "nn/judge.h"
#include "nn/occlusion.h"
#include "nn/segment.h"
#include "tasks/finite.h"
#include "tasks/heat.h"

namespace penta {

namespace {

/// What a judged image gives.
struct Verdict {
  std::vector<double> mean;  ///< probabilities over the frames that were looked at
  std::vector<nn::Abstention> abstentions;
  std::size_t count = 0;
};

class NetworkMethod final : public Method {
 public:
  NetworkMethod(const nn::ModelStore& models, const nn::Bundle& bundle)
      : models_(models), bundle_(bundle), card_(completed(bundle)) {}

  const Card& card() const noexcept override { return card_; }

  Answer run(const Request& request) const override {
    Answer answer;
    say_precision(answer.remarks);
    std::int64_t replaced = 0;
    if (card_.task != Task::segmentation)
      judge(request, answer, replaced);
    else
      segment(request, answer, replaced);
    say_non_finite(replaced, "of the image", "the smallest finite value is taken there", answer.remarks);
    return answer;
  }

 private:
  static Card completed(const nn::Bundle& bundle) {
    Card card = bundle.card;
    const nn::InputSpec& spec = bundle.network.input;
    for (const std::string& role : roles_of(spec)) {
      if (card.input(role) != nullptr) continue;
      InputRole input;
      input.role = role;
      input.text = spec.dims == 3 ? "one volume" : "a picture, or the frames of a cine";
      card.inputs.push_back(std::move(input));
    }
    if (card.outputs.empty()) {
      const bool segments = card.task == Task::segmentation;
      card.outputs.push_back({segments ? "labels" : "scores", segments ? "labels" : "scores", "", "", {}});
    }
    if (card.gate.kinds.empty()) card.gate.kinds = {spec.dims == 3 ? "volume" : "frames"};
    add_parameter(card);
    if (card.determinism.empty()) card.determinism = "The same labels for any number of threads (one fixed layout).";
    complete_json(card);
    return card;
  }

  /// What every network of a task can do more than its card says.
  static void add_parameter(Card& card) {
    Parameter parameter;
    if (card.task == Task::segmentation) {
      parameter.name = "uncertainty";
      parameter.type = "flag";
      parameter.default_value = false;
      parameter.text = "also an image of 1 less the probability of the label (of volumes)";
    } else {
      parameter.name = "heat_map";
      parameter.type = "choice";
      parameter.choices = {"auto", "occlusion", "none"};
      parameter.default_value = "auto";
      parameter.text = "where the most probable label is seen: the network's own map where it has one, or by covering parts";
    }
    if (card.parameter(parameter.name) == nullptr) card.parameters.push_back(std::move(parameter));
  }

  /// In channel order. A card of one unnamed channel calls its input as its `inputs` do.
  static std::vector<std::string> roles_of(const nn::InputSpec& spec) {
    std::vector<std::string> roles;
    for (const nn::Channel& channel : spec.channels) roles.push_back(channel.role);
    return roles.empty() ? std::vector<std::string>{"image"} : roles;
  }

  void say_precision(std::vector<Remark>& remarks) const {
    if (bundle_.network.precision == nn::Precision::bf16 && models_.network(bundle_).precision() != nn::Precision::bf16)
      remarks.push_back({Severity::note, "precision", card_.id + ": this processor has no bfloat16, float32 was used"});
  }

  /// The image of each channel. Throws Error{bad_input} that names the role of a missing one.
  std::vector<const Image*> images(const Request& request) const {
    std::vector<const Image*> found;
    const nn::InputSpec& spec = bundle_.network.input;
    if (spec.channels.size() <= 1) {
      const std::string role = spec.channels.empty() ? card_.inputs.front().role : spec.channels.front().role;
      return {&request.need<Image>(role)};
    }
    for (const nn::Channel& channel : spec.channels) found.push_back(&request.need<Image>(channel.role));
    return found;
  }

  /// What the network is to see, finite everywhere; `replaced` counts on.
  Volume<float> finite(Volume<float> volume, std::int64_t& replaced) const {
    replaced += replace_non_finite(volume.voxels(), card_.id);
    return volume;
  }

  std::vector<Volume<float>> volumes(const Request& request, std::int64_t& replaced) const {
    std::vector<Volume<float>> all;
    for (const Image* image : images(request)) all.push_back(finite(to_float(image->volume()), replaced));
    return all;
  }

  /// Looks at what volumes() gave.
  static std::vector<VolumeView<const float>> views(const std::vector<Volume<float>>& all) {
    std::vector<VolumeView<const float>> out;
    for (const Volume<float>& volume : all) out.push_back(volume.view());
    return out;
  }

  /// Of the images as they were read: a float copy is made only of one with values that are not finite.
  Volume<std::uint16_t> volume_labels(const Request& request, nn::SegmentExtra& extra, std::int64_t& replaced) const {
    std::vector<AnyVolume> changed;
    std::vector<const AnyVolume*> channels;
    const std::vector<const Image*> given = images(request);
    changed.reserve(given.size());
    for (const Image* image : given) {
      const AnyVolume& volume = image->volume();
      const auto* floats = std::get_if<Volume<float>>(&volume);
      const bool holed = floats != nullptr && count_non_finite(floats->voxels()) > 0;
      if (holed) changed.emplace_back(finite(floats->clone(), replaced));
      channels.push_back(holed ? &changed.back() : &volume);
    }
    return nn::segment(models_, bundle_, channels, request.control, &extra);
  }

  const FrameSequence& frames(const Request& request) const {
    const FrameSequence& all = images(request).front()->frames();
    if (all.empty()) throw Error(Code::bad_input, card_.id + ": the image has no frame");
    return all;
  }

  void segment(const Request& request, Answer& answer, std::int64_t& replaced) const {
    nn::SegmentExtra extra;
    extra.want_uncertainty = request.params.is_set("uncertainty") && request.params.flag("uncertainty");
    answer.artifacts.push_back({card_.outputs.front().role, labels(request, extra, replaced)});
    if (extra.uncertainty)
      answer.artifacts.push_back({"uncertainty", image_like(*images(request).front(), std::move(*extra.uncertainty), "1")});
  }

  LabelMap labels(const Request& request, nn::SegmentExtra& extra, std::int64_t& replaced) const {
    LabelMap map;
    map.segments = bundle_.network.segments;
    map.acquisition = images(request).front()->acquisition;
    if (bundle_.network.input.dims == 3) {
      request.control.report(0, card_.id);
      map.layers.push_back(volume_labels(request, extra, replaced));
      return map;
    }
    const FrameSequence& all = frames(request);
    const Frame2d& first = all.front();
    map.planar = true;
    map.layers.emplace_back(Grid({first.width, first.height, static_cast<std::int64_t>(all.size())}, {1, 1, 1}));
    auto to = map.layers.front().voxels().begin();
    const Control quiet;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].width != first.width || all[i].height != first.height)
        throw Error(Code::bad_input, card_.id + ": the frames differ in size");
      request.control.report(static_cast<double>(i) / static_cast<double>(all.size()), card_.id);
      const Volume<float> picture = finite(picture_volume(all[i]), replaced);
      const auto view = picture.view();
      const Volume<std::uint16_t> one = nn::segment(models_, bundle_, std::span(&view, 1), quiet);
      to = std::copy(one.voxels().begin(), one.voxels().end(), to);
    }
    return map;
  }

  /// Frames of a long cine that are looked at, evenly spread: neighbours hardly differ.
  static constexpr std::size_t frames_max = 32;

  void add(const nn::Judgement& judgement, Verdict& verdict) const {
    verdict.mean.resize(judgement.probabilities.size());
    for (std::size_t c = 0; c < verdict.mean.size(); ++c) verdict.mean[c] += judgement.probabilities[c];
    if (const auto why = nn::abstention(bundle_.network, judgement)) verdict.abstentions.push_back(*why);
    ++verdict.count;
  }

  nn::Judgement judged(const Request& request, const std::vector<VolumeView<const float>>& channels) const {
    const std::string how = request.params.is_set("heat_map") ? request.params.text("heat_map") : "auto";
    if (how == "occlusion") return nn::judge_with_occlusion(models_, bundle_, channels, request.control);
    nn::Judgement judgement = nn::judge(models_, bundle_, channels);
    if (how == "none") judgement.heat.clear();
    return judgement;
  }

  void judge(const Request& request, Answer& answer, std::int64_t& replaced) const {
    Verdict verdict;
    std::vector<Artifact> heat;
    if (bundle_.network.input.dims == 3) {
      request.control.report(0, card_.id);
      const std::vector<Volume<float>> channels = volumes(request, replaced);
      const nn::Judgement judgement = judged(request, views(channels));
      add(judgement, verdict);
      if (!judgement.heat.empty()) {
        Volume<float> map = heat_on(judgement, top_of(verdict.mean), channels.front().grid());
        heat.push_back({"heat_map", image_like(*images(request).front(), std::move(map), "1")});
      }
    } else {
      judge_frames(request, verdict, heat, replaced);
    }
    for (double& p : verdict.mean) p /= static_cast<double>(verdict.count);
    answer.artifacts.push_back({card_.outputs.front().role, scores(verdict, answer.remarks)});
    std::move(heat.begin(), heat.end(), std::back_inserter(answer.artifacts));
  }

  /// Of a cine the heat map is that of the frame in which the class that it shows is the most probable of all.
  void judge_frames(const Request& request, Verdict& verdict, std::vector<Artifact>& heat, std::int64_t& replaced) const {
    const FrameSequence& all = frames(request);
    const std::size_t count = std::min(all.size(), frames_max);
    double highest = -1;
    for (std::size_t i = 0; i < count; ++i) {
      request.control.report(static_cast<double>(i) / static_cast<double>(count), card_.id);
      const Volume<float> picture = finite(picture_volume(all[i * all.size() / count]), replaced);
      const auto view = picture.view();
      const nn::Judgement judgement = judged(request, {view});
      add(judgement, verdict);
      const std::size_t top = top_of(judgement.probabilities);
      if (judgement.heat.empty() || judgement.probabilities[top] <= highest) continue;
      highest = judgement.probabilities[top];
      heat = heat_artifacts(judgement, top, picture);
    }
  }

  static std::size_t top_of(const std::vector<double>& p) {
    return static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
  }

  /// Without probabilities where most of what was looked at was no case for the network.
  Scores scores(const Verdict& verdict, std::vector<Remark>& remarks) const {
    const nn::NetworkSpec& spec = bundle_.network;
    const bool abstain = 2 * verdict.abstentions.size() > verdict.count;
    if (abstain) {
      const nn::Abstention& first = verdict.abstentions.front();
      remarks.push_back({Severity::warning, first.code, card_.id + " gives no probability: " + first.why});
    }
    Scores scores;
    for (std::size_t c = 0; c < verdict.mean.size(); ++c) {
      Score score;
      score.label = c < spec.classes.size() ? spec.classes[c] : "other";
      // Only a temperature on the card says that a probability was calibrated.
      if (spec.temperature && !abstain) score.probability = verdict.mean[c];
      scores.push_back(std::move(score));
    }
    return sorted(std::move(scores), verdict.mean);
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
