#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "recon/operators/operator.h"

namespace penta::recon {

/// Where a parallel-hole camera stood. Angles as in core/raw_data.h: 0 = detector at the patient's back,
/// counter-clockwise seen from the feet.
struct CameraGeometry {
  std::int64_t columns = 0, rows = 0;
  std::array<double, 2> spacing_mm{};  ///< along columns (transaxial) and rows (axial)
  std::vector<double> angle_deg;       ///< one a view
  std::vector<double> radius_mm;       ///< detector to axis, one a view; may be empty without a collimator model
  /// Standard deviation of the point response at distance d from the detector: sigma_mm + sigma_slope * d
  /// (Gaussian; Metz, Atkins and Beck 1980). Both 0: ideal collimator.
  double sigma_mm = 0, sigma_slope = 0;
};

/// Rotates the image into the detector's frame (bilinear), blurs each depth plane as the collimator does and adds
/// the planes up (Zeng and Gullberg 1992). No attenuation. The image has columns x columns x rows voxels, x fastest:
/// x to the patient's left, y to the back, third axis along the detector's rows, voxels of spacing_mm[0] and [1].
/// It is seen inside the circle that every view sees; voxels outside take no part.
/// The measurement is counts[column + columns * (row + rows * k)] for the k-th of `views`.
class SpectProjector final : public Operator {
 public:
  /// Throws Error{bad_input} where sizes, spacings, angles or radii do not fit.
  SpectProjector(CameraGeometry geometry, std::vector<int> views);

  [[nodiscard]] std::int64_t image_size() const noexcept override;
  [[nodiscard]] std::int64_t measurement_size() const noexcept override;
  void forward(std::span<const float> image, std::span<float> measurement) const override;
  void adjoint(std::span<const float> measurement, std::span<float> image) const override;

 private:
  struct Kernel {
    std::vector<float> across, along;  ///< half kernels from the centre outwards, along columns and rows
  };
  struct View {
    double cosine = 0, sine = 0;
    std::vector<Kernel> kernels;  ///< one a depth; empty for an ideal collimator
  };
  void project_view(const View& view, std::span<const float> columns_of_z, std::span<float> sum) const;
  void spread_view(const View& view, std::span<const float> plane, std::span<float> columns_of_z) const;
  [[nodiscard]] View view_at(int index) const;

  CameraGeometry geometry_;
  std::int64_t padded_rows_;  ///< rows, rounded up to a multiple of 8
  std::vector<View> views_;
};

/// `count` views dealt out over `subsets` so that neighbours in angle lie in different subsets.
[[nodiscard]] std::vector<std::vector<int>> interleaved_subsets(int count, int subsets);

}  // namespace penta::recon
