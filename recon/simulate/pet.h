#pragma once

#include "core/volume.h"
#include "recon/phantom/patient.h"

namespace penta::recon {

struct PetProtocol {
  double dose_bq = 0;               ///< injected; 0: 3.5 MBq a kg
  double uptake_s = 3600;           ///< from injection to the start of the scan
  double bed_s = 150;               ///< counting time of a bed position
  double resolution_fwhm_mm = 6;    ///< of the reconstructed image
  std::int64_t slices = 100;        ///< of 5 mm; 128 x 128 voxels of 4 mm
};

[[nodiscard]] Grid pet_grid(const PetProtocol& protocol);
[[nodiscard]] double pet_dose_bq(const Patient& patient, const PetProtocol& protocol) noexcept;

/// FDG in Bq/ml at the start of the scan: the tissues' SUV as activity, blurred to the scanner's resolution, with noise as
/// wide as the resolution whose variance follows the activity. The liver varies by 10 % at 3.5 MBq/kg, 150 s a bed and 70 kg
/// (EANM procedure guideline 2.0, Boellaard et al. 2015, aims there). Made in the image: no counts, no reconstruction.
[[nodiscard]] Volume<float> simulate_pet(const Patient& patient, const PetProtocol& protocol);

inline constexpr double f18_half_life_s = 6586.2;  ///< DDEP: 1.82890 h

}  // namespace penta::recon
