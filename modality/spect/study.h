#pragma once

#include <string>
#include <vector>

#include "core/acquisition.h"
#include "core/remark.h"

namespace penta::spect {

/// What a nuclear medicine series is by its header, and what in that header is missing or contradicts itself.
struct Study {
  std::string isotope;              ///< "Tc-99m"; empty where it is not known
  std::vector<std::string> labels;  ///< kind, gated, isotope, stress or rest, body part
  std::vector<Remark> remarks;
};

/// Rules on the facts (PS3.3 C.8.4.8, C.8.4.9, C.8.4.10). Labels: "tomographic projections", "reconstructed", "whole
/// body", "planar", "dynamic planar"; "gated"; the isotope; "stress" or "rest". Codes of the remarks: kind_missing
/// isotope_missing isotope_conflict not_spect_nuclide energy_window_missing energy_window_bad energy_conflict
/// gate_conflict stress_rest_conflict collimator_conflict.
[[nodiscard]] Study study_of(const SpectFacts& facts, const Acquisition& acquisition);

}  // namespace penta::spect
