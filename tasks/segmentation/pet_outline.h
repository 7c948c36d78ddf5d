#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/volume.h"
#include "nn/bundle.h"

namespace penta {

/// A box along the index axes of an image, in mm from the outer face of its first voxel.
struct BoxMm {
  std::array<double, 3> low{}, high{};
};

/// The lesion that the network models/pet.lesion sees about a box that says roughly where it is: offsets of its voxels,
/// rising; empty where it sees none. `suv` is finite. train/pet.lesion/train.py is the definition: a grid of 5 mm over
/// the box and 25 mm around it (sides multiples of 8 voxels, 24 at least, edge values held), SUV and the distance to
/// the box go in; the logits are interpolated, and the largest part (faces) of what is above 0 is kept.
[[nodiscard]] std::vector<std::int64_t> outlined(const nn::ModelStore& models, const Volume<float>& suv,
                                                 const BoxMm& box);

}  // namespace penta
