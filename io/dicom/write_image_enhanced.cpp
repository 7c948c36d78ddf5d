#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/hash.h"
#include "io/dicom/write_image_parts.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom::parts {

namespace {

// What tells the enhanced classes apart (PS3.3 A.36, A.38).
struct Kind {
  const char* modality;
  const char* sop_class;
  DcmTagKey frame_type;
};

Kind kind_of(const std::string& modality) {
  if (modality == "CT") return {"CT", UID_EnhancedCTImageStorage, DCM_CTImageFrameTypeSequence};
  return {"MR", UID_EnhancedMRImageStorage, DCM_MRImageFrameTypeSequence};
}

// PS3.3 C.8.16.2.
void put_description(DcmItem& item, const std::string& modality) {
  put(item, DCM_PixelPresentation, "MONOCHROME");
  put(item, DCM_VolumetricProperties, "VOLUME");
  put(item, DCM_VolumeBasedCalculationTechnique, "NONE");
  if (modality != "MR") return;
  put(item, DCM_ComplexImageComponent, "MAGNITUDE");
  put(item, DCM_AcquisitionContrast, "UNKNOWN");
}

// The third and fourth value: flavour and derived contrast (PS3.3 C.8.16.1.3, C.8.16.1.4).
constexpr const char* flavour = "VOLUME\\NONE";

void put_frame_type(DcmItem& shared, const Kind& kind) {
  DcmItem& type = add_item(shared, kind.frame_type);
  put(type, DCM_FrameType, std::string("DERIVED\\PRIMARY\\") + flavour);
  put_description(type, kind.modality);
}

void put_geometry(DcmItem& shared, const OutPlane& first) {
  DcmItem& measures = add_item(shared, DCM_PixelMeasuresSequence);
  put_decimals(measures, DCM_PixelSpacing, std::array{first.spacing_mm[1], first.spacing_mm[0]});
  if (first.thickness_mm > 0) {
    put_decimal(measures, DCM_SliceThickness, first.thickness_mm);
    put_decimal(measures, DCM_SpacingBetweenSlices, first.thickness_mm);
  } else {
    put(measures, DCM_SliceThickness, "1");
  }
  const Vector3 &r = first.row, &c = first.column;
  put_decimals(add_item(shared, DCM_PlaneOrientationSequence), DCM_ImageOrientationPatient,
               std::array{r[0], r[1], r[2], c[0], c[1], c[2]});
}

void put_transformation(DcmItem& groups, const Job& job, const Scaling& scaling) {
  DcmItem& row = add_item(groups, DCM_PixelValueTransformationSequence);
  put_decimal(row, DCM_RescaleIntercept, scaling.intercept);
  put_decimal(row, DCM_RescaleSlope, scaling.slope);
  put(row, DCM_RescaleType, job.image.unit == "[hnsf'U]" ? "HU" : "US");
}

// The exposure is the source's, whatever was made of it (PS3.3 C.8.15.3.15); its own UID is not among the facts.
void put_irradiation_event(DcmItem& shared, const Job& job) {
  const std::string& series = job.image.acquisition.series_uid;
  put(add_item(shared, DCM_IrradiationEventIdentificationSequence), DCM_IrradiationEventUID,
      series.empty() ? uid_for(job.provenance, "irradiation event") : uid_from(series + " irradiation event"));
}

// Facts of the acquisition as they stand in single frames. Their functional groups are for originals, which must say
// much more; a Standard Extended class may hold them here.
void put_facts(DcmDataset& data, const Acquisition& source) {
  if (const auto* ct = facts_of<CtFacts>(source)) {
    if (ct->tube_voltage_kv) put_decimal(data, DCM_KVP, *ct->tube_voltage_kv);
    if (ct->kernel) put_text(data, DCM_ConvolutionKernel, *ct->kernel, 16);
    if (ct->contrast_agent) put_text(data, DCM_ContrastBolusAgent, *ct->contrast_agent);
  }
  const auto* mr = facts_of<MrFacts>(source);
  if (mr == nullptr) return;
  if (mr->field_strength_t) put_double(data, DCM_MagneticFieldStrength, *mr->field_strength_t);
  if (mr->repetition_time_ms) put_decimal(data, DCM_RepetitionTime, *mr->repetition_time_ms);
  if (mr->inversion_time_ms) put_decimal(data, DCM_InversionTime, *mr->inversion_time_ms);
  if (mr->flip_angle_deg) put_decimal(data, DCM_FlipAngle, *mr->flip_angle_deg);
  if (mr->scanning_sequence) put(data, DCM_ScanningSequence, *mr->scanning_sequence);
  if (mr->sequence_variant) put(data, DCM_SequenceVariant, *mr->sequence_variant);
  if (mr->sequence_name) put_text(data, DCM_SequenceName, *mr->sequence_name, 16);
}

void put_echo(DcmItem& groups, double echo_ms) {
  if (echo_ms > 0) put_double(add_item(groups, DCM_MREchoSequence), DCM_EffectiveEchoTime, echo_ms);
}

// Without a source that has a name the sequence is empty (PS3.3 C.7.6.16.2.6, type 2): an item of it would ask for the
// evidence of its sources. What was done then stands outside the groups.
void put_derivation_of(DcmItem& group, const Job& job, std::span<const SourceInstance> sources,
                       const std::string& rounding) {
  const bool named = std::any_of(sources.begin(), sources.end(), [](const SourceInstance& s) {
    return !s.sop_instance_uid.empty() && !s.sop_class_uid.empty();
  });
  if (!named) return put_empty_sequence(group, DCM_DerivationImageSequence);
  put_derivation(add_item(group, DCM_DerivationImageSequence), job, sources, rounding);
}

void put_shared_groups(DcmDataset& data, const Job& job, const Kind& kind, const OutPlane& first,
                       const Scaling& scaling, const Rounding& rounding) {
  const Image& image = job.image;
  DcmItem& shared = add_item(data, DCM_SharedFunctionalGroupsSequence);
  put_geometry(shared, first);
  put_frame_type(shared, kind);
  DcmItem& anatomy = add_item(shared, DCM_FrameAnatomySequence);
  put(anatomy, DCM_FrameLaterality, "U");
  add_code(anatomy, DCM_AnatomicRegionSequence, region_code(image.acquisition.body_part));
  put_transformation(shared, job, scaling);
  if (image.unit == "[hnsf'U]") {
    DcmItem& window = add_item(shared, DCM_FrameVOILUTSequence);
    put(window, DCM_WindowCenter, "40");
    put(window, DCM_WindowWidth, "400");
  }
  const auto frames = first.slices * first.times;
  if (static_cast<std::int64_t>(image.acquisition.instances.size()) != frames) {
    put_derivation_of(shared, job, image.acquisition.instances, rounding.text());
  }
  if (image.acquisition.modality == "CT") put_irradiation_event(shared, job);
  const auto* mr = facts_of<MrFacts>(image.acquisition);
  if (mr != nullptr && image.axis != SequenceAxis::echo) put_echo(shared, mr->echo_time_ms.value.value_or(0));
}

// Stack, place in it, time: the order of frames for a reader (PS3.3 C.7.6.17).
void put_dimensions(DcmDataset& data, const Provenance& provenance, bool several_times) {
  const std::string uid = uid_for(provenance, "dimension organization");
  put(add_item(data, DCM_DimensionOrganizationSequence), DCM_DimensionOrganizationUID, uid);
  if (!several_times) put(data, DCM_DimensionOrganizationType, "3D");
  else put(data, DCM_DimensionOrganizationType, "3D_TEMPORAL");
  std::vector<DcmTagKey> keys{DCM_StackID, DCM_InStackPositionNumber};
  if (several_times) keys.insert(keys.begin(), DCM_TemporalPositionIndex);
  for (const DcmTagKey& key : keys) {
    DcmItem& row = add_item(data, DCM_DimensionIndexSequence);
    put(row, DCM_DimensionOrganizationUID, uid);
    put_tag(row, DCM_DimensionIndexPointer, key);
    put_tag(row, DCM_FunctionalGroupPointer, DCM_FrameContentSequence);
  }
}

void put_frame(DcmDataset& data, const Job& job, const OutPlane& plane, const Rounding& rounding) {
  const Image& image = job.image;
  DcmItem& own = add_item(data, DCM_PerFrameFunctionalGroupsSequence);
  put_position(add_item(own, DCM_PlanePositionSequence), plane.origin);
  DcmItem& content = add_item(own, DCM_FrameContentSequence);
  put(content, DCM_StackID, "1");
  const auto place = static_cast<std::uint32_t>(plane.slice + 1), time = static_cast<std::uint32_t>(plane.time + 1);
  put_u32(content, DCM_InStackPositionNumber, place);
  std::vector<std::uint32_t> index{1, place};
  if (plane.times > 1) {
    put_u32(content, DCM_TemporalPositionIndex, time);
    index.insert(index.begin(), time);
  }
  put_u32s(content, DCM_DimensionIndexValues, index);
  const std::int64_t frames = plane.slices * plane.times;
  if (static_cast<std::int64_t>(image.acquisition.instances.size()) == frames) {
    put_derivation_of(own, job, sources_of(image, plane.slice + plane.slices * plane.time, frames), rounding.text());
  }
  const auto at = static_cast<std::size_t>(plane.time);
  if (at >= image.axis_values.size() || image.acquisition.modality != "MR") return;
  if (image.axis == SequenceAxis::echo) put_echo(own, image.axis_values[at]);
  if (image.axis == SequenceAxis::b_value)
    put_double(add_item(own, DCM_MRDiffusionSequence), DCM_DiffusionBValue, image.axis_values[at]);
}

// Source Image Evidence (PS3.3 C.8.13.1, C.8.15.2), beside the references of the frames.
void put_evidence(DcmDataset& data, const Acquisition& source) {
  DcmItem* series = nullptr;
  std::string last;
  for (SourceInstance instance : source.instances) {
    if (instance.sop_instance_uid.empty() || instance.sop_class_uid.empty() || source.series_uid.empty()) continue;
    if (instance.sop_instance_uid == last) continue;
    last = instance.sop_instance_uid;
    if (series == nullptr) {
      DcmItem& study = add_item(data, DCM_SourceImageEvidenceSequence);
      put(study, DCM_StudyInstanceUID, source.study_uid);
      series = &add_item(study, DCM_ReferencedSeriesSequence);
      put(*series, DCM_SeriesInstanceUID, source.series_uid);
    }
    instance.frame = 0;
    add_reference(*series, DCM_ReferencedSOPSequence, instance);
  }
}

void put_enhanced_image(DcmDataset& data, const Job& job, std::int64_t frames) {
  const Image& image = job.image;
  const std::string& modality = image.acquisition.modality;
  put_integer(data, DCM_NumberOfFrames, frames);
  put_moment(data, DCM_ContentDate, DCM_ContentTime, job.provenance);
  put_description(data, modality);
  put(data, DCM_ContentQualification, "RESEARCH");
  put(data, DCM_BurnedInAnnotation, "NO");
  put(data, DCM_LossyImageCompression, "00");
  put(data, DCM_PresentationLUTShape, "IDENTITY");
  put_empty_sequence(data, DCM_AcquisitionContextSequence);
  put_facts(data, image.acquisition);
  put_evidence(data, image.acquisition);
  if (modality == "MR") put(data, DCM_ApplicableSafetyStandardAgency, "OTHER");  // not known of a derived image
}

struct Gathered {
  std::vector<std::uint16_t> words;
  Rounding rounding;
  std::optional<OutPlane> first;
};

Gathered gather(const Image& image, const Scaling& scaling) {
  Gathered out;
  for_each_plane(image, [&](const OutPlane& plane) {
    if (!out.first) {
      out.first = plane;
      // Explicit length of pixel data has 32 bits (PS3.5 7.1.1).
      const auto bytes = plane.values.size() * 2 * static_cast<std::size_t>(plane.slices * plane.times);
      if (bytes >= 0xFFFFFFFEU) throw Error(Code::bad_input, "writing an enhanced image: more than 4 GiB of pixels");
      out.words.reserve(bytes / 2);
    }
    const auto stored = stored_words(plane.values, scaling);
    out.words.insert(out.words.end(), stored.begin(), stored.end());
    out.rounding.add(scaling.slope, largest_error(plane.values, scaling));
  });
  return out;
}

}  // namespace

