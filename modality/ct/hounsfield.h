#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace penta::ct {

/// A display window in HU.
struct Window {
  std::string_view name;
  double centre_hu, width_hu;
};
/// Customary windows (Radiopaedia 'Windowing (CT)'; they differ by some tens of HU between houses).
inline constexpr std::array<Window, 5> windows{{
    {"soft tissue", 50, 400}, {"lung", -600, 1500}, {"bone", 400, 1800}, {"brain", 40, 80}, {"mediastinum", 50, 350},
}};

/// Ranges of Hounsfield units, lower bound included, upper bound not.
struct HuRange {
  double lower, upper;
};
/// Adipose tissue: -190 to -30 HU (Yoshizumi 1999, doi:10.1148/radiology.211.1.r99ap15283).
inline constexpr HuRange fat{-190, -30};
/// Aerated lung and everything thinner; -320 HU splits air from tissue in lung segmentation (van Rikxoort 2009 and others use -400 to -320).
inline constexpr double air_below = -400;
/// Skin and everything denser than the air around the patient.
inline constexpr double body_above = -400;
/// Bone: trabecular edge, and what is dense enough to begin a bone.
inline constexpr double bone_edge = 150, bone_core = 250;

}  // namespace penta::ct
