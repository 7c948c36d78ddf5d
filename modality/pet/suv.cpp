#include "modality/pet/suv.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <initializer_list>

#include "core/error.h"
#include "core/parallel.h"
#include "modality/plausible.h"

namespace penta::pet {

namespace {

constexpr std::array<SuvTypeRow, 6> rows{{
    {SuvType::bw, "bw", "BW", "GML", "g/mL", "126401", "SUVbw", "body weight"},
    {SuvType::lbm_janmahasatian, "lbm-janmahasatian", "LBMJANMA", "GML", "g/mL", "126405", "SUVlbm(Janma)",
     "lean body mass 9270 W / (6680 + 216 BMI) male, 9270 W / (8780 + 244 BMI) female (Janmahasatian 2005)"},
    {SuvType::lbm_james, "lbm-james", "LBM", "GML", "g/mL", "126402", "SUVlbm",
     "lean body mass 1.10 W - 120 (W/H)^2 male, 1.07 W - 148 (W/H)^2 female, H in cm (as DICOM's LBM)"},
    {SuvType::lbm_james128, "lbm-james128", "LBMJAMES128", "GML", "g/mL", "126406", "SUVlbm(James128)",
     "lean body mass 1.10 W - 128 (W/H)^2 male, 1.07 W - 148 (W/H)^2 female, H in cm (James 1976)"},
    {SuvType::bsa, "bsa", "BSA", "CM2ML", "cm2/mL", "126403", "SUVbsa",
     "body surface 71.84 W^0.425 H^0.725 cm2, H in cm (Du Bois 1916)"},
    {SuvType::ibw, "ibw", "IBW", "GML", "g/mL", "126404", "SUVibw",
     "ideal body weight 48.0 + 1.06 (H - 152) male, 45.5 + 0.91 (H - 152) female, H in cm (Sugawara 1999)"},
}};

std::string text_of(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.9g", value);
  return text.data();
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& item : list) text += (text.empty() ? "" : "; ") + item;
  return text;
}

template <class T>
std::string called(std::string_view what, const Fact<T>& fact, std::string_view tag) {
  return std::string(what) + " " + (fact.source.empty() ? std::string(tag) : fact.source);
}

// The value where it is there and can be true; missing ones are listed, impossible ones refused.
double checked(const Fact<double>& fact, std::string_view quantity, std::string_view tag, std::vector<std::string>& missing) {
  if (!fact || !std::isfinite(*fact)) {
    missing.push_back(called(quantity, fact, tag) + " is missing");
    return 0;
  }
  const PlausibleRange& range = *plausible_row(quantity);
  if (*fact == 0) {
    missing.push_back(called(quantity, fact, tag) + " is 0");
    return 0;
  }
  if (*fact < range.low || *fact > range.high)
    throw Error(Code::bad_input, "SUV: " + called(quantity, fact, tag) + " is " + text_of(*fact) + " " +
                                     std::string(range.unit) + ", which cannot be (" + text_of(range.low) + " to " +
                                     text_of(range.high) + "); set it with the right value");
  return *fact;
}

// Of a formula for men and one for women. Sex 'O' (0010,0040) takes the mean of both, as the IBSI SUV manual does.
double by_sex(const PatientFacts& patient, double male, double female) {
  return patient.sex == "M" ? male : patient.sex == "F" ? female : (male + female) / 2;
}

bool needs_sex(SuvType type) { return type != SuvType::bw && type != SuvType::bsa; }

void say_other_sex(const PatientFacts& patient, std::initializer_list<SuvType> types, std::vector<Remark>& remarks) {
  if (patient.sex == "O" && std::any_of(types.begin(), types.end(), needs_sex))
    remarks.push_back({Severity::warning, "sex_other",
                       "patient sex (0010,0040) is O: the mean of the formulas for men and women is used"});
}

[[noreturn]] void refuse(const std::string& why) { throw Error(Code::bad_input, "SUV cannot be computed: " + why); }

// (0054,1001) GML without (0054,1006) is body weight (PS3.3 C.8.9.1.1.3).
SuvType type_of_header(const PetFacts& pet) {
  if (*pet.units == "CM2ML") return SuvType::bsa;
  if (!pet.suv_type || pet.suv_type->empty()) return SuvType::bw;
  const auto it = std::find_if(rows.begin(), rows.end(), [&](const SuvTypeRow& row) { return row.dicom_type == *pet.suv_type; });
  if (it == rows.end()) refuse("SUV type (0054,1006) '" + *pet.suv_type + "' is not known");
  return it->type;
}

SuvScale between_types(const PatientFacts& patient, SuvType type, SuvType from, double factor,
                       const std::string& source) {
  SuvScale scale;
  scale.type = type;
  scale.factor = factor;
  scale.formula = source;
  if (from == type) return scale;
  std::vector<std::string> missing;
  const double have = normalisation(from, patient, missing), want = normalisation(type, patient, missing);
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  if (!missing.empty()) refuse(joined(missing));
  say_other_sex(patient, {from, type}, scale.remarks);
  scale.factor *= want / have;
  scale.formula += ", times " + text_of(want) + " / " + text_of(have) + " (" + std::string(row_of(type).formula) + ")";
  return scale;
}

double dose_of(const PetFacts& pet, std::vector<std::string>& missing, std::vector<Remark>& remarks) {
  constexpr std::string_view tag = "(0018,1074)";
  // A dose of a few hundred Bq cannot be imaged; as MBq it is an ordinary one. IBSI's reference objects hold this fault.
  if (pet.injected_dose_bq && *pet.injected_dose_bq >= 1 && *pet.injected_dose_bq < 1e4) {
    remarks.push_back({Severity::warning, "dose_in_mbq",
                       called("injected dose", pet.injected_dose_bq, tag) + " is " + text_of(*pet.injected_dose_bq) +
                           " Bq by its header; taken as MBq, as no scan could be made with so little"});
    return *pet.injected_dose_bq * 1e6;
  }
  return checked(pet.injected_dose_bq, "injected dose", tag, missing);
}

// When the scan began, in the file's own seconds (QIBA pseudo-code): the series time, unless the series was written
// later than its own acquisition; then from the frame's reference time.
double scan_start_s(const PetFacts& pet, double half_life_s, std::vector<std::string>& missing, std::vector<Remark>& remarks) {
  if (pet.series_time_s && (!pet.acquisition_time_s || *pet.series_time_s <= *pet.acquisition_time_s + 0.5)) return *pet.series_time_s;
  if (!pet.series_time_s && !pet.acquisition_time_s) {
    missing.push_back(called("series time", pet.series_time_s, "(0008,0031)") + " is missing");
    return 0;
  }
  if (pet.acquisition_time_s && pet.frame_reference_time_ms && pet.frame_duration_ms && *pet.frame_reference_time_ms > 0 &&
      *pet.frame_duration_ms > 0) {
    remarks.push_back({Severity::note, "scan_start_from_frame",
                       "the series time lies after the acquisition; the start of the scan is taken from acquisition time, "
                       "frame reference time (0054,1300) and frame duration (0018,1242)"});
    return *pet.acquisition_time_s + mean_count_time_s(*pet.frame_duration_ms / 1000, half_life_s) - *pet.frame_reference_time_ms / 1000;
  }
  missing.push_back("series time (0008,0031) lies after the acquisition time and there is no frame reference time (0054,1300)");
  return 0;
}

// The time to which the voxel values refer, less the injection.
double elapsed_s(const PetFacts& pet, double half_life_s, std::vector<std::string>& missing, std::vector<Remark>& remarks) {
  const std::string& correction = *pet.decay_correction;
  if (correction == "ADMIN") return 0;
  if (!pet.injection_time_s) {
    missing.push_back(called("injection time", pet.injection_time_s, "(0018,1078)") + " is missing");
    return 0;
  }
  double when = 0;
  if (correction == "START") {
    when = scan_start_s(pet, half_life_s, missing, remarks);
  } else if (!pet.acquisition_time_s) {
    missing.push_back(called("acquisition time", pet.acquisition_time_s, "(0008,0032)") + " is missing");
  } else {
    when = *pet.acquisition_time_s;
    if (pet.frame_duration_ms && *pet.frame_duration_ms > 0)
      when += mean_count_time_s(*pet.frame_duration_ms / 1000, half_life_s);
    remarks.push_back({Severity::warning, "not_decay_corrected",
                       "the values are not decay corrected; the dose is decayed to the first slice's acquisition, which "
                       "is right only where all slices were counted together"});
  }
  if (!missing.empty()) return 0;
  double elapsed = when - *pet.injection_time_s;
  // Headers often hold times without dates: a scan after midnight then seems to come before the injection.
  if (elapsed < -43200 && elapsed > -86400) {
    elapsed += 86400;
    remarks.push_back({Severity::warning, "over_midnight",
                       "the scan begins before the injection by the header; taken as one day later"});
  }
  const PlausibleRange& range = *plausible_row("uptake time");
  if (elapsed < range.low || elapsed > range.high)
    refuse("the scan begins " + text_of(elapsed) + " s after the injection (0018,1078), which cannot be");
  return elapsed;
}

SuvScale from_activity(const PetFacts& pet, const PatientFacts& patient, SuvType type, double activity_factor) {
  std::vector<std::string> missing;
  SuvScale scale;
  scale.type = type;
  const double amount = normalisation(type, patient, missing);
  const double dose = dose_of(pet, missing, scale.remarks);
  if (!pet.decay_correction || (*pet.decay_correction != "START" && *pet.decay_correction != "ADMIN" && *pet.decay_correction != "NONE"))
    missing.push_back("decay correction (0054,1102) is " +
                      (pet.decay_correction ? "'" + *pet.decay_correction + "'" : std::string("missing")) +
                      ", and not START, ADMIN or NONE");
  const bool needs_decay = pet.decay_correction && *pet.decay_correction != "ADMIN";
  const double half_life = needs_decay ? checked(pet.half_life_s, "half-life", "(0018,1075)", missing) : 1;
  const double elapsed = pet.decay_correction && half_life > 0 ? elapsed_s(pet, half_life, missing, scale.remarks) : 0;
  if (!missing.empty()) refuse(joined(missing));
  say_other_sex(patient, {type}, scale.remarks);
  scale.factor = activity_factor * amount / (dose * decay(elapsed, half_life));
  const SuvTypeRow& row = row_of(type);
  scale.formula = std::string(row.meaning) + " = c * " + text_of(amount) + (type == SuvType::bsa ? " cm2" : " g") + " / (" +
                  text_of(dose) + " Bq" +
                  (needs_decay ? " * 2^(-" + text_of(elapsed) + " s / " + text_of(half_life) + " s)" : std::string()) +
                  "), c in Bq/mL" + (activity_factor == 1 ? "" : " = value * " + text_of(activity_factor)) + ", " +
                  std::string(row.formula) + "; decay correction " + *pet.decay_correction + " (QIBA SUV pseudo-code)";
  return scale;
}

Volume<float> scaled(const AnyVolume& volume, double factor) {
  Volume<float> out = to_float(volume);
  if (factor == 1) return out;
  const auto voxels = out.voxels();
  parallel_for(static_cast<std::int64_t>(voxels.size()), 1 << 18, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      auto& v = voxels[static_cast<std::size_t>(i)];
      v = static_cast<float>(factor * static_cast<double>(v));
    }
  });
  return out;
}

