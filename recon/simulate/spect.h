#pragma once

#include <functional>

#include "core/raw_data.h"
#include "recon/phantom/patient.h"

namespace penta::recon {

struct SpectProtocol {
  int views = 60;
  double start_deg = 225, arc_deg = 180;  ///< right anterior oblique to left posterior oblique, clockwise
  double counts = 8e6;                    ///< of all views together
  double radius_mm = 240;
  /// Low-energy high-resolution collimator with the crystal: standard deviation sigma_mm + sigma_slope x distance
  /// (about 7.5 mm full width at 100 mm).
  double sigma_mm = 1.6, sigma_slope = 0.016;
  double scatter_fraction = 0.25;         ///< scattered over unscattered counts in the photopeak
};

/// The camera of a protocol, without counts: 64 x 64 pixels of 6.4 mm, row 0 at the head, the heart in the middle third.
[[nodiscard]] Projections spect_camera(const SpectProtocol& protocol);

/// Myocardial perfusion views of a patient: analytic line integrals with attenuation at twice the pixels' fineness, blurred plane
/// by plane of depth, a broad scatter floor, Poisson counts. One gate, one window.
[[nodiscard]] Projections simulate_spect(const Patient& patient, const SpectProtocol& protocol,
                                         const std::function<void(double)>& progress = {});

}  // namespace penta::recon
