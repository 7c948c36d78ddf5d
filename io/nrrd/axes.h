#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/points.h"
#include "core/remark.h"

namespace penta::io::nrrd {

/// Field (lower case) to what stands behind ": ".
using Fields = std::map<std::string, std::string>;

/// One axis of the array, fastest first.
struct Axis {
  std::int64_t size = 1;
  bool spatial = false;
  Vector3 step_mm{};  ///< LPS; of a spatial axis
  std::string kind;   ///< lower case; empty where not given
};

/// The axes, and where the first voxel lies.
struct Axes {
  std::vector<Axis> all;
  Vector3 origin_mm{};  ///< LPS
  bool in_mm = true;    ///< false: neither space directions nor spacings
};

/// Reads sizes, kinds, space, space directions, space origin, space units, spacings. `doing` starts every message
/// ("reading NRRD 'a.nrrd': "). Throws Error{bad_input} that names the field.
[[nodiscard]] Axes axes_of(const Fields& fields, const std::string& doing, std::vector<Remark>& remarks);

}  // namespace penta::io::nrrd