SuvScale scale_of_image(const Image& image, const Acquisition& acquisition, SuvType type, bool assume_suv) {
  const auto* facts = facts_of<PetFacts>(acquisition);
  if (facts != nullptr && facts->units) {
    if (*facts->units == "BQML" && !image.unit.empty() && image.unit != "Bq/mL")
      refuse("the header says Bq/mL (0054,1001) and the image's unit is '" + image.unit + "'");
    return suv_scale(*facts, acquisition.patient, type);
  }
  if (image.unit == "g/mL" || (image.unit.empty() && assume_suv)) {
    SuvScale scale = between_types(acquisition.patient, type, SuvType::bw, 1, "values are SUVbw as given");
    if (image.unit.empty())
      scale.remarks.push_back({Severity::warning, "assumed_suv", "the file states no unit; its values are taken as SUV (body weight) as the caller said"});
    return scale;
  }
  if (image.unit.empty()) refuse("the file states no unit of its values (if they are SUV already: --set assume_suv=true)");
  refuse("values in '" + image.unit + "' without a PET header");
}

}  // namespace

const SuvTypeRow& row_of(SuvType type) noexcept { return rows[static_cast<std::size_t>(type)]; }

SuvType suv_type_named(std::string_view name) {
  for (const SuvTypeRow& row : rows)
    if (row.name == name) return row.type;
  throw Error(Code::wrong_use, "there is no SUV type '" + std::string(name) + "'");
}

