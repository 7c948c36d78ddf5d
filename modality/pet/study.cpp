#include "modality/pet/study.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <optional>

#include "modality/nuclides.h"
#include "modality/pet/suv.h"
#include "modality/plausible.h"

namespace penta::pet {

namespace {

/// Words by which a tracer is written (upper case), and the nuclide that it carries where there is only one.
struct TracerRow {
  std::string_view word, name, isotope;
};
constexpr std::array<TracerRow, 32> tracers{{
    {"FDG", "FDG", "F-18"},
    {"FLUORODEOXYGLUCOSE", "FDG", "F-18"},
    {"FLUDEOXYGLUCOSE", "FDG", "F-18"},
    {"DEOXYGLUCOSE", "FDG", "F-18"},
    {"FLT", "FLT", "F-18"},
    {"THYMIDINE", "FLT", "F-18"},
    {"FMISO", "FMISO", "F-18"},
    {"MISONIDAZOLE", "FMISO", "F-18"},
    {"FET", "FET", "F-18"},
    {"FLUOROETHYLTYROSINE", "FET", "F-18"},
    {"SODIUM FLUORIDE", "NaF", "F-18"},
    {"FLUORIDE", "NaF", "F-18"},
    {"NAF", "NaF", "F-18"},
    {"FDOPA", "FDOPA", "F-18"},
    {"FLUORODOPA", "FDOPA", "F-18"},
    {"FLORBETAPIR", "florbetapir", "F-18"},
    {"AV45", "florbetapir", "F-18"},
    {"FLORBETABEN", "florbetaben", "F-18"},
    {"FLUTEMETAMOL", "flutemetamol", "F-18"},
    {"PIB", "PIB", "C-11"},
    {"METHIONINE", "methionine", "C-11"},
    {"ACETATE", "acetate", "C-11"},
    {"RACLOPRIDE", "raclopride", "C-11"},
    {"CHOLINE", "choline", ""},
    {"PSMA", "PSMA", ""},
    {"DCFPYL", "PSMA", "F-18"},
    {"DOTATATE", "DOTATATE", ""},
    {"DOTATOC", "DOTATOC", ""},
    {"FAPI", "FAPI", ""},
    {"AMMONIA", "ammonia", "N-13"},
    {"WATER", "water", "O-15"},
    {"PBR28", "PBR28", "C-11"},
}};
constexpr std::array<std::string_view, 9> positron_emitters{"F-18",  "C-11",  "N-13",  "O-15", "Ga-68",
                                                            "Cu-64", "Zr-89", "Rb-82", "I-124"};

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string text_of(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

// A word of its own: no letter before or after it ("FET" is not in "CAFETERIA").
bool has_token(const std::string& text, std::string_view word) {
  const auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    if ((at == 0 || !letter(text[at - 1])) && (at + word.size() >= text.size() || !letter(text[at + word.size()])))
      return true;
  return false;
}

bool lists(const std::string& corrections, std::string_view dicom, std::string_view plain) {
  const std::string text = upper(corrections);
  return has_token(text, dicom) || text.find(plain) != std::string::npos;
}

bool close(double a, double b, double part) { return std::abs(a - b) <= part * std::abs(b); }
bool is_pet(std::string_view isotope) {
  return std::find(positron_emitters.begin(), positron_emitters.end(), isotope) != positron_emitters.end();
}

/// The study while its parts are read one after the other.
class Reader {
 public:
  Reader(const PetFacts& pet, const PatientFacts& patient) : pet_(pet), patient_(patient) {}

  Study read(Stage stage) {
    read_tracer();
    read_half_life();
    if (stage == Stage::image) {
      read_units();
      read_corrections();
      read_decay();
    }
    // What is SUV already needs none of what SUV is made of.
    if (!is_suv_) {
      read_dose();
      read_weight();
      read_times();
    }
    read_height();
    read_frames();
    if (is_suv_) read_suv_type();
    return std::move(study_);
  }

 private:
  void warn(const char* code, std::string text) {
    study_.remarks.push_back({Severity::warning, code, std::move(text)});
  }
  void note(const char* code, std::string text) { study_.remarks.push_back({Severity::note, code, std::move(text)}); }
  void label(std::string_view text) {
    if (!text.empty()) study_.labels.emplace_back(text);
  }

  void read_tracer() {
    if (!pet_.tracer || pet_.tracer->empty()) note("tracer_missing", "the radiopharmaceutical (0018,0031) is missing");
    const Nuclide* in_tracer = pet_.tracer ? nuclide_by_text(*pet_.tracer) : nullptr;
    const Nuclide* named = pet_.isotope ? nuclide_by_text(*pet_.isotope) : nullptr;
    if (pet_.tracer) study_.tracer = tracer_named(*pet_.tracer);
    if (named != nullptr && in_tracer != nullptr && named != in_tracer)
      warn("isotope_conflict", "the radiopharmaceutical (0018,0031) names " + std::string(in_tracer->name) +
                                   ", the radionuclide (0054,0300) " + std::string(named->name));
    by_name_ = named != nullptr ? named : in_tracer;
    label(study_.tracer);
  }

  void read_half_life() {
    const Nuclide* by_time = pet_.half_life_s ? nuclide_by_half_life(*pet_.half_life_s) : nullptr;
    if (!pet_.half_life_s || !(*pet_.half_life_s > 0))
      warn("half_life_missing", "the half-life (0018,1075) is missing");
    else if (by_time == nullptr)
      strange_half_life(*pet_.half_life_s);
    else if (by_name_ != nullptr && !close(*pet_.half_life_s, by_name_->half_life_s, 0.02))
      warn("isotope_conflict", "the header names " + std::string(by_name_->name) +
                                   ", and the half-life (0018,1075) of " + text_of(*pet_.half_life_s) +
                                   " s is that of " + std::string(by_time->name));
    const Nuclide* known = by_name_ != nullptr ? by_name_ : by_time;
    if (known == nullptr)
      return note("isotope_missing",
                  "neither radionuclide (0054,0300), radiopharmaceutical nor half-life says which isotope it is");
    study_.isotope = known->name;
    label(study_.isotope);
    if (!is_pet(study_.isotope))
      warn("not_pet_nuclide",
           study_.isotope + " is counted by gamma cameras; it emits no positrons that PET could use");
    const auto row =
        std::find_if(tracers.begin(), tracers.end(), [&](const TracerRow& r) { return r.name == study_.tracer; });
    if (row != tracers.end() && !row->isotope.empty() && row->isotope != study_.isotope)
      warn("tracer_conflict",
           study_.tracer + " carries " + std::string(row->isotope) + ", and the header says " + study_.isotope);
  }

  void strange_half_life(double seconds) {
    for (const auto& [factor, unit] : {std::pair{60.0, "minutes"}, std::pair{3600.0, "hours"}})
      for (const Nuclide& n : nuclides())
        if (is_pet(n.name) && close(seconds * factor, n.half_life_s, 0.02) && (by_name_ == nullptr || by_name_ == &n))
          return warn("half_life_unit", "the half-life (0018,1075) is " + text_of(seconds) + " s; in " + unit +
                                            " that would be " + std::string(n.name));
    warn("half_life_unknown",
         "the half-life (0018,1075) of " + text_of(seconds) + " s is that of no nuclide used in PET");
  }

  void read_units() {
    const std::string units = pet_.units ? upper(*pet_.units) : "";
    is_suv_ = units == "GML" || units == "CM2ML";
    if (units.empty()) return warn("units_missing", "the units (0054,1001) are missing");
    if (is_suv_) return label("SUV");
    if (units == "BQML") return label("activity concentration");
    if (units == "CNTS" || units == "PROPCNTS") return read_counts();
    for (const char* known : {"CPS", "PROPCPS", "PCNT", "MGMINML", "UMOLMINML", "MLMING", "MLG", "1CM", "UMOLML",
                              "NONE", "MLMINML", "MLML", "STDDEV", "CM2"})
      if (units == known) {
        label(units == "NONE" ? "no unit" : units == "CPS" || units == "PROPCPS" ? "count rate" : "parametric map");
        if (units == "PROPCPS" || units == "CPS")
          warn("counts_without_factor", "units (0054,1001) are " + units + ": no calibration makes SUV of them");
        return;
      }
    warn("units_unknown", "the units (0054,1001) '" + *pet_.units + "' are none of the standard");
  }

  void read_counts() {
    label("counts");
    const bool suv = pet_.philips_suv_factor && *pet_.philips_suv_factor > 0;
    const bool activity = pet_.philips_activity_factor && *pet_.philips_activity_factor > 0;
    if (!suv && !activity)
      return warn("counts_without_factor",
                  "units (0054,1001) are CNTS, and there is no Philips factor (7053,1000) or (7053,1009)");
    label("Philips factors");
    if (!activity)
      return note(
          "philips_suv_only",
          "only the factor to SUV (7053,1000) is given: body weight, dose and decay are in it, and cannot be checked");
    if (!suv || !patient_.weight_kg || !pet_.injected_dose_bq || !pet_.half_life_s || !pet_.injection_time_s ||
        !pet_.series_time_s)
      return;
    if (!(*pet_.injected_dose_bq > 0) || !(*pet_.half_life_s > 0)) return;
    const bool admin = pet_.decay_correction && *pet_.decay_correction == "ADMIN";
    const double left = admin ? 1 : decay(*pet_.series_time_s - *pet_.injection_time_s, *pet_.half_life_s);
    const double expected =
        *pet_.philips_activity_factor * *patient_.weight_kg * 1000 / (*pet_.injected_dose_bq * left);
    if (!close(*pet_.philips_suv_factor, expected, 0.05))
      warn("philips_conflict", "the factor to SUV (7053,1000) is " + text_of(*pet_.philips_suv_factor) +
                                   ", and that to activity (7053,1009), weight and dose make " + text_of(expected));
  }

  void read_suv_type() {
    if (!pet_.suv_type || pet_.suv_type->empty()) return;
    const std::string type = upper(*pet_.suv_type);
    constexpr std::array<std::string_view, 6> by_mass{"BW", "LBM", "LBMJANMA", "LBMJAMES128", "IBW", ""};
    const bool mass = std::find(by_mass.begin(), by_mass.end(), type) != by_mass.end();
    if (!mass && type != "BSA")
      return warn("suv_type_unknown", "the SUV type (0054,1006) '" + *pet_.suv_type + "' is none of the standard");
    if ((type == "BSA") != (upper(*pet_.units) == "CM2ML"))
      warn("suv_type_conflict",
           "the SUV type (0054,1006) " + type + " does not go with units (0054,1001) " + *pet_.units);
  }

  // One correction: what (0028,0051) lists against what its method says.
  void read_correction(const char* what, std::string_view dicom, std::string_view plain,
                       const Fact<std::string>& method, const char* method_tag, const char* missing,
                       const char* conflict) {
    const bool listed = lists(*pet_.corrections, dicom, plain);
    label(std::string(listed ? "" : "not ") + what + " corrected");
    const std::string how = method ? upper(*method) : "";
    const bool none = how == "NONE" || how == "NO";
    if (listed && none)
      return warn(conflict, std::string("corrected image (0028,0051) lists ") + what + ", and its method " +
                                method_tag + " is NONE");
    if (!listed && !how.empty() && !none)
      return warn(conflict, std::string("corrected image (0028,0051) does not list ") + what + ", and its method " +
                                method_tag + " is given");
    if (!listed) warn(missing, std::string("the image is not ") + what + " corrected (0028,0051): SUV means little");
  }

  void read_corrections() {
    if (!pet_.corrections || pet_.corrections->empty())
      return warn("corrections_missing", "corrected image (0028,0051) is missing: what was corrected is not said");
    read_correction("attenuation", "ATTN", "ATTENUATION", pet_.attenuation_method, "(0054,1101)",
                    "not_attenuation_corrected", "attenuation_conflict");
    read_correction("scatter", "SCAT", "SCATTER", pet_.scatter_method, "(0054,1105)", "not_scatter_corrected",
                    "scatter_conflict");
  }

  void read_decay() {
    if (!pet_.decay_correction || pet_.decay_correction->empty())
      return warn("decay_correction_missing",
                  "decay correction (0054,1102) is missing: to which time the values refer is not said");
    const std::string how = upper(*pet_.decay_correction);
    if (how != "START" && how != "ADMIN" && how != "NONE")
      return warn("decay_correction_unknown",
                  "decay correction (0054,1102) '" + *pet_.decay_correction + "' is not START, ADMIN or NONE");
    label(how == "NONE"    ? "not decay corrected"
          : how == "START" ? "decay corrected to scan start"
                           : "decay corrected to injection");
    const bool given = pet_.corrections && !pet_.corrections->empty(),
               listed = given && lists(*pet_.corrections, "DECY", "DECAY");
    if (given && listed == (how == "NONE"))
      warn("decay_conflict", "decay correction (0054,1102) is " + how + ", and corrected image (0028,0051) " +
                                 (listed ? "lists" : "lacks") + " DECY");
    else if (how == "NONE")
      warn("not_decay_corrected", "the values are not decay corrected (0054,1102)");
  }

  void read_dose() {
    if (!pet_.injected_dose_bq || !(*pet_.injected_dose_bq > 0))
      return warn("dose_missing", "the injected dose (0018,1074) is missing");
    const double dose = *pet_.injected_dose_bq;
    const std::string says = "the injected dose (0018,1074) is " + text_of(dose) + " Bq";
    if (dose >= 1 && dose < 1e4) return warn("dose_in_mbq", says + "; it looks like MBq (or mCi)");
    if (dose >= 1e4 && dose < 2e6) return warn("dose_in_kbq", says + "; it looks like kBq");
    // FDG of 2 GBq and more is not given; therapies with other nuclides are imaged too.
    if (dose < 1 || dose > plausible_row("injected dose")->high || (study_.tracer == "FDG" && dose > 2e9))
      warn("dose_implausible", says + ", which is given to nobody");
  }

  void read_weight() {
    if (!patient_.weight_kg || *patient_.weight_kg == 0)
      return warn("weight_missing", "the patient weight (0010,1030) is missing or 0");
    const double kg = *patient_.weight_kg;
    const std::string says = "the patient weight (0010,1030) is " + text_of(kg) + " kg";
    const PlausibleRange& range = *plausible_row("patient weight");
    if (kg > 1000 && kg / 1000 >= range.low && kg / 1000 <= range.high)
      return warn("weight_in_grams", says + "; it looks like grams");
    if (kg < range.low || kg > range.high) return warn("weight_implausible", says + ", which cannot be");
    const auto height = height_m();
    if (height && (kg / (*height * *height) < 9 || kg / (*height * *height) > 90))
      return warn("weight_conflict",
                  says + " at a height (0010,1020) of " + text_of(*height) + " m, which cannot both be");
    if (patient_.age_years && ((*patient_.age_years >= 15 && kg < 20) || (*patient_.age_years <= 2 && kg > 35)))
      return warn("weight_conflict",
                  says + " at an age (0010,1010) of " + text_of(*patient_.age_years) + " years, which cannot both be");
    if (!height && !patient_.age_years && kg < 20)
      warn("weight_conflict", says + ", a small child's, and neither age nor height confirms it");
  }

  [[nodiscard]] std::optional<double> height_m() const {
    if (!patient_.height_m) return {};
    const PlausibleRange& range = *plausible_row("patient height");
    const double h = *patient_.height_m;
    return h >= range.low && h <= range.high ? std::optional(h) : std::nullopt;
  }

  void read_height() {
    if (!patient_.height_m || *patient_.height_m == 0 || height_m()) return;
    const double h = *patient_.height_m;
    if (h >= 25 && h <= 260)
      return warn("height_in_cm", "the patient size (0010,1020) is " + text_of(h) + " m; it looks like cm");
    warn("height_implausible", "the patient size (0010,1020) is " + text_of(h) + " m, which cannot be");
  }

  void read_times() {
    if (!pet_.injection_time_s) return warn("injection_time_missing", "the injection time (0018,1078) is missing");
    const Fact<double>& start = pet_.series_time_s ? pet_.series_time_s : pet_.acquisition_time_s;
    if (!start)
      return warn("scan_time_missing", "series time (0008,0031) and acquisition time (0008,0032) are missing");
    double begins = *start;
    if (pet_.series_time_s && pet_.acquisition_time_s && *pet_.series_time_s > *pet_.acquisition_time_s + 0.5) {
      note("series_after_acquisition",
           "the series time (0008,0031) lies after the acquisition (0008,0032): the series was made later");
      begins = *pet_.acquisition_time_s;
    }
    const double uptake = begins - *pet_.injection_time_s;
    const std::string says =
        "the scan begins " + text_of(std::round(uptake / 60)) + " minutes after the injection (0018,1078)";
    if (uptake < -43200 && uptake > -86400)
      return warn("over_midnight", says + ": midnight lies between them, and a date is missing");
    if (uptake < -60) return warn("injection_after_scan", says + ": the injection comes after the scan");
    const Nuclide* nuclide = study_.isotope.empty() ? nullptr : nuclide_by_text(study_.isotope);
    const double longest = study_.tracer == "FDG" ? 5 * 3600.0
                           : nuclide != nullptr   ? 8 * nuclide->half_life_s
                                                  : plausible_row("uptake time")->high;
    if (uptake > longest)
      return warn("uptake_long", says + ", too late for " + (study_.tracer.empty() ? "this isotope" : study_.tracer));
    if (study_.tracer == "FDG" && uptake < 30 * 60 && uptake > 60)
      note("uptake_short", says + ": FDG has not yet been taken up");
  }

  void read_frames() {
    if (pet_.frame_duration_ms && !(*pet_.frame_duration_ms > 0 && *pet_.frame_duration_ms < 86400e3))
      warn("frame_duration",
           "the frame duration (0018,1242) is " + text_of(*pet_.frame_duration_ms) + " ms, which cannot be");
    if (pet_.frame_reference_time_ms &&
        !(*pet_.frame_reference_time_ms >= 0 && *pet_.frame_reference_time_ms < 86400e3))
      warn("frame_reference_time", "the frame reference time (0054,1300) is " + text_of(*pet_.frame_reference_time_ms) +
                                       " ms, which cannot be");
  }

  const PetFacts& pet_;
  const PatientFacts& patient_;
  const Nuclide* by_name_ = nullptr;
  bool is_suv_ = false;
  Study study_;
};

}  // namespace

std::string_view tracer_named(std::string_view text) {
  const std::string words = upper(text);
  for (const TracerRow& row : tracers)
    if (has_token(words, row.word)) return row.name;
  return {};
}

Study study_of(const PetFacts& pet, const PatientFacts& patient, Stage stage) {
  return Reader(pet, patient).read(stage);
}

}  // namespace penta::pet
