#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/acquisition.h"
#include "recon/phantom/patient.h"

namespace penta::recon {

/// The header facts of a simulated study: marked synthetic, patient id SYN-<seed>, UIDs from method, settings and seed.
/// All studies of one seed share a frame of reference, as they show one drawn body.
struct StudyText {
  std::string_view method, settings;  ///< "ct.simulate", its parameters as JSON
  std::string_view modality, dicom_modality, description, body_part, image_type;
};
[[nodiscard]] Acquisition synthetic_acquisition(const Patient& patient, const StudyText& text);

/// Noon of the fixed day on which every simulated study was made: seconds since 1970-01-01.
inline constexpr double synthetic_noon_s = 1704110400;  // 2024-01-01 12:00:00

}  // namespace penta::recon
