#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/coded.h"
#include "core/image.h"
#include "core/remark.h"

namespace penta::pet {

/// What activity is divided by: dose per body weight, lean body mass, body surface or ideal body weight.
enum class SuvType { bw, lbm_janmahasatian, lbm_james, lbm_james128, bsa, ibw };

struct SuvTypeRow {
  SuvType type;
  std::string_view name;        ///< parameter choice: "bw", "lbm-janmahasatian" ...
  std::string_view dicom_type;  ///< (0054,1006): BW, LBMJANMA ...
  std::string_view dicom_units; ///< (0054,1001): GML or CM2ML
  std::string_view unit;        ///< UCUM: "g/mL" or "cm2/mL"
  std::string_view code, meaning;  ///< DCM, CID 7469
  std::string_view formula;     ///< what the dose is divided by, with its source
};
[[nodiscard]] const SuvTypeRow& row_of(SuvType type) noexcept;
/// Throws Error{wrong_use} on an unknown name.
[[nodiscard]] SuvType suv_type_named(std::string_view name);

/// How stored (rescaled) values become SUV: suv = factor * value.
struct SuvScale {
  double factor = 1;
  SuvType type = SuvType::bw;
  std::string formula;          ///< with the numbers put in
  std::vector<Remark> remarks;
};

/// Body mass or surface that a normalisation uses: grams, or cm^2 for bsa. Facts that are missing go to `missing`
/// (each "patient weight (0010,1030)") and 0 is answered; implausible ones throw Error{bad_input}.
[[nodiscard]] double normalisation(SuvType type, const PatientFacts& patient, std::vector<std::string>& missing);

/// The scale of a PET image by its header (QIBA FDG-PET profile, SUV pseudo-code; PS3.3 C.8.9.1.1.3 for units, C.8.9.1
/// for decay correction).
/// BQML: value / dose * normalisation, the dose decayed from injection to the start of the scan (START), not at all
/// (ADMIN) or to the middle of counting (NONE). CNTS: by Philips' private factors. GML, CM2ML: are SUV already and
/// are converted between types. Nothing that is missing is guessed:
/// throws Error{bad_input} with the list of what is missing or not plausible, each with its tag.
[[nodiscard]] SuvScale suv_scale(const PetFacts& pet, const PatientFacts& patient, SuvType type);

/// The SUV image (float32, one volume a time point). Values without a unit and header are taken as SUV of body weight
/// only when `assume_suv` is set; otherwise Error{bad_input}. Unit and PetFacts of the answer say what it is.
/// An image that is SUV of the asked type already comes back unchanged.
[[nodiscard]] Image suv_image(const Image& image, SuvType type, bool assume_suv, std::vector<Remark>& remarks);
/// The same with facts that replace the image's own.
[[nodiscard]] Image suv_image(const Image& image, const Acquisition& acquisition, SuvType type, bool assume_suv,
                              std::vector<Remark>& remarks);

/// Which SUV an SUV image holds; body weight where its header does not say (PS3.3 C.8.9.1.1.3).
[[nodiscard]] SuvType suv_type_of(const Image& suv);

/// True when the values are SUV: unit g/mL or cm2/mL, or header units GML or CM2ML.
[[nodiscard]] bool is_suv(const Image& image) noexcept;

/// Factor by which activity falls in `elapsed_s` (half-life > 0).
[[nodiscard]] double decay(double elapsed_s, double half_life_s) noexcept;
/// Seconds after the start of a frame at which the count rate equals its mean: ln(x / (1 - exp(-x))) / lambda,
/// x = lambda * duration (QIBA pseudo-code, 'average count rate time within frame').
[[nodiscard]] double mean_count_time_s(double duration_s, double half_life_s) noexcept;

}  // namespace penta::pet
