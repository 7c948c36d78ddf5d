#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "io/dicom/write_cielab.h"
#include "io/dicom/write_parts.h"
#include "io/dicom/write_seg_parts.h"

namespace penta::io::dicom::seg {

namespace {

std::optional<Match> match_planar(const LabelMap& labels, const Image& source, std::int64_t z) {
  const auto& instances = source.acquisition.instances;
  const auto index = static_cast<std::size_t>(z);
  if (instances.size() == 1 && instances[0].frame == 0 && labels.grid().size()[2] == 1)
    return Match{instances[0], true};
  if (index < instances.size()) return Match{instances[index], true};
  return std::nullopt;
}

CodedConcept side_code(Side side) {
  return side == Side::left ? CodedConcept{"SCT", "7771000", "Left"} : CodedConcept{"SCT", "24028007", "Right"};
}

void put_image_pixel(DcmDataset& data, const Plan& plan) {
  const Size3& size = plan.labels.grid().size();
  if (size[0] > 65535 || size[1] > 65535)
    throw Error(Code::bad_input, "writing a SEG: a slice of more than 65535 rows or columns");
  const bool wide = *std::max_element(plan.numbers.begin(), plan.numbers.end()) > 255;
  const std::uint16_t bits = plan.labelmap ? (wide ? 16 : 8) : 1;
  parts::put(data, DCM_ImageType, "DERIVED\\PRIMARY");
  parts::put_u16(data, DCM_SamplesPerPixel, 1);
  parts::put(data, DCM_PhotometricInterpretation, "MONOCHROME2");
  parts::put_integer(data, DCM_NumberOfFrames, static_cast<std::int64_t>(plan.keys.size()));
  parts::put_u16(data, DCM_Rows, static_cast<std::uint16_t>(size[1]));
  parts::put_u16(data, DCM_Columns, static_cast<std::uint16_t>(size[0]));
  parts::put_u16(data, DCM_BitsAllocated, bits);
  parts::put_u16(data, DCM_BitsStored, bits);
  parts::put_u16(data, DCM_HighBit, static_cast<std::uint16_t>(bits - 1));
  parts::put_u16(data, DCM_PixelRepresentation, 0);
  parts::put(data, DCM_LossyImageCompression, "00");
  parts::put(data, DCM_SegmentationType, plan.labelmap ? "LABELMAP" : "BINARY");
  parts::put(data, DCM_SegmentsOverlap, plan.labelmap || plan.labels.layers.size() == 1 ? "NO" : "YES");
  parts::put(data, DCM_ContentLabel, "SEGMENTATION");
  parts::put(data, DCM_ContentDescription, "");
  parts::put(data, DCM_ContentCreatorName, "Pentascope^Engine");
  parts::put_integer(data, DCM_InstanceNumber, 1);
  // Sup 243: the padding value is what no segment holds.
  if (plan.labelmap) parts::put_u16(data, DCM_PixelPaddingValue, 0);
}

void put_algorithm(DcmItem& row, const Provenance& provenance) {
  parts::put(row, DCM_SegmentAlgorithmType, "AUTOMATIC");
  parts::put_text(row, DCM_SegmentAlgorithmName,
                  provenance.method.empty() ? "Pentascope" : provenance.method + " " + provenance.method_version);
}

void put_background(DcmDataset& data, const Provenance& provenance) {
  const CodedConcept background{"DCM", "125040", "Background"};
  DcmItem& row = parts::add_item(data, DCM_SegmentSequence);
  parts::put_u16(row, DCM_SegmentNumber, 0);
  parts::put_text(row, DCM_SegmentLabel, "Background");
  put_algorithm(row, provenance);
  parts::add_code(row, DCM_SegmentedPropertyCategoryCodeSequence, background);
  parts::add_code(row, DCM_SegmentedPropertyTypeCodeSequence, background);
  parts::put_u16s(row, DCM_RecommendedDisplayCIELabValue, cielab_from_rgb({0, 0, 0}));
}

void put_segment(DcmDataset& data, const Plan& plan, std::size_t index) {
  const Segment& segment = plan.labels.segments[index];
  const std::string name = segment.name.empty() ? "segment " + std::to_string(plan.numbers[index]) : segment.name;
  DcmItem& row = parts::add_item(data, DCM_SegmentSequence);
  parts::put_u16(row, DCM_SegmentNumber, plan.numbers[index]);
  parts::put_text(row, DCM_SegmentLabel, name);
  put_algorithm(row, plan.provenance);
  const CodedConcept tissue{"SCT", "85756007", "Tissue"};
  parts::add_code(
      row, DCM_SegmentedPropertyCategoryCodeSequence,
      segment.category.empty() ? CodedConcept{"SCT", "91723000", "Anatomical Structure"} : segment.category);
  if (segment.type.empty()) parts::put(row, DCM_SegmentDescription, no_type_code_text);
  parts::add_code(row, DCM_SegmentedPropertyTypeCodeSequence, segment.type.empty() ? tissue : segment.type);
  if (segment.side != Side::none) {
    DcmItem* type = nullptr;
    row.findOrCreateSequenceItem(DCM_SegmentedPropertyTypeCodeSequence, type, 0);
    parts::add_code(*type, DCM_SegmentedPropertyTypeModifierCodeSequence, side_code(segment.side));
  }
  parts::put_u16s(row, DCM_RecommendedDisplayCIELabValue, cielab_from_rgb(segment.colour));
  parts::put_text(row, DCM_TrackingID, name, 120);
  parts::put(row, DCM_TrackingUID, tracking_uid(plan.provenance, index));
}

void put_dimension(DcmDataset& data, const std::string& organization, const DcmTagKey& pointer, const DcmTagKey& group,
                   const char* label) {
  DcmItem& row = parts::add_item(data, DCM_DimensionIndexSequence);
  parts::put(row, DCM_DimensionOrganizationUID, organization);
  parts::put_tag(row, DCM_DimensionIndexPointer, pointer);
  parts::put_tag(row, DCM_FunctionalGroupPointer, group);
  parts::put(row, DCM_DimensionDescriptionLabel, label);
}

void put_dimensions(DcmDataset& data, const Plan& plan) {
  const std::string uid = parts::uid_for(plan.provenance, "seg dimensions");
  parts::put(parts::add_item(data, DCM_DimensionOrganizationSequence), DCM_DimensionOrganizationUID, uid);
  if (!plan.labelmap)
    put_dimension(data, uid, DCM_ReferencedSegmentNumber, DCM_SegmentIdentificationSequence, "Segment");
  if (plan.labels.planar)
    put_dimension(data, uid, DCM_InStackPositionNumber, DCM_FrameContentSequence, "Frame of the source");
  else
    put_dimension(data, uid, DCM_ImagePositionPatient, DCM_PlanePositionSequence, "Position");
}

void put_shared(DcmDataset& data, const LabelMap& labels) {
  DcmItem& shared = parts::add_item(data, DCM_SharedFunctionalGroupsSequence);
  // The frames of plain labels have the size of the source's frames, to which each refers.
  if (labels.planar) return;
  const Vector3& spacing = labels.grid().spacing_mm();
  DcmItem& measures = parts::add_item(shared, DCM_PixelMeasuresSequence);
  parts::put_decimals(measures, DCM_PixelSpacing, std::array{spacing[1], spacing[0]});
  parts::put_decimal(measures, DCM_SliceThickness, spacing[2]);
  parts::put_decimal(measures, DCM_SpacingBetweenSlices, spacing[2]);
  parts::put_orientation(parts::add_item(shared, DCM_PlaneOrientationSequence), labels.grid());
}

// PS3.3 C.12.2: every instance that a frame refers to.
void put_common_references(DcmDataset& data, const Plan& plan) {
  if (plan.source.acquisition.series_uid.empty()) return;
  std::vector<SourceInstance> used;
  std::set<std::string> seen;
  for (const FrameKey& key : plan.keys)
    if (const auto& match = plan.matches[static_cast<std::size_t>(key.slice)];
        match && seen.insert(match->instance.sop_instance_uid).second)
      used.push_back(match->instance);
  if (used.empty()) return;
  DcmItem& series = parts::add_item(data, DCM_ReferencedSeriesSequence);
  parts::put(series, DCM_SeriesInstanceUID, plan.source.acquisition.series_uid);
  for (SourceInstance instance : used) {
    instance.frame = 0;
    parts::add_reference(series, DCM_ReferencedInstanceSequence, instance);
  }
}

// Order number, from 1, of each slice that has a frame.
std::map<std::int64_t, std::uint32_t> slice_ranks(const Plan& plan) {
  std::map<std::int64_t, std::uint32_t> ranks;
  for (const FrameKey& key : plan.keys) ranks[key.slice] = 0;
  std::uint32_t rank = 0;
  for (auto& [slice, number] : ranks) number = ++rank;
  return ranks;
}

void put_frame(DcmItem& frame, const Plan& plan, const FrameKey& key, std::uint32_t rank) {
  DcmItem& content = parts::add_item(frame, DCM_FrameContentSequence);
  const std::uint16_t number = plan.labelmap ? 0 : plan.numbers[static_cast<std::size_t>(key.segment)];
  if (plan.labelmap)
    parts::put_u32s(content, DCM_DimensionIndexValues, std::array{rank});
  else
    parts::put_u32s(content, DCM_DimensionIndexValues, std::array{std::uint32_t{number}, rank});
  if (plan.labels.planar) {
    parts::put(content, DCM_StackID, "1");
    parts::put_u32(content, DCM_InStackPositionNumber, static_cast<std::uint32_t>(key.slice + 1));
  } else {
    const PatientPoint corner = plan.labels.grid().to_patient({0, 0, static_cast<double>(key.slice)});
    parts::put_position(parts::add_item(frame, DCM_PlanePositionSequence), corner);
  }
  if (!plan.labelmap)
    parts::put_u16(parts::add_item(frame, DCM_SegmentIdentificationSequence), DCM_ReferencedSegmentNumber, number);
  if (const auto& match = plan.matches[static_cast<std::size_t>(key.slice)])
    put_derivation(frame, *match, {"DCM", "113076", "Segmentation"});
}

}  // namespace

std::optional<Match> match_plane(const Grid& grid, const Image& source, std::int64_t z) {
  const auto* volumes = std::get_if<VolumeSequence>(&source.pixels);
  if (volumes == nullptr || volumes->empty()) return std::nullopt;
  const Grid& from = grid_of(volumes->front());
  const auto& instances = source.acquisition.instances;
  if (static_cast<std::int64_t>(instances.size()) < from.size()[2]) return std::nullopt;
  if (std::abs(std::abs(dot(grid.axis(2), from.axis(2))) - 1) > 1e-4) return std::nullopt;
  const double at = from.to_index(grid.to_patient({0, 0, static_cast<double>(z)})).z;
  const double slice = std::round(at);
  if (std::abs(at - slice) > 0.02 || slice < 0 || slice >= static_cast<double>(from.size()[2])) return std::nullopt;
  return Match{instances[static_cast<std::size_t>(slice)], grid.same_as(from)};
}

void put_derivation(DcmItem& frame, const Match& match, const CodedConcept& how) {
  DcmItem& derivation = parts::add_item(frame, DCM_DerivationImageSequence);
  parts::add_code(derivation, DCM_DerivationCodeSequence, how);
  parts::add_reference(derivation, DCM_SourceImageSequence, match.instance);
  DcmItem* row = nullptr;
  derivation.findOrCreateSequenceItem(DCM_SourceImageSequence, row, 0);
  parts::put(*row, DCM_SpatialLocationsPreserved, match.same_pixels ? "YES" : "NO");
  parts::add_code(*row, DCM_PurposeOfReferenceCodeSequence,
                  {"DCM", "121322", "Source image for image processing operation"});
}

std::optional<Match> match_slice(const LabelMap& labels, const Image& source, std::int64_t z) {
  const auto match = labels.planar ? match_planar(labels, source, z) : match_plane(labels.grid(), source, z);
  // Files without a SOP Instance UID are met (anonymised by hand, say): nothing can refer to them.
  if (match && (match->instance.sop_instance_uid.empty() || match->instance.sop_class_uid.empty())) return std::nullopt;
  return match;
}

void put_modules(DcmDataset& data, const Plan& plan) {
  const Acquisition& acquisition = plan.source.acquisition;
  const Provenance& provenance = plan.provenance;
  parts::put_patient_and_study(data, acquisition, provenance);
  parts::put_series(data, "SEG", seg_series_uid(provenance), 100, "Segmentation " + provenance.method, acquisition,
                    provenance);
  parts::put_equipment_and_sop(data, seg_class_uid(plan.labelmap ? SegType::labelmap : SegType::binary),
                               seg_instance_uid(provenance), acquisition, provenance);
  parts::put_contributing_equipment(data, provenance);
  parts::put_moment(data, DCM_ContentDate, DCM_ContentTime, provenance);
  if (!plan.labels.planar || !acquisition.frame_of_reference_uid.empty())
    parts::put_frame_of_reference(data, acquisition, provenance);
  if (plan.labels.planar) parts::put(data, DCM_PatientOrientation, "");
  put_image_pixel(data, plan);
  put_dimensions(data, plan);
  if (plan.labelmap) put_background(data, provenance);
  for (std::size_t s = 0; s < plan.labels.segments.size(); ++s) put_segment(data, plan, s);
  put_shared(data, plan.labels);
  put_common_references(data, plan);
}

std::vector<std::byte> frame_items(const Plan& plan) {
  const auto ranks = slice_ranks(plan);
  return parts::item_bytes(static_cast<std::int64_t>(plan.keys.size()), [&](std::int64_t index, DcmItem& frame) {
    const FrameKey& key = plan.keys[static_cast<std::size_t>(index)];
    put_frame(frame, plan, key, ranks.at(key.slice));
  });
}

}  // namespace penta::io::dicom::seg
