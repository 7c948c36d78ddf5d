#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/acquisition.h"
#include "core/remark.h"

namespace penta::pet {

/// What a PET series is by its header, and what in that header is missing, cannot be, or contradicts itself.
struct Study {
  std::string tracer;               ///< "FDG", "PSMA", ...; empty where it is not known
  std::string isotope;              ///< "F-18"; by name, else by half-life; empty where neither says
  std::vector<std::string> labels;  ///< tracer, isotope, kind of value, corrections, in this order
  std::vector<Remark> remarks;      ///< one a fault; a fault free header has none
};

/// Raw data are counts: they have neither units nor corrections yet.
enum class Stage { raw, image };

/// Rules on the facts alone (PS3.3 C.8.9.1, C.8.9.2; QIBA FDG-PET profile for what SUV needs). Codes of the remarks:
/// tracer_missing isotope_missing isotope_conflict tracer_conflict not_pet_nuclide half_life_missing half_life_unit
/// half_life_unknown; dose_missing dose_in_mbq dose_in_kbq dose_implausible; weight_missing weight_in_grams
/// weight_implausible weight_conflict height_in_cm height_implausible; injection_time_missing scan_time_missing
/// injection_after_scan over_midnight uptake_short uptake_long series_after_acquisition; decay_correction_missing
/// decay_correction_unknown decay_conflict not_decay_corrected; units_missing units_unknown counts_without_factor
/// philips_suv_only philips_conflict suv_type_unknown suv_type_conflict; corrections_missing not_attenuation_corrected
/// not_scatter_corrected attenuation_conflict scatter_conflict; frame_duration frame_reference_time.
[[nodiscard]] Study study_of(const PetFacts& pet, const PatientFacts& patient, Stage stage = Stage::image);

/// "FDG", "PSMA", "DOTATATE" ... of a text such as "Fluorodeoxyglucose F^18^"; empty where none is known.
[[nodiscard]] std::string_view tracer_named(std::string_view text);

}  // namespace penta::pet
