#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "io/dicom/write_image_parts.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom::parts {

namespace {

// One slice on its way out.
struct Plane {
  std::int64_t columns = 0, rows = 0;
  std::array<double, 2> spacing_mm{};
  double thickness_mm = 0;
  PatientPoint origin;
  Vector3 row{}, column{};
  std::vector<double> values{};
  std::int64_t time = 0, times = 1, slices = 1;
};

struct Extremes {
  double low = 0, high = 0;
  bool whole = true;

  void add(std::span<const double> values) {
    for (const double value : values) {
      low = std::min(low, value);
      high = std::max(high, value);
      whole = whole && value == std::round(value);
    }
  }
};

// CT counts in whole HU; MR keeps whole numbers; all else spreads its range over 16 bits.
Scaling scaling_of(const Extremes& e, const std::string& modality) {
  const bool fits = e.low >= -32768 && e.high <= 32767;
  if (modality == "PET" && !(e.whole && fits)) return {std::max(std::max(e.high, -e.low), 1e-30) / 32767, 0, true};
  if (modality == "CT" && fits) return {1, 0, true};
  if (e.whole && fits) return {1, 0, true};
  if (e.whole && e.low >= 0 && e.high <= 65535) return {1, 0, false};
  return {(e.high - e.low) / 65535, e.low, false};
}

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

void put_mr(DcmDataset& data, const Image& image, const Scaling& scaling, const Plane& plane) {
  const auto* given = facts_of<MrFacts>(image.acquisition);
  const MrFacts facts = given != nullptr ? *given : MrFacts{};
  put(data, DCM_ScanningSequence, facts.scanning_sequence ? *facts.scanning_sequence : "RM");
  put(data, DCM_SequenceVariant, facts.sequence_variant ? *facts.sequence_variant : "NONE");
  put(data, DCM_ScanOptions, "");
  put(data, DCM_MRAcquisitionType, "");
  put(data, DCM_RepetitionTime, facts.repetition_time_ms ? decimal_text(*facts.repetition_time_ms) : "");
  put(data, DCM_EchoTime, facts.echo_time_ms ? decimal_text(*facts.echo_time_ms) : "");
  put(data, DCM_EchoTrainLength, "");
  put_fact(data, DCM_InversionTime, facts.inversion_time_ms);
  put_fact(data, DCM_FlipAngle, facts.flip_angle_deg);
  put_fact(data, DCM_MagneticFieldStrength, facts.field_strength_t);
  if (facts.sequence_name) put_text(data, DCM_SequenceName, *facts.sequence_name, 16);
  if (plane.times > 1) {
    put_integer(data, DCM_TemporalPositionIdentifier, plane.time + 1);
    put_integer(data, DCM_NumberOfTemporalPositions, plane.times);
  }
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
void put_pet(DcmDataset& data, const Image& image, const Scaling& scaling, const Plane& plane, std::int64_t index) {
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
  put_decimal(data, DCM_FrameReferenceTime, facts.frame_reference_time_ms.value.value_or(0));
  put_integer(data, DCM_ActualFrameDuration, std::llround(facts.frame_duration_ms.value.value_or(0)));
  put_u16(data, DCM_ImageIndex, static_cast<std::uint16_t>(index + 1));
  put_decimal(data, DCM_RescaleSlope, scaling.slope);
  put_decimal(data, DCM_RescaleIntercept, scaling.intercept);
}

WrittenInstance write_plane(const Image& image, const Plane& plane, Scaling scaling, std::int64_t index,
                            const Provenance& provenance) {
  const std::string& modality = image.acquisition.modality;
  const bool ct = modality == "CT", pet = modality == "PET";
  if (pet) {
    Extremes own;
    own.add(plane.values);
    scaling = scaling_of(own, modality);
    // The slope that stands in the file, so that reading gives what was rounded to it.
    scaling.slope = as_written(scaling.slope);
  }
  const char* const sop_class = ct    ? UID_CTImageStorage
                                : pet ? UID_PositronEmissionTomographyImageStorage
                                      : UID_MRImageStorage;
  DcmDataset data;
  WrittenInstance written;
  written.sop_instance_uid = put_image(data, sop_class,
                                       ct    ? "AXIAL"
                                       : pet ? ""
                                             : "OTHER",
                                       index, image.acquisition, provenance);
  put_frame_of_reference(data, image.acquisition, provenance);
  put_pixel_description(data, plane.columns, plane.rows, 1, 16, scaling.is_signed);
  put_decimals(data, DCM_PixelSpacing, std::array{plane.spacing_mm[1], plane.spacing_mm[0]});
  put(data, DCM_SliceThickness, plane.thickness_mm > 0 ? decimal_text(plane.thickness_mm) : "");
  put_position(data, plane.origin);
  const Vector3 &r = plane.row, &c = plane.column;
  put_decimals(data, DCM_ImageOrientationPatient, std::array{r[0], r[1], r[2], c[0], c[1], c[2]});
  if (plane.times > 1) put_integer(data, DCM_AcquisitionNumber, plane.time + 1);
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

// All slices of the image, made one at a time.
template <class Use>
void for_each_plane(const Image& image, const Use& use) {
  if (const auto* stack = std::get_if<SliceStack>(&image.pixels)) {
    for (const SliceStack::Slice& slice : stack->slices) {
      Plane plane{stack->width,    stack->height,   stack->spacing_mm, 0,
                  slice.origin_mm, stack->row_axis, stack->column_axis};
      plane.values.assign(slice.pixels.begin(), slice.pixels.end());
      plane.slices = static_cast<std::int64_t>(stack->slices.size());
      use(plane);
    }
    return;
  }
  const auto* volumes = std::get_if<VolumeSequence>(&image.pixels);
  if (volumes == nullptr)
    throw Error(Code::bad_input, "writing DICOM: pictures without a place in the patient are not slices of " +
                                     image.acquisition.modality);
  for (std::size_t t = 0; t < volumes->size(); ++t) {
    const Grid& grid = grid_of((*volumes)[t]);
    for (std::int64_t z = 0; z < grid.size()[2]; ++z) {
      Plane plane{grid.size()[0],
                  grid.size()[1],
                  {grid.spacing_mm()[0], grid.spacing_mm()[1]},
                  grid.spacing_mm()[2],
                  grid.to_patient({0, 0, static_cast<double>(z)}),
                  grid.axis(0),
                  grid.axis(1)};
      plane.values = slice_values((*volumes)[t], z);
      plane.time = static_cast<std::int64_t>(t), plane.times = static_cast<std::int64_t>(volumes->size());
      plane.slices = grid.size()[2];
      use(plane);
    }
  }
}

}  // namespace

std::vector<WrittenInstance> write_slices(const Image& image, const Provenance& provenance) {
  Extremes all;
  for_each_plane(image, [&](const Plane& plane) { all.add(plane.values); });
  Scaling scaling = scaling_of(all, image.acquisition.modality);
  scaling.slope = as_written(scaling.slope);
  scaling.intercept = as_written(scaling.intercept);
  std::vector<WrittenInstance> written;
  for_each_plane(image, [&](const Plane& plane) {
    written.push_back(write_plane(image, plane, scaling, static_cast<std::int64_t>(written.size()), provenance));
  });
  return written;
}

}  // namespace penta::io::dicom::parts
