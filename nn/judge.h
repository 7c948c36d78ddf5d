#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/control.h"
#include "core/volume.h"
#include "nn/bundle.h"

namespace penta::nn {

/// What a network says of a whole image.
struct Judgement {
  std::vector<double> probabilities;  ///< one a class (a single class: p, 1 - p); softmax or sigmoid, temperature applied
  std::optional<double> strangeness;  ///< the output "ood": above the card's ood.threshold the network knows no such images
  std::vector<float> heat;            ///< the output "cam" [classes, y, x]: where each class was seen; may be empty
  Size3 heat_size{};                  ///< x, y, z of `heat`
  std::optional<Grid> heat_grid;      ///< where `heat` lies in the image (its outer faces are those of what was looked at)
};

/// Judges an image of finite values: prepares it as the card says, sends it through the backbone where there is one,
/// averages mirror images and the networks of an ensemble, divides by the temperature.
/// Throws Error{model_missing} where the network does not give one value a class.
[[nodiscard]] Judgement judge(const ModelStore& models, const Bundle& bundle, VolumeView<const float> image);
/// The same for a network of several channels, in the card's order.
[[nodiscard]] Judgement judge(const ModelStore& models, const Bundle& bundle, std::span<const VolumeView<const float>> channels);

/// The same of channels that are prepared() already.
[[nodiscard]] Judgement judge_prepared(const ModelStore& models, const Bundle& bundle, const std::vector<Volume<float>>& seen);

/// Why this judgement is no answer, as a sentence without an end: the image is strange to the network, or no class is
/// probable enough. None where it is one.
struct Abstention {
  std::string code;  ///< "out_of_distribution" or "undecided"
  std::string why;
};
[[nodiscard]] std::optional<Abstention> abstention(const NetworkSpec& spec, const Judgement& judgement);

}  // namespace penta::nn
