#pragma once

#include <optional>

#include "core/points.h"

class DcmItem;

namespace penta::io::dicom {

/// Diffusion weighting of one image.
struct Diffusion {
  std::optional<double> b_s_per_mm2;
  std::optional<Vector3> gradient;  ///< direction in patient space, of length one; absent at b = 0 and for a trace
};

/// Of a single-frame MR header: (0018,9087) and (0018,9089), else the private elements of Siemens, Philips, GE and UIH.
/// A GE direction is in the scanner's own axes and is left out.
[[nodiscard]] Diffusion diffusion_of(DcmItem& data);
/// Of an item of the MR Diffusion Sequence (0018,9117) (PS3.3 C.8.13.5.9).
[[nodiscard]] Diffusion diffusion_of_group(DcmItem& item);
/// A number that tells directions apart; 0 without one.
[[nodiscard]] double direction_key(const Diffusion& diffusion);

}  // namespace penta::io::dicom
