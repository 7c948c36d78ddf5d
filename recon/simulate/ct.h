#pragma once

#include <cstdint>
#include <functional>

#include "core/volume.h"
#include "recon/phantom/patient.h"

namespace penta::recon {

struct CtProtocol {
  bool portal_contrast = false;
  double photons = 1.2e5;      ///< per detector element and view before the patient; noise falls with its root
  std::int64_t slices = 72;    ///< of 5 mm; 128 x 128 voxels of 3 mm
};

/// The grid that such a scan has: from the pelvis upwards to the neck as far as the slices reach, about z = 0.
[[nodiscard]] Grid ct_grid(const CtProtocol& protocol);

/// CT numbers of a patient: analytic parallel-beam line integrals at one photon energy, Poisson counts, filtered back-projection
/// with a smoothed ramp (Kak and Slaney 1988, eq. 3.61 and 3.30). No scatter, no beam hardening.
[[nodiscard]] Volume<std::int16_t> simulate_ct(const Patient& patient, const CtProtocol& protocol,
                                               const std::function<void(double)>& progress = {});

}  // namespace penta::recon
