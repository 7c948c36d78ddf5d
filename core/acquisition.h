#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace penta {

/// One fact of a header and the tag (or header field) that it came from, such as "(0010,1030)".
template <class T>
struct Fact {
  std::optional<T> value;
  std::string source;

  [[nodiscard]] explicit operator bool() const noexcept { return value.has_value(); }
  [[nodiscard]] const T& operator*() const noexcept { return *value; }
  [[nodiscard]] const T* operator->() const noexcept { return &*value; }
};

struct CtFacts {
  Fact<double> tube_voltage_kv, exposure_mas, slice_thickness_mm, gantry_tilt_deg;
  Fact<std::string> kernel, contrast_agent;
};

struct MrFacts {
  Fact<double> field_strength_t, echo_time_ms, repetition_time_ms, inversion_time_ms, flip_angle_deg;
  Fact<double> slice_thickness_mm, b_value_s_per_mm2;
  Fact<std::string> scanning_sequence, sequence_variant, sequence_name, contrast_agent;
};

struct UsFacts {
  Fact<double> frame_time_ms, heart_rate_per_min;
  Fact<std::string> transducer;
};

/// Date and time are seconds since 1970-01-01 in the file's own (unknown) time zone; only differences count.
struct PetFacts {
  Fact<std::string> units;             ///< BQML, CNTS, GML, CM2ML, PROPCPS ... (0054,1001)
  Fact<std::string> decay_correction;  ///< START, ADMIN, NONE (0054,1102)
  Fact<std::string> corrections;       ///< (0028,0051), joined by backslashes
  Fact<std::string> suv_type;          ///< BW, LBM, BSA, IBW (0054,1006)
  Fact<std::string> tracer;
  Fact<double> injected_dose_bq, half_life_s;
  Fact<double> injection_time_s, series_time_s, acquisition_time_s;
  Fact<double> frame_reference_time_ms, frame_duration_ms;
  Fact<double> philips_suv_factor;       ///< (7053,1000): g/ml per stored value
  Fact<double> philips_activity_factor;  ///< (7053,1009): Bq/ml per stored value
  Fact<std::string> isotope;             ///< as the radionuclide code means it, such as "^18^Fluorine" (0054,0300)
  Fact<std::string> attenuation_method, scatter_method;  ///< (0054,1101), (0054,1105)
};

struct EnergyWindow {
  std::string name;
  double lower_kev = 0, upper_kev = 0;
};

struct SpectFacts {
  Fact<std::string> tracer, isotope, collimator;
  Fact<std::string> kind;  ///< third value of Image Type: TOMO, GATED TOMO, RECON TOMO, STATIC, WHOLE BODY ...
  std::vector<EnergyWindow> energy_windows;
  Fact<int> gates, detectors, rotations;
  Fact<double> frame_duration_ms;
};

using ModalityFacts = std::variant<std::monostate, CtFacts, MrFacts, UsFacts, PetFacts, SpectFacts>;

/// One stored instance that an image was made of, in the image's slice (then time) order.
struct SourceInstance {
  std::string sop_class_uid, sop_instance_uid;
  int frame = 0;  ///< 1-based frame of a multi-frame instance, 0 for a single-frame one
};

/// Identifies a person: appears only in DICOM outputs and (unless de-identified) in report.html.
struct PatientFacts {
  std::string name, id, birth_date, sex;
  Fact<double> age_years, weight_kg, height_m;
};

/// What a header says of how an image came to be. io fills it; modality computes from it.
struct Acquisition {
  std::string modality;  ///< CT, MR, US, PET, SPECT or NM (planar); empty when unknown
  std::string dicom_modality;
  std::string study_uid, series_uid, frame_of_reference_uid;
  std::string study_date, study_time, series_date, series_time, accession_number, study_id, referring_physician;
  std::string study_description, series_description, series_number, body_part, protocol;
  std::string manufacturer, model, patient_position, image_type;
  std::string character_set;
  bool synthetic = false;
  PatientFacts patient;
  ModalityFacts facts;
  std::vector<SourceInstance> instances;
};

/// The facts of one modality, or null.
template <class Facts>
[[nodiscard]] const Facts* facts_of(const Acquisition& acquisition) noexcept {
  return std::get_if<Facts>(&acquisition.facts);
}

}  // namespace penta
