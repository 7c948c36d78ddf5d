#pragma once

#include <cstddef>
#include <vector>

#include "nn/judge.h"
#include "tasks/method.h"

namespace penta {

/// A picture as a volume of one slice, one pixel a unit: the network's grid then also lies in pixels.
[[nodiscard]] Volume<float> picture_volume(const Frame2d& frame);

/// The heat of one class on a grid, 0 (nothing of it) to 1 (its highest), where the network looked; else 0.
[[nodiscard]] Volume<float> heat_on(const nn::Judgement& judgement, std::size_t label, const Grid& grid);

/// "heat_map": a grey picture on the pixels of `picture` (one slice), 255 the hottest place; "heat_overlay": the same
/// over the picture.
[[nodiscard]] std::vector<Artifact> heat_artifacts(const nn::Judgement& judgement, std::size_t label, const Volume<float>& picture);

}  // namespace penta
