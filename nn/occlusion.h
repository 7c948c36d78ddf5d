#pragma once

#include "nn/judge.h"

namespace penta::nn {

/// The judgement, with a heat map made by covering: what was looked at is cut into `cells` cells along each axis, two by
/// two (by two) neighbours are covered with the channel's mean, and a cell's heat for a class is by how much its
/// probability falls, averaged over the covers that hold the cell (Zeiler and Fergus, ECCV 2014). For networks without a
/// heat map of their own; it runs the network (cells - 1)^dims times more.
[[nodiscard]] Judgement judge_with_occlusion(const ModelStore& models, const Bundle& bundle,
                                             std::span<const VolumeView<const float>> channels, const Control& control);

}  // namespace penta::nn
