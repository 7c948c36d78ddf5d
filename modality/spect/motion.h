#pragma once

#include <cstddef>
#include <vector>

#include "core/raw_data.h"

namespace penta::spect {

/// Where the patient lies otherwise than in the views before.
struct Motion {
  std::size_t view = 0;   ///< index into Projections::angle_deg: the first view that is shifted
  double axial_px = 0;    ///< by how many pixels, towards rising rows; 0 where it is the lateral shift that was found
  double lateral_px = 0;  ///< towards rising columns
  bool one_view = false;  ///< this view alone; else all from here on
};

/// Finds shifts of about one pixel and more from view to view of one energy window, gates summed. Views are compared
/// with their neighbours on the same head (steps of the same angle): the sum over columns of each row hardly depends on
/// the angle, so that axial shifts show as a displacement of that profile; lateral ones of a single view as one of the
/// sums over rows against both neighbours. Displacements are those of least squares (parabola through the best whole
/// pixel), less the running median over seven views at each side. What is above 0.55 pixels (a step), 0.5 (one view,
/// axial) or 0.5 (one view, lateral) is listed, in the order of views. Slow creep and lateral steps are not found.
[[nodiscard]] std::vector<Motion> motion_of(const Projections& views, int window = 0);

}  // namespace penta::spect
