#pragma once

#include <cstddef>
#include <string_view>

namespace penta::recon {

/// What a part of the digital patient is made of. The order is that of the tables.
enum class Tissue {
  fat, muscle, lung_left, lung_right, airway, gas, vessel, aorta, chambers, myocardium, liver, spleen, stomach, bowel,
  kidney_left, kidney_right, bladder, vertebra, disc, rib, pelvis, lesion
};
inline constexpr std::size_t tissue_count = 22;

/// Numbers of a tissue in an adult.
struct TissueRow {
  Tissue tissue;
  std::string_view name;      ///< segment name
  std::string_view sct_code;  ///< SNOMED CT of the structure; empty: none given
  double hu;                  ///< CT without contrast agent
  double portal_hu;           ///< CT 70 s after contrast agent
  double suv;                 ///< FDG one hour after injection, body weight
  double perfusion;           ///< Tc-99m perfusion agent, activity a ml against the heart muscle
};

[[nodiscard]] const TissueRow& row_of(Tissue tissue) noexcept;
/// Linear attenuation of 140 keV photons, 1/mm, from a CT number: two lines that meet at water (0.0154/mm, NIST XCOM).
[[nodiscard]] double attenuation_140kev_per_mm(double hu) noexcept;

}  // namespace penta::recon
