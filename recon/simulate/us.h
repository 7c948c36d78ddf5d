#pragma once

#include "core/image.h"
#include "core/label_map.h"

namespace penta::recon {

struct UsProtocol {
  double head_circumference_mm = 0;  ///< outside of the skull; 0: 170 to 330 mm, by the seed
  std::int64_t width = 800, height = 540;
};

struct UsStudy {
  Frame2d frame;               ///< 8-bit, with mm per pixel and one calibrated region
  LabelMap labels;             ///< the head's outline, filled, on the pixels
  double head_circumference_mm = 0;
};

/// Speckle on a drawn fetal head seen by a curved probe: random scatterers whose strength follows a drawing (skull, brain,
/// midline, fluid, the mother's tissue), blurred by the pulse and the beam, with shadows behind bone, envelope and log
/// compression (Wagner et al. 1983 for the statistics). It is a drawing, not a sound field.
[[nodiscard]] UsStudy simulate_us(std::uint64_t seed, const UsProtocol& protocol);

/// Perimeter of an ellipse from its half axes (Ramanujan 1914, second formula).
[[nodiscard]] double ellipse_perimeter(double a, double b) noexcept;

}  // namespace penta::recon
