#include "io/dicom/write_image.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "core/error.h"
#include "io/dicom/write_image_parts.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom {

namespace parts {

namespace {

std::string first_given(const std::string& a, const std::string& b) { return a.empty() ? b : a; }

void put_patient_study(DcmDataset& data, const PatientFacts& patient) {
  if (patient.weight_kg) put_decimal(data, DCM_PatientWeight, *patient.weight_kg);
  if (patient.height_m) put_decimal(data, DCM_PatientSize, *patient.height_m);
  if (!patient.age_years || *patient.age_years < 0 || *patient.age_years > 999) return;
  std::array<char, 8> age{};
  std::snprintf(age.data(), age.size(), "%03dY", static_cast<int>(*patient.age_years));
  put(data, DCM_PatientAge, age.data());
}

int series_number_of(const Acquisition& source) {
  int number = 1;
  const std::string& text = source.series_number;
  static_cast<void>(std::from_chars(text.data(), text.data() + text.size(), number));
  return number;
}

void put_times(DcmDataset& data, const Acquisition& source, const Provenance& provenance) {
  Moment series{first_given(source.series_date, provenance.creation_time.substr(0, 8)),
                first_given(source.series_time, provenance.creation_time.substr(8))};
  Moment acquired = series;
  if (const auto* pet = facts_of<PetFacts>(source)) {
    // SUV is decayed to the series time, so it must be the source's to the fraction of a second.
    if (pet->series_time_s) series = moment_of(*pet->series_time_s);
    acquired = pet->acquisition_time_s ? moment_of(*pet->acquisition_time_s) : series;
  }
  put(data, DCM_SeriesDate, series.date);
  put(data, DCM_SeriesTime, series.time);
  put(data, DCM_AcquisitionDate, acquired.date);
  put(data, DCM_AcquisitionTime, acquired.time);
  put(data, DCM_ContentDate, acquired.date);
  put(data, DCM_ContentTime, acquired.time);
}

}  // namespace

Moment moment_of(double seconds) {
  const double whole_days = std::floor(seconds / 86400);
  const std::int64_t micros = std::llround((seconds - whole_days * 86400) * 1e6);
  const std::int64_t carried = micros / 86400000000;
  const std::int64_t of_day = micros % 86400000000;
  // Civil date from days, the inverse of counting days in eras of 400 years from 1 March of year 0.
  const std::int64_t z = static_cast<std::int64_t>(whole_days) + carried + 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
  const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * of_year + 2) / 153, month = shifted < 10 ? shifted + 3 : shifted - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  std::array<char, 40> date{}, time{};
  std::snprintf(date.data(), date.size(), "%04d%02d%02d", static_cast<int>(year), static_cast<int>(month),
                static_cast<int>(of_year - (153 * shifted + 2) / 5 + 1));
  const auto second = static_cast<int>(of_day / 1000000);
  std::snprintf(time.data(), time.size(), "%02d%02d%02d.%06d", second / 3600, second / 60 % 60, second % 60,
                static_cast<int>(of_day % 1000000));
  return {date.data(), time.data()};
}

std::string put_image(DcmDataset& data, const char* sop_class, const std::string& image_type, std::int64_t index,
                      const Acquisition& source, const Derivation& derivation, const Provenance& provenance) {
  const std::string uid = uid_for(provenance, "image instance", index);
  const std::string modality = source.modality == "PET"                                ? "PT"
                               : source.modality == "SPECT" || source.modality == "NM" ? "NM"
                                                                                       : source.modality;
  put_patient_and_study(data, source, provenance);
  put_patient_study(data, source.patient);
  put_series(data, modality, uid_for(provenance, "image series"), series_number_of(source),
             first_given(source.series_description, provenance.method), source, provenance);
  put_equipment_and_sop(data, sop_class, uid, source, provenance);
  put_contributing_equipment(data, provenance);
  put_times(data, source, provenance);
  // PET and NM know no other second value than PRIMARY (PS3.3 C.8.9.4.1.3, C.8.4.9.1.1).
  const bool primary = derivation.primary || modality == "PT" || modality == "NM";
  put(data, DCM_ImageType,
      std::string(primary ? "DERIVED\\PRIMARY" : "DERIVED\\SECONDARY") + (image_type.empty() ? "" : "\\" + image_type));
  put_integer(data, DCM_InstanceNumber, index + 1);
  put_integer(data, DCM_AcquisitionNumber, 1);
  if (modality != "PT" && modality != "NM") put(data, DCM_PatientPosition, source.patient_position);
  put(data, DCM_PatientOrientation, "");
  put_body_part(data, source);
  if (!source.protocol.empty()) put_text(data, DCM_ProtocolName, source.protocol);
  return uid;
}

