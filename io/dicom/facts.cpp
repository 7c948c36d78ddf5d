#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "io/dicom/diffusion.h"
#include "io/dicom/internal.h"
#include "io/dicom/private.h"

namespace penta::io::dicom {

namespace {

std::string name_of(Tag tag) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out = "(";
  for (const std::uint16_t part : {tag.group, tag.element}) {
    for (int shift = 12; shift >= 0; shift -= 4) out += digits[(part >> shift) & 15];
    out += ',';
  }
  out.back() = ')';
  return out;
}

Fact<double> number_fact(DcmItem& item, Tag tag, double factor = 1) {
  Fact<double> fact{number(item, tag), name_of(tag)};
  if (fact.value) *fact.value *= factor;
  return fact;
}

Fact<std::string> text_fact(DcmItem& item, Tag tag) {
  std::string value = text(item, tag);
  return {value.empty() ? std::nullopt : std::optional(std::move(value)), name_of(tag)};
}

// A number given in the file under a factor that depends on the vendor is left alone unless it is plainly right.
Fact<double> positive(Fact<double> fact) {
  if (fact.value && !(*fact.value > 0)) fact.value.reset();
  return fact;
}

// (0010,1010) is 3 digits and D, W, M or Y (PS3.5 6.2, AS).
Fact<double> age_of(DcmItem& data) {
  Fact<double> age{std::nullopt, name_of(tag::patient_age)};
  const std::string value = text(data, tag::patient_age);
  int count = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
  if (error != std::errc{} || end + 1 != value.data() + value.size()) return age;
  switch (*end) {
    case 'Y': age.value = count; break;
    case 'M': age.value = count / 12.0; break;
    case 'W': age.value = count * 7 / 365.25; break;
    case 'D': age.value = count / 365.25; break;
    default: break;
  }
  return age;
}

std::string modality_of(const std::string& dicom, DcmItem& data) {
  if (dicom == "CT" || dicom == "MR" || dicom == "US") return dicom;
  if (dicom == "IVUS") return "US";
  if (dicom == "PT") return "PET";
  if (dicom != "NM") return {};
  for (const std::string& word : words(data, tag::image_type))
    if (word.find("TOMO") != std::string::npos) return "SPECT";
  return "NM";
}

CtFacts ct_facts(DcmItem& data) {
  return {number_fact(data, tag::tube_voltage), number_fact(data, tag::exposure),
          number_fact(data, tag::slice_thickness), number_fact(data, tag::gantry_tilt),
          text_fact(data, tag::kernel), text_fact(data, tag::contrast_agent)};
}

Fact<double> private_fact(DcmItem& data, std::uint16_t group, const char* creator, std::uint8_t element, PrivateVr vr) {
  const auto tag = private_tag(data, group, creator, element);
  const auto values = tag ? private_numbers(data, *tag, vr) : std::vector<double>{};
  if (values.size() != 1) return {};
  return {values.front(), name_of(*tag)};
}

// Philips: stored = floating point value * scale slope + scale intercept; the rescale gives display values only.
void say_philips_scale(DcmItem& data, std::vector<Remark>& remarks) {
  constexpr const char* creator = "Philips MR Imaging DD 001";
  const auto slope = positive(private_fact(data, 0x2005, creator, 0x0E, PrivateVr::float32));
  const auto intercept = private_fact(data, 0x2005, creator, 0x0D, PrivateVr::float32);
  if (!slope) return;
  std::array<char, 160> numbers{};
  std::snprintf(numbers.data(), numbers.size(), "(stored - %.9g) / %.9g", intercept ? *intercept : 0.0, *slope);
  remarks.push_back({Severity::note, "philips_scale",
                     "values are Philips display values (rescaled); those that compare between series are " +
                         std::string(numbers.data()) + ", by scale intercept (2005,100D) and scale slope (2005,100E)"});
}

MrFacts mr_facts(DcmItem& data, std::vector<Remark>& remarks) {
  MrFacts facts;
  say_philips_scale(data, remarks);
  facts.field_strength_t = positive(number_fact(data, tag::field_strength));
  // Some files give gauss; no clinical magnet has more than 100 T.
  if (facts.field_strength_t && *facts.field_strength_t > 100) *facts.field_strength_t.value /= 10000;
  facts.echo_time_ms = number_fact(data, tag::echo_time);
  facts.repetition_time_ms = number_fact(data, tag::repetition_time);
  facts.inversion_time_ms = number_fact(data, tag::inversion_time);
  facts.flip_angle_deg = number_fact(data, tag::flip_angle);
  facts.slice_thickness_mm = number_fact(data, tag::slice_thickness);
  facts.b_value_s_per_mm2 = number_fact(data, tag::b_value);
  if (!facts.b_value_s_per_mm2)
    if (const auto b = diffusion_of(data).b_s_per_mm2) facts.b_value_s_per_mm2 = {b, "private"};
  facts.scanning_sequence = text_fact(data, tag::scanning_sequence);
  facts.sequence_variant = text_fact(data, tag::sequence_variant);
  facts.sequence_name = text_fact(data, tag::sequence_name);
  facts.contrast_agent = text_fact(data, tag::contrast_agent);
  return facts;
}

UsFacts us_facts(DcmItem& data) {
  return {number_fact(data, tag::frame_time), number_fact(data, tag::heart_rate), text_fact(data, tag::transducer)};
}

// (0018,1078) has the date; (0018,1072) has not, so it is taken as the day of the series, or the day before when the
// series would otherwise lie before the injection.
Fact<double> injection_time(DcmItem& item, const PetFacts& facts, const std::string& date,
                            std::vector<Remark>& remarks) {
  Fact<double> out{seconds_of_datetime(text(item, tag::injection_datetime)), name_of(tag::injection_datetime)};
  if (out.value) return out;
  out = {seconds_of(date, text(item, tag::injection_time)), name_of(tag::injection_time)};
  if (!out.value) return out;
  remarks.push_back({Severity::note, "injection_date_assumed",
                     "(0018,1072) gives the injection time without a date; the day of the series is assumed"});
  const Fact<double>& start = facts.series_time_s ? facts.series_time_s : facts.acquisition_time_s;
  if (start && *out.value > *start) *out.value -= 86400;
  return out;
}

// A GE series that was made afterwards has the time of that as its series time; the scan's own start is private.
// QIBA FDG-PET/CT, vendor-neutral pseudo-code for SUV: used where the series time lies after the acquisition.
void use_ge_scan_time(DcmItem& data, PetFacts& facts, std::vector<Remark>& remarks) {
  const auto tag = private_tag(data, 0x0009, "GEMS_PETD_01", 0x0D);
  const auto start = tag ? seconds_of_datetime(text(data, *tag)) : std::nullopt;
  if (!start || !facts.series_time_s || !facts.acquisition_time_s) return;
  if (*facts.series_time_s <= *facts.acquisition_time_s) return;
  facts.series_time_s = {start, name_of(*tag)};
  remarks.push_back({Severity::note, "ge_scan_time",
                     "the series time lies after the acquisition: the scan's start is taken from GE's private " +
                         name_of(*tag)});
}

Fact<double> philips_pet(DcmItem& data, std::uint8_t element) {
  auto fact = positive(private_fact(data, 0x7053, "Philips PET Private Group", element, PrivateVr::text));
  if (fact) return fact;
  return positive(number_fact(data, Tag{0x7053, static_cast<std::uint16_t>(0x1000 | element)}));
}

PetFacts pet_facts(DcmItem& data, std::vector<Remark>& remarks) {
  PetFacts facts;
  facts.units = text_fact(data, tag::units);
  facts.decay_correction = text_fact(data, tag::decay_correction);
  facts.corrections = text_fact(data, tag::corrections);
  facts.suv_type = text_fact(data, tag::suv_type);
  std::string date = text(data, tag::series_date);
  if (date.empty()) date = text(data, tag::study_date);
  facts.series_time_s = {seconds_of(date, text(data, tag::series_time)), name_of(tag::series_time)};
  std::string acquired = text(data, tag::acquisition_date);
  if (acquired.empty()) acquired = date;
  facts.acquisition_time_s = {seconds_of(acquired, text(data, tag::acquisition_time)), name_of(tag::acquisition_time)};
  if (!facts.acquisition_time_s)
    facts.acquisition_time_s = {seconds_of_datetime(text(data, tag::acquisition_datetime)),
                                name_of(tag::acquisition_datetime)};
  facts.frame_reference_time_ms = number_fact(data, tag::frame_reference_time);
  facts.frame_duration_ms = number_fact(data, tag::frame_duration);
  use_ge_scan_time(data, facts, remarks);
  facts.attenuation_method = text_fact(data, Tag{0x0054, 0x1101});
  facts.scatter_method = text_fact(data, Tag{0x0054, 0x1105});
  facts.philips_suv_factor = philips_pet(data, 0x00);
  facts.philips_activity_factor = philips_pet(data, 0x09);
  if (DcmItem* item = first_item(data, tag::radiopharmaceutical_sequence)) {
    facts.tracer = text_fact(*item, tag::radiopharmaceutical);
    if (DcmItem* code = first_item(*item, tag::radiopharmaceutical_code); code != nullptr && !facts.tracer)
      facts.tracer = text_fact(*code, tag::code_meaning);
    if (DcmItem* code = first_item(*item, tag::radionuclide_code); code != nullptr)
      facts.isotope = {text_fact(*code, tag::code_meaning).value, name_of(tag::radionuclide_code)};
    facts.injected_dose_bq = positive(number_fact(*item, tag::injected_dose));
    facts.half_life_s = positive(number_fact(*item, tag::half_life));
    facts.injection_time_s = injection_time(*item, facts, date, remarks);
  }
  return facts;
}

PatientFacts patient_facts(DcmItem& data) {
  PatientFacts patient;
  patient.name = text(data, tag::patient_name);
  patient.id = text(data, tag::patient_id);
  patient.birth_date = text(data, tag::patient_birth_date);
  patient.sex = text(data, tag::patient_sex);
  patient.age_years = age_of(data);
  patient.weight_kg = positive(number_fact(data, tag::patient_weight));
  patient.height_m = positive(number_fact(data, tag::patient_size));
  return patient;
}

// Days since 1970-01-01 of a proleptic Gregorian date.
std::int64_t days_of(int year, int month, int day) noexcept {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t of_era = y - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) noexcept {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::optional<double> seconds_of(std::string_view date, std::string_view time) noexcept {
  // ACR-NEMA wrote 1999.12.31 and 12:00:00; both are still met.
  std::string plain_date, plain_time;
  for (const char c : date) if (c != '.' && c != '-') plain_date += c;
  for (const char c : time) if (c != ':') plain_time += c;
  const auto year = digits(plain_date, 0, 4), month = digits(plain_date, 4, 2), day = digits(plain_date, 6, 2);
  const auto hour = digits(plain_time, 0, 2);
  if (!year || !month || !day || !hour || *month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23)
    return std::nullopt;
  double fraction = 0;
  if (plain_time.size() > 7 && plain_time[6] == '.')
    std::from_chars(plain_time.data() + 6, plain_time.data() + plain_time.size(), fraction);
  return static_cast<double>(days_of(*year, *month, *day)) * 86400.0 + *hour * 3600.0 +
         digits(plain_time, 2, 2).value_or(0) * 60.0 + digits(plain_time, 4, 2).value_or(0) + fraction;
}

std::optional<double> seconds_of_datetime(std::string_view datetime) noexcept {
  if (datetime.size() < 10) return std::nullopt;
  // An offset from UTC says nothing here: other times of the file are local to the same place (PS3.5 6.2, DT).
  const auto zone = datetime.find_first_of("+-", 8);
  return seconds_of(datetime.substr(0, 8), datetime.substr(8, zone == std::string_view::npos ? zone : zone - 8));
}

Acquisition acquisition_of(DcmItem& data, std::vector<Remark>& remarks) {
  Acquisition a;
  a.dicom_modality = text(data, tag::modality);
  a.modality = modality_of(a.dicom_modality, data);
  a.study_uid = text(data, tag::study_uid);
  a.series_uid = text(data, tag::series_uid);
  a.frame_of_reference_uid = text(data, tag::frame_of_reference);
  a.study_date = text(data, tag::study_date);
  a.study_time = text(data, tag::study_time);
  a.series_date = text(data, tag::series_date);
  a.series_time = text(data, tag::series_time);
  a.accession_number = text(data, tag::accession_number);
  a.study_id = text(data, tag::study_id);
  a.referring_physician = text(data, tag::referring_physician);
  a.study_description = text(data, tag::study_description);
  a.series_description = text(data, tag::series_description);
  a.series_number = text(data, tag::series_number);
  a.body_part = text(data, tag::body_part);
  a.protocol = text(data, tag::protocol);
  a.manufacturer = text(data, tag::manufacturer);
  a.model = text(data, tag::model);
  a.patient_position = text(data, tag::patient_position);
  a.image_type = text(data, tag::image_type);
  a.character_set = text(data, tag::character_set);
  a.synthetic = text(data, tag::synthetic_data) == "YES";
  a.patient = patient_facts(data);
  if (a.modality == "CT") a.facts = ct_facts(data);
  else if (a.modality == "MR") a.facts = mr_facts(data, remarks);
  else if (a.modality == "US") a.facts = us_facts(data);
  else if (a.modality == "PET") a.facts = pet_facts(data, remarks);
  else if (a.modality == "SPECT" || a.modality == "NM") read_nm_facts(data, a);
  return a;
}

}  // namespace penta::io::dicom
