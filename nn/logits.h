#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/volume.h"
#include "nn/engine.h"
#include "nn/network_spec.h"

namespace penta::nn {

/// What a network says of each voxel of the grid that it saw: values[c][z][y][x].
struct Logits {
  Grid grid;
  std::int64_t classes = 1;
  std::vector<float> values;

  [[nodiscard]] const float* of_class(std::int64_t c) const noexcept { return values.data() + c * grid.count(); }
};

/// Runs the network on a prepared() image: padded and cut back, its mirror images averaged in, and through a sliding
/// window where the image is larger than the card's patch. Throws Error{model_missing} where the network does
/// not give one value a class and voxel.
[[nodiscard]] Logits infer(const Network& network, VolumeView<const float> image, const NetworkSpec& spec);

/// The same for all channels of a network.
[[nodiscard]] Logits infer(const Network& network, std::span<const VolumeView<const float>> channels, const NetworkSpec& spec);
/// The same for networks that give one value a class and image. Mirror images are averaged in.
[[nodiscard]] std::vector<double> infer_whole(const Network& network, VolumeView<const float> image,
                                              const NetworkSpec& spec);

/// Every combination of mirror axes as bits (1 x, 2 y, 4 z), the plain image first.
[[nodiscard]] std::vector<int> mirrorings(const std::vector<int>& axes);
/// values[z][y][x] turned over along the axes set in `axes` (bits as above).
void flip(float* values, const Size3& size, int axes);
/// Labels at the voxel centres of `grid`: the class of the largest linearly interpolated logit (0 the first class), or
/// with a single class 1 where its logit is above `above`. Held at the edge for half a voxel; beyond that 0.
/// Slab by slab: nothing of the size classes x grid is made.
[[nodiscard]] Volume<std::uint16_t> labels_on(const Logits& logits, const Grid& grid, float above = 0);

/// Labels of overlapping outputs: the last of `spec.regions` whose interpolated logit is above `above`, else 0.
[[nodiscard]] Volume<std::uint16_t> regions_on(const Logits& logits, const Grid& grid, const std::vector<int>& regions, float above);

/// Softmax over the classes (a single one: sigmoid against the rest), in place.
void to_probabilities(Logits& logits);
/// Probabilities of whole-image scores divided by `temperature` first.
[[nodiscard]] std::vector<double> softmax(const std::vector<double>& scores, double temperature);
/// The logit of a probability in (0, 1).
[[nodiscard]] float logit_of(double probability) noexcept;

}  // namespace penta::nn
