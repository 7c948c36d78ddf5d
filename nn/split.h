#pragma once

#include <cstdint>

#include "core/json.h"
#include "core/volume.h"
#include "nn/logits.h"

namespace penta::nn {

/// Two classes of one structure that meet in a plane: `network.split` of a card. Class 0 is what is neither.
struct PlaneSplit {
  std::size_t axis = 1;  ///< of the network's grid: 0 x, 1 y, 2 z
  int low = 2, high = 1;  ///< the classes on the plane's low and high side
};

/// Reads {"axis": "y", "low": NAME, "high": NAME}, names of `classes`. Throws Error{bad_input} that names what is wrong.
[[nodiscard]] PlaneSplit plane_split_from(const Json& json, const std::vector<std::string>& classes);

/// The first index along the axis on the high side: where the difference of the two classes' probabilities, summed over
/// all voxels of the high side less those of the low side, is largest (the first such). 0 to the size of that axis.
[[nodiscard]] std::int64_t split_at(const Logits& logits, const PlaneSplit& split);

/// Labels at the voxel centres of `grid`: 0 where class 0 is likelier than the other two together (logits interpolated as
/// in labels_on), else the class of the plane's side. Logits of three classes.
[[nodiscard]] Volume<std::uint16_t> labels_split(const Logits& logits, const PlaneSplit& split, const Grid& grid);

}  // namespace penta::nn