double decay(double elapsed_s, double half_life_s) noexcept { return std::exp2(-elapsed_s / half_life_s); }

double mean_count_time_s(double duration_s, double half_life_s) noexcept {
  const double x = std::log(2.0) * duration_s / half_life_s;
  return x < 1e-6 ? duration_s / 2 : duration_s / x * std::log(x / -std::expm1(-x));
}

double normalisation(SuvType type, const PatientFacts& patient, std::vector<std::string>& missing) {
  const std::size_t before = missing.size();
  const bool by_weight = type != SuvType::ibw, by_height = type != SuvType::bw;
  if (needs_sex(type) && patient.sex != "M" && patient.sex != "F" && patient.sex != "O")
    missing.push_back("patient sex (0010,0040) is not M, F or O");
  const double w = by_weight ? checked(patient.weight_kg, "patient weight", "(0010,1030)", missing) : 0;
  const double h = by_height ? checked(patient.height_m, "patient height", "(0010,1020)", missing) : 0;
  if (missing.size() != before) return 0;
  const double cm = 100 * h, ratio2 = by_height ? w * w / (cm * cm) : 0, bmi = by_height ? w / (h * h) : 0;
  double kg = 0;
  switch (type) {
    case SuvType::bw: kg = w; break;
    case SuvType::lbm_janmahasatian: kg = by_sex(patient, 9270 * w / (6680 + 216 * bmi), 9270 * w / (8780 + 244 * bmi)); break;
    case SuvType::lbm_james: kg = by_sex(patient, 1.10 * w - 120 * ratio2, 1.07 * w - 148 * ratio2); break;
    case SuvType::lbm_james128: kg = by_sex(patient, 1.10 * w - 128 * ratio2, 1.07 * w - 148 * ratio2); break;
    case SuvType::bsa: return 71.84 * std::pow(w, 0.425) * std::pow(cm, 0.725);
    case SuvType::ibw: kg = by_sex(patient, 48.0 + 1.06 * (cm - 152), 45.5 + 0.91 * (cm - 152)); break;
  }
  const double grams = 1000 * kg;
  if (!(grams > 0)) refuse("the formula '" + std::string(row_of(type).formula) + "' gives no mass for this patient");
  return grams;
}

