#pragma once

#include <cstdint>

#include "core/volume.h"

namespace penta::ct {

/// Air spaces of at least 40 mL inside `body` (not 0) that hold tissue between the air: median above -970 HU, judged
/// 4 mm inside. Voxels below -400 HU only: vessels are holes in it, airways that touch the lung are part of it.
/// Values are HU and finite; both on one grid.
[[nodiscard]] Volume<std::uint8_t> aerated_spaces(const Volume<float>& hu, const Volume<std::uint8_t>& body);

struct Lungs {
  Volume<std::uint8_t>
      labels;              ///< 1 right, 2 left; vessels and nodules on the wall inside, trachea and main bronchi not
  double airways_ml = 0;   ///< of trachea and main bronchi, as far as they have a wall of tissue
  bool any = false;        ///< there is a lung
  bool spine_seen = true;  ///< else the sides were told by the middle of the body
  bool cut_apart = false;  ///< left and right touched, and no erosion set them apart: cut at the spine
};

/// The lungs in a CT of any orientation. Sides lie on the two sides of the spine, which is where most bone lies along
/// the body's length. Values are HU and finite; both on one grid.
[[nodiscard]] Lungs find_lungs(const Volume<float>& hu, const Volume<std::uint8_t>& body);

}  // namespace penta::ct