void put_pixel_description(DcmDataset& data, std::int64_t columns, std::int64_t rows, int samples, int bits,
                           bool is_signed) {
  if (columns > 65535 || rows > 65535) throw Error(Code::bad_input, "writing DICOM: more than 65535 rows or columns");
  put_u16(data, DCM_SamplesPerPixel, static_cast<std::uint16_t>(samples));
  put(data, DCM_PhotometricInterpretation, samples == 3 ? "RGB" : "MONOCHROME2");
  if (samples == 3) put_u16(data, DCM_PlanarConfiguration, 0);
  put_u16(data, DCM_Rows, static_cast<std::uint16_t>(rows));
  put_u16(data, DCM_Columns, static_cast<std::uint16_t>(columns));
  put_u16(data, DCM_BitsAllocated, static_cast<std::uint16_t>(bits));
  put_u16(data, DCM_BitsStored, static_cast<std::uint16_t>(bits));
  put_u16(data, DCM_HighBit, static_cast<std::uint16_t>(bits - 1));
  put_u16(data, DCM_PixelRepresentation, is_signed ? 1 : 0);
}

void put_nuclear_orientation(DcmDataset& data, const std::string& patient_position) {
  const bool head = patient_position.starts_with("HF"), supine = patient_position.ends_with('S');
  const bool known =
      patient_position == "HFS" || patient_position == "HFP" || patient_position == "FFS" || patient_position == "FFP";
  if (!known) {
    put_empty_sequence(data, DCM_PatientOrientationCodeSequence);
    put_empty_sequence(data, DCM_PatientGantryRelationshipCodeSequence);
    return;
  }
  add_code(data, DCM_PatientOrientationCodeSequence, {"SCT", "102538003", "recumbent"});
  DcmItem* lying = nullptr;
  data.findOrCreateSequenceItem(DCM_PatientOrientationCodeSequence, lying, 0);
  add_code(*lying, DCM_PatientOrientationModifierCodeSequence,
           supine ? CodedConcept{"SCT", "40199007", "supine"} : CodedConcept{"SCT", "1240000", "prone"});
  add_code(data, DCM_PatientGantryRelationshipCodeSequence,
           head ? CodedConcept{"SCT", "102540008", "headfirst"} : CodedConcept{"SCT", "102541007", "feet-first"});
}

std::vector<double> slice_values(const AnyVolume& volume, std::int64_t z) {
  return std::visit(
      [z](const auto& v) {
        using T = std::decay_t<decltype(v.voxels()[0])>;
        std::vector<double> values;
        if constexpr (std::is_arithmetic_v<T>) {
          const auto plane = static_cast<std::size_t>(v.grid().size()[0] * v.grid().size()[1]);
          const auto from = v.voxels().subspan(static_cast<std::size_t>(z) * plane, plane);
          values.assign(from.begin(), from.end());
        } else {
          throw Error(Code::bad_input, "writing DICOM: colour and complex volumes are not written");
        }
        return values;
      },
      volume);
}

std::vector<std::uint16_t> stored_words(std::span<const double> values, const Scaling& scaling) {
  std::vector<std::uint16_t> words;
  words.reserve(values.size());
  for (const double value : values) {
    if (!std::isfinite(value)) throw Error(Code::bad_input, "writing DICOM: a voxel is not a finite number");
    const std::int64_t stored = std::llround((value - scaling.intercept) / scaling.slope);
    words.push_back(static_cast<std::uint16_t>(stored));
  }
  return words;
}

}  // namespace parts

WrittenImage write_derived_image(const Image& image, const Derivation& derivation, const Provenance& provenance) {
  const std::string& modality = image.acquisition.modality;
  const parts::Job job{image, derivation, provenance};
  if (modality == "US") return parts::write_frames(job);
  const bool enhanced = derivation.form == ImageForm::enhanced;
  if (modality == "CT" || modality == "MR") return enhanced ? parts::write_enhanced(job) : parts::write_slices(job);
  if (modality == "PET") {
    WrittenImage out = parts::write_slices(job);
    if (enhanced)
      out.remarks.push_back({Severity::note, "enhanced_not_possible",
                             "Enhanced PET must say how the tracer was given and which corrections were made, which is "
                             "not known here: written as single frames"});
    return out;
  }
  if (modality == "SPECT" || modality == "NM") return parts::write_recon_tomo(job);
  throw Error(Code::bad_input, modality.empty()
                                   ? "writing DICOM: the modality of the image is not known (--set modality=CT)"
                                   : "writing DICOM: images of modality '" + modality + "' are not written");
}

std::vector<WrittenInstance> write_image(const Image& image, const Provenance& provenance) {
  return write_derived_image(image, {}, provenance).instances;
}

}  // namespace penta::io::dicom