SuvScale suv_scale(const PetFacts& pet, const PatientFacts& patient, SuvType type) {
  if (!pet.units || pet.units->empty()) refuse("the units (0054,1001) are missing");
  if (*pet.units == "BQML") return from_activity(pet, patient, type, 1);
  if (*pet.units == "GML" || *pet.units == "CM2ML")
    return between_types(patient, type, type_of_header(pet), 1, "values are SUV by the header, units (0054,1001) " + *pet.units);
  if (*pet.units != "CNTS") refuse("units (0054,1001) are '" + *pet.units + "', from which there is no way to Bq/mL");
  if (pet.philips_suv_factor && *pet.philips_suv_factor > 0)
    return between_types(patient, type, SuvType::bw, *pet.philips_suv_factor,
                         "SUVbw = value * " + text_of(*pet.philips_suv_factor) + " (Philips (7053,1000))");
  if (pet.philips_activity_factor && *pet.philips_activity_factor > 0)
    return from_activity(pet, patient, type, *pet.philips_activity_factor);
  refuse("units (0054,1001) are CNTS and Philips' factors (7053,1000) and (7053,1009) are missing");
}

SuvType suv_type_of(const Image& suv) {
  const auto* facts = facts_of<PetFacts>(suv.acquisition);
  return facts != nullptr && facts->units ? type_of_header(*facts) : SuvType::bw;
}

bool is_suv(const Image& image) noexcept {
  if (const auto* facts = facts_of<PetFacts>(image.acquisition); facts != nullptr && facts->units)
    return *facts->units == "GML" || *facts->units == "CM2ML";
  return image.unit == "g/mL" || image.unit == "cm2/mL";
}

Image suv_image(const Image& image, SuvType type, bool assume_suv, std::vector<Remark>& remarks) {
  return suv_image(image, image.acquisition, type, assume_suv, remarks);
}

Image suv_image(const Image& image, const Acquisition& acquisition, SuvType type, bool assume_suv,
                std::vector<Remark>& remarks) {
  const auto* volumes = std::get_if<VolumeSequence>(&image.pixels);
  if (volumes == nullptr || volumes->empty()) throw Error(Code::bad_input, "SUV needs a volume, and this is " + image.shape_text());
  SuvScale scale = scale_of_image(image, acquisition, type, assume_suv);
  Image out;
  VolumeSequence sequence;
  for (const AnyVolume& volume : *volumes) sequence.emplace_back(scaled(volume, scale.factor));
  out.pixels = std::move(sequence);
  out.axis = image.axis;
  out.unit = std::string(row_of(type).unit);
  out.acquisition = acquisition;
  PetFacts facts = facts_of<PetFacts>(acquisition) != nullptr ? *facts_of<PetFacts>(acquisition) : PetFacts{};
  facts.units = {std::string(row_of(type).dicom_units), "computed"};
  facts.suv_type = {std::string(row_of(type).dicom_type), "computed"};
  out.acquisition.facts = facts;
  remarks.insert(remarks.end(), scale.remarks.begin(), scale.remarks.end());
  if (scale.factor != 1 || !is_suv(image)) remarks.push_back({Severity::note, "suv_formula", scale.formula});
  out.sha256 = hash_of(out);
  return out;
}

}  // namespace penta::pet
