#pragma once

#include "core/volume.h"

namespace penta {

/// `image` convolved with a Gaussian of full width at half maximum `fwhm_mm` along each axis of its grid (0: a copy).
/// Cut at four standard deviations; at the border the weights that fall outside are given to those inside.
/// Throws Error{bad_input} on a negative or infinite width.
[[nodiscard]] Volume<float> gaussian_smoothed(VolumeView<const float> image, const Vector3& fwhm_mm);
[[nodiscard]] Volume<float> gaussian_smoothed(VolumeView<const float> image, double fwhm_mm);

/// Standard deviation of a Gaussian of a full width at half maximum.
[[nodiscard]] double sigma_of_fwhm(double fwhm) noexcept;

}  // namespace penta
