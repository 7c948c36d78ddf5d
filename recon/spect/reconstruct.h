#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/raw_data.h"
#include "core/volume.h"
#include "recon/operators/spect_projector.h"

namespace penta::recon {

/// The camera of some projections, with an ideal collimator.
/// Throws Error{bad_input} where sizes, spacings, angles and layers do not fit each other.
[[nodiscard]] CameraGeometry camera_of(const Projections& projections);

/// The grid of what is reconstructed: LPS, x to the patient's left, y to the back, z to the head; the axis of rotation
/// at x = y = 0; the slices where the camera's rows were.
[[nodiscard]] Grid reconstruction_grid(const Projections& projections);

/// Counts of one energy window (from 0), of one gate or summed over all of them.
/// Throws Error{bad_input} where there is no such window or gate.
[[nodiscard]] std::vector<float> counts_of(const Projections& projections, int window, std::optional<int> gate);

struct SpectOptions {
  int iterations = 8, subsets = 6;
  double sigma_mm = 0, sigma_slope = 0;  ///< collimator model, see CameraGeometry
};

/// Ordered-subset reconstruction without attenuation or scatter correction. A voxel's value is the counts that all views together
/// caught of it: the sum of the volume is the sum of the counts.
[[nodiscard]] Volume<float> reconstruct(const Projections& projections, std::span<const float> counts,
                                        const SpectOptions& options, const std::function<void(int, int)>& progress = {});

}  // namespace penta::recon
