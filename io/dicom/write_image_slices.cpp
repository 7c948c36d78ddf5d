#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "io/dicom/write_image_parts.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom::parts {

namespace {

void put_ct(DcmDataset& data, const Image& image, const Scaling& scaling) {
  const auto* facts = facts_of<CtFacts>(image.acquisition);
  const bool known = facts != nullptr && facts->tube_voltage_kv;
  put(data, DCM_KVP, known ? decimal_text(*facts->tube_voltage_kv) : "");
  if (facts != nullptr && facts->kernel) put_text(data, DCM_ConvolutionKernel, *facts->kernel, 16);
  if (facts != nullptr && facts->contrast_agent) put_text(data, DCM_ContrastBolusAgent, *facts->contrast_agent);
  put_decimal(data, DCM_RescaleSlope, scaling.slope);
  put_decimal(data, DCM_RescaleIntercept, scaling.intercept);
  put(data, DCM_RescaleType, image.unit == "[hnsf'U]" ? "HU" : "US");
  if (image.unit != "[hnsf'U]") return;
  put(data, DCM_WindowCenter, "40");
  put(data, DCM_WindowWidth, "400");
}

void put_fact(DcmDataset& data, const DcmTagKey& tag, const Fact<double>& fact) {
  if (fact) put_decimal(data, tag, *fact);
}

std::string echo_time_text(const Image& image, const MrFacts& facts, std::int64_t time) {
  const auto at = static_cast<std::size_t>(time);
  if (image.axis == SequenceAxis::echo && at < image.axis_values.size()) return decimal_text(image.axis_values[at]);
  return facts.echo_time_ms ? decimal_text(*facts.echo_time_ms) : "";
}

void put_mr(DcmDataset& data, const Image& image, const Scaling& scaling, const OutPlane& plane) {
  const auto* given = facts_of<MrFacts>(image.acquisition);
  const MrFacts facts = given != nullptr ? *given : MrFacts{};
  put(data, DCM_ScanningSequence, facts.scanning_sequence ? *facts.scanning_sequence : "RM");
  put(data, DCM_SequenceVariant, facts.sequence_variant ? *facts.sequence_variant : "NONE");
  put(data, DCM_ScanOptions, "");
  put(data, DCM_MRAcquisitionType, "");
  put(data, DCM_RepetitionTime, facts.repetition_time_ms ? decimal_text(*facts.repetition_time_ms) : "");
  put(data, DCM_EchoTime, echo_time_text(image, facts, plane.time));
  put(data, DCM_EchoTrainLength, "");
  put_fact(data, DCM_InversionTime, facts.inversion_time_ms);
  put_fact(data, DCM_FlipAngle, facts.flip_angle_deg);
  put_fact(data, DCM_MagneticFieldStrength, facts.field_strength_t);
  if (facts.sequence_name) put_text(data, DCM_SequenceName, *facts.sequence_name, 16);
  const auto at = static_cast<std::size_t>(plane.time);
  if (at < image.axis_values.size() && image.axis == SequenceAxis::b_value)
    put_double(data, DCM_DiffusionBValue, image.axis_values[at]);
  // Not of the MR Image module, but read by all: only where stored values are not the values.
  if (scaling.slope == 1 && scaling.intercept == 0) return;
  put_decimal(data, DCM_RescaleSlope, scaling.slope);
  put_decimal(data, DCM_RescaleIntercept, scaling.intercept);
  put(data, DCM_RescaleType, "US");
}

// PS3.3 C.8.9.2.
void put_radiopharmaceutical(DcmDataset& data, const PetFacts& facts) {
  DcmItem& row = add_item(data, DCM_RadiopharmaceuticalInformationSequence);
  put_empty_sequence(row, DCM_RadionuclideCodeSequence);
  if (facts.tracer) put_text(row, DCM_Radiopharmaceutical, *facts.tracer);
  if (facts.injected_dose_bq) put_decimal(row, DCM_RadionuclideTotalDose, *facts.injected_dose_bq);
  if (facts.half_life_s) put_decimal(row, DCM_RadionuclideHalfLife, *facts.half_life_s);
  if (!facts.injection_time_s) return;
  const Moment injected = moment_of(*facts.injection_time_s);
  put(row, DCM_RadiopharmaceuticalStartTime, injected.time);
  put(row, DCM_RadiopharmaceuticalStartDateTime, injected.date + injected.time);
}

// What a frame of this duration lost by decay, as START corrects it (PS3.3 C.8.9.4.1.1).
double decay_factor(const PetFacts& facts) {
  if (!facts.half_life_s || !facts.frame_duration_ms || !(*facts.half_life_s > 0) || !(*facts.frame_duration_ms > 0))
    return 1;
  const double x = std::log(2.0) * *facts.frame_duration_ms / 1000 / *facts.half_life_s;
  return x / -std::expm1(-x);
}

// PS3.3 C.8.9.1 and C.8.9.4.
void put_pet(DcmDataset& data, const Image& image, const Scaling& scaling, const OutPlane& plane, std::int64_t index) {
  const auto* given = facts_of<PetFacts>(image.acquisition);
  const PetFacts facts = given != nullptr ? *given : PetFacts{};
  const std::string by_unit = image.unit == "Bq/mL" ? "BQML" : image.unit == "g/mL" ? "GML" : "NONE";
  put(data, DCM_Units, facts.units ? *facts.units : by_unit);
  if (facts.suv_type) put(data, DCM_SUVType, *facts.suv_type);
  put(data, DCM_CountsSource, "EMISSION");
  put(data, DCM_SeriesType, plane.times > 1 ? "DYNAMIC\\IMAGE" : "STATIC\\IMAGE");
  put_u16(data, DCM_NumberOfSlices, static_cast<std::uint16_t>(plane.slices));
  if (plane.times > 1) put_u16(data, DCM_NumberOfTimeSlices, static_cast<std::uint16_t>(plane.times));
  const std::string decay = facts.decay_correction ? *facts.decay_correction : "NONE";
  put(data, DCM_CorrectedImage, facts.corrections ? *facts.corrections : decay == "NONE" ? "" : "DECY");
  put(data, DCM_DecayCorrection, decay);
  if (decay != "NONE") put_decimal(data, DCM_DecayFactor, decay_factor(facts));
  put(data, DCM_CollimatorType, "NONE");
  put_radiopharmaceutical(data, facts);
  put_nuclear_orientation(data, image.acquisition.patient_position);
  const auto at = static_cast<std::size_t>(plane.time);
  const bool timed = image.axis == SequenceAxis::time && at < image.axis_values.size();
  put_decimal(data, DCM_FrameReferenceTime,
              timed ? image.axis_values[at] * 1000 : facts.frame_reference_time_ms.value.value_or(0));
  put_integer(data, DCM_ActualFrameDuration, std::llround(facts.frame_duration_ms.value.value_or(0)));
  put_u16(data, DCM_ImageIndex, static_cast<std::uint16_t>(index + 1));
  put_decimal(data, DCM_RescaleSlope, scaling.slope);
  put_decimal(data, DCM_RescaleIntercept, scaling.intercept);
}

WrittenInstance write_plane(const Job& job, const OutPlane& plane, const Scaling& scaling, std::int64_t index,
                            std::span<const SourceInstance> sources) {
  const Image& image = job.image;
  const Provenance& provenance = job.provenance;
  const std::string& modality = image.acquisition.modality;
  const bool ct = modality == "CT", pet = modality == "PET";
  const char* const sop_class = ct    ? UID_CTImageStorage
                                : pet ? UID_PositronEmissionTomographyImageStorage
                                      : UID_MRImageStorage;
  DcmDataset data;
  WrittenInstance written;
  written.sop_instance_uid = put_image(data, sop_class,
                                       ct    ? "AXIAL"
                                       : pet ? ""
                                             : "OTHER",
                                       index, image.acquisition, job.derivation, provenance);
  put_derivation(data, job, sources, Rounding{scaling.slope, largest_error(plane.values, scaling)}.text());
  put_frame_of_reference(data, image.acquisition, provenance);
  put_pixel_description(data, plane.columns, plane.rows, 1, 16, scaling.is_signed);
  put_decimals(data, DCM_PixelSpacing, std::array{plane.spacing_mm[1], plane.spacing_mm[0]});
  put(data, DCM_SliceThickness, plane.thickness_mm > 0 ? decimal_text(plane.thickness_mm) : "");
  put_position(data, plane.origin);
  const Vector3 &r = plane.row, &c = plane.column;
  put_decimals(data, DCM_ImageOrientationPatient, std::array{r[0], r[1], r[2], c[0], c[1], c[2]});
  // Not of the CT and PET modules, but a CT series of several acquisitions is read as several images.
  if (plane.times > 1) {
    if (!ct) put_integer(data, DCM_AcquisitionNumber, plane.time + 1);
    put_integer(data, DCM_TemporalPositionIdentifier, plane.time + 1);
    put_integer(data, DCM_NumberOfTemporalPositions, plane.times);
  }
  if (ct)
    put_ct(data, image, scaling);
  else if (pet)
    put_pet(data, image, scaling, plane, index);
  else
    put_mr(data, image, scaling, plane);
  put_pixels(data, stored_words(plane.values, scaling));
  written.bytes = to_bytes(data);
  return written;
}

// Beyond this many sources that belong to no slice in particular, only the first instance names them.
constexpr std::size_t most_sources = 64;

}  // namespace

WrittenImage write_slices(const Job& job) {
  const Image& image = job.image;
  const Scaling all = scaling_of_all(image);
  Rounding rounding;
  WrittenImage out;
  for_each_plane(image, [&](const OutPlane& plane) {
    const auto index = static_cast<std::int64_t>(out.instances.size());
    Scaling scaling = all;
    if (image.acquisition.modality == "PET") {
      Extremes own;
      own.add(plane.values);
      scaling = scaling_of(own, "PET");
    }
    rounding.add(scaling.slope, largest_error(plane.values, scaling));
    auto sources = sources_of(image, index, plane.slices * plane.times);
    if (index > 0 && sources.size() > most_sources) sources = {};
    out.instances.push_back(write_plane(job, plane, scaling, index, sources));
  });
  out.remarks = rounding.remarks();
  return out;
}

}  // namespace penta::io::dicom::parts
