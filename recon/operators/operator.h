#pragma once

#include <cstdint>
#include <span>

namespace penta::recon {

/// A linear map from an image to a measurement, with its exact transpose: <A x, y> = <x, A' y>.
/// Solvers know no more of a modality than this.
class Operator {
 public:
  virtual ~Operator() = default;
  [[nodiscard]] virtual std::int64_t image_size() const noexcept = 0;
  [[nodiscard]] virtual std::int64_t measurement_size() const noexcept = 0;
  /// measurement = A image (overwrites). The spans have the two sizes above.
  virtual void forward(std::span<const float> image, std::span<float> measurement) const = 0;
  /// image = A' measurement (overwrites).
  virtual void adjoint(std::span<const float> measurement, std::span<float> image) const = 0;
};

}  // namespace penta::recon
