#pragma once

#include <functional>
#include <span>
#include <vector>

#include "recon/operators/operator.h"

namespace penta::recon {

/// A part of the measurement and the operator that makes it from the image.
struct Subset {
  const Operator* model = nullptr;
  std::span<const float> measured;  ///< counts >= 0
};

/// Poisson likelihood by expectation maximisation over ordered subsets (Hudson and Larkin 1994; one subset: MLEM,
/// Shepp and Vardi 1982, eq. 2.13). Starts from an even image; what no subset sees stays 0. The image is in counts a
/// voxel for one measurement element of weight 1: sum(A image) approaches sum(measured).
/// `progress(done, all)` after each subset may throw to stop. Throws Error{bad_input} on sizes that do not fit.
[[nodiscard]] std::vector<float> osem(std::span<const Subset> subsets, int iterations,
                                      const std::function<void(int, int)>& progress = {});

}  // namespace penta::recon
