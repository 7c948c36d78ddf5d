#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/volume.h"

namespace penta::pet {

/// A connected part (26 neighbours) of the voxels at or above a threshold.
struct HotPart {
  double suv_max = 0, suv_mean = 0, volume_ml = 0;
  PatientPoint centre{};           ///< mean of its voxels
  std::array<double, 6> box_mm{};  ///< x0, y0, z0, x1, y1, z1 of its voxels' faces, patient space
  std::string organ;               ///< "brain", "heart", "kidney", "ureter", "bladder"; empty: not explained as normal
  std::vector<std::int64_t> voxels;  ///< offsets, rising

  [[nodiscard]] double tlg() const noexcept { return suv_mean * volume_ml; }
};

/// A bump of uptake: a maximum of the Laplacian of a Gaussian at its scale, so that a lesion on the flank of a hotter one
/// counts.
struct HotSpot {
  PatientPoint at{};
  double suv = 0;
  std::size_t part = 0;  ///< index of the HotPart that it lies in
};

struct HotSpotRules {
  double threshold_suv = 4;  ///< Boellaard 2015
  double min_volume_ml = 0.3;
  double sigma_mm = 5;  ///< of the smallest Gaussian; the others are 1.6, 2.56 and 4.1 times as wide
  bool name_organs = true;
};

struct Uptake {
  std::vector<HotPart> parts;  ///< by falling TLG
  std::vector<HotSpot> spots;  ///< within each part by falling SUV, parts in order
  /// What the body's outline gave: shown in remarks.
  bool has_brain = false, has_bladder = false;
};

/// Hot parts and spots of an SUV image (NaN belongs to nothing), with normal FDG uptake named by its place in the body,
/// symmetry, size and heat:
/// brain: fills 15 % of the highest slices of the body and lies in their middle; bladder: the hottest part (>= 8)
/// within 45 mm of the midline in the lower body; heart, kidneys and ureters by their distance above the bladder (or
/// below the brain) and from the midline. All but the brain need a field of view of 500 mm along the patient. A tumour
/// in such a place is taken for the organ.
[[nodiscard]] Uptake uptake_of(const Volume<float>& suv, const HotSpotRules& rules);

}  // namespace penta::pet