WrittenImage write_enhanced(const Job& job) {
  const Image& image = job.image;
  const Kind kind = kind_of(image.acquisition.modality);
  const Scaling scaling = scaling_of_all(image);
  const Gathered all = gather(image, scaling);
  const OutPlane& first = all.first.value();
  DcmDataset data;
  WrittenInstance written;
  written.sop_instance_uid = put_image(data, kind.sop_class, flavour, 0, image.acquisition,
                                       {ImageForm::enhanced, true, {}, {}}, job.provenance);
  data.findAndDeleteElement(DCM_Laterality);  // it stands in the frame anatomy
  put_frame_of_reference(data, image.acquisition, job.provenance);
  put_pixel_description(data, first.columns, first.rows, 1, 16, scaling.is_signed);
  put_enhanced_image(data, job, first.slices * first.times);
  put_shared_groups(data, job, kind, first, scaling, all.rounding);
  put_dimensions(data, job.provenance, first.times > 1);
  for_each_plane(image, [&](const OutPlane& plane) { put_frame(data, job, plane, all.rounding); });
  put_common_references(data, image);
  if (!data.tagExists(DCM_ReferencedSeriesSequence)) put_derivation(data, job, {}, all.rounding.text());
  put_pixels(data, all.words);
  WrittenImage out;
  written.bytes = to_bytes(data);
  out.instances.push_back(std::move(written));
  out.remarks = all.rounding.remarks();
  return out;
}

}  // namespace penta::io::dicom::parts
