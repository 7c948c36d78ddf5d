#include "recon/phantom/tissue.h"

#include <array>

namespace penta::recon {

namespace {

// CT numbers: usual clinical ranges (Lamba et al. 2014, AJR 203:W80 for organs without contrast agent). SUV: usual means of
// normal organs (Zincirkeser et al. 2007, J Int Med Res 35:231). Perfusion: sestamibi at rest (Wackers et al. 1989, J Nucl Med
// 30:301), bowel and gall bladder hot. They are round numbers for pictures, no reference values.
constexpr std::array<TissueRow, tissue_count> rows{{
    {Tissue::fat, "fat", "", -100, -98, 0.3, 0.02},
    {Tissue::muscle, "muscle", "", 52, 62, 0.75, 0.08},
    {Tissue::lung_left, "lung left", "44029006", -850, -845, 0.45, 0.05},
    {Tissue::lung_right, "lung right", "3341006", -850, -845, 0.45, 0.05},
    {Tissue::airway, "airway", "", -990, -990, 0.1, 0.0},
    {Tissue::gas, "gas", "", -960, -960, 0.1, 0.0},
    {Tissue::vessel, "vessel", "", 42, 145, 1.6, 0.10},
    {Tissue::aorta, "aorta", "15825003", 42, 150, 1.7, 0.10},
    {Tissue::chambers, "heart chambers", "", 42, 145, 1.7, 0.10},
    {Tissue::myocardium, "myocardium", "74281007", 46, 105, 2.6, 1.0},
    {Tissue::liver, "liver", "10200004", 57, 110, 2.3, 0.55},
    {Tissue::spleen, "spleen", "78961009", 48, 120, 1.9, 0.40},
    {Tissue::stomach, "stomach", "69695003", 25, 30, 1.5, 0.15},
    {Tissue::bowel, "bowel", "", 32, 55, 1.4, 0.75},
    {Tissue::kidney_left, "kidney left", "18639004", 32, 180, 3.0, 0.70},
    {Tissue::kidney_right, "kidney right", "9846003", 32, 180, 3.0, 0.70},
    {Tissue::bladder, "urinary bladder", "89837001", 6, 8, 18.0, 0.60},
    {Tissue::vertebra, "vertebrae", "", 210, 225, 1.3, 0.10},
    {Tissue::disc, "discs", "", 80, 85, 0.8, 0.05},
    {Tissue::rib, "ribs", "", 380, 385, 0.9, 0.08},
    {Tissue::pelvis, "pelvis", "", 320, 330, 1.1, 0.09},
    {Tissue::lesion, "lesion", "", 30, 62, 8.0, 0.10},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (static_cast<std::size_t>(rows[i].tissue) != i) return false;
  return true;
}
static_assert(in_order());

}  // namespace

const TissueRow& row_of(Tissue tissue) noexcept { return rows[static_cast<std::size_t>(tissue)]; }

double attenuation_140kev_per_mm(double hu) noexcept {
  constexpr double water_per_mm = 0.0154;
  // Bone's excess at 140 keV is about six tenths of its excess at CT energies.
  return water_per_mm * (hu <= 0 ? 1 + hu / 1000 : 1 + 0.6 * hu / 1000);
}

}  // namespace penta::recon
