#pragma once

#include <cmath>
#include <vector>

#include "core/grid.h"

/// Directions of test grids; for tests only.
namespace penta::io::dicom {

inline Matrix3 turned(double angle_z, double angle_x) {
  const double c = std::cos(angle_z), s = std::sin(angle_z), k = std::cos(angle_x), t = std::sin(angle_x);
  return {{{c, -s * k, s * t}, {s, c * k, -c * t}, {0, t, k}}};
}

/// Twelve orientations: axis permutations with flips (left-handed ones too) and obliques.
inline std::vector<Matrix3> orientations() {
  return {{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
          {{{-1, 0, 0}, {0, -1, 0}, {0, 0, 1}}},
          {{{1, 0, 0}, {0, 1, 0}, {0, 0, -1}}},
          {{{0, 0, 1}, {1, 0, 0}, {0, 1, 0}}},
          {{{0, 0, -1}, {1, 0, 0}, {0, -1, 0}}},
          {{{1, 0, 0}, {0, 0, 1}, {0, -1, 0}}},
          {{{0, 1, 0}, {0, 0, 1}, {1, 0, 0}}},
          {{{0, -1, 0}, {0, 0, -1}, {1, 0, 0}}},
          {{{0, 1, 0}, {1, 0, 0}, {0, 0, 1}}},
          turned(0.3, 0.0),
          turned(0.2, 0.5),
          turned(-1.1, 2.0)};
}

}  // namespace penta::io::dicom
