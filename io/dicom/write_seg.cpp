#include "io/dicom/write_seg.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "core/error.h"
#include "io/dicom/write_cielab.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom {

namespace {

// One frame: a segment (row of the table) on a slice of the grid.
struct FrameKey {
  std::size_t segment;
  std::int64_t slice;
};

// A frame's place in the pixel data, by layer, slice and value.
struct Frames {
  std::vector<FrameKey> keys;        // by segment, then slice
  std::vector<std::vector<int>> at;  // [segment][slice]: frame number from 0, or -1
};

// Value -> row of the table for one layer; -1: no segment has it.
std::vector<int> rows_by_value(const LabelMap& labels, std::size_t layer) {
  std::vector<int> rows(65536, -1);
  for (std::size_t s = 0; s < labels.segments.size(); ++s) {
    const Segment& segment = labels.segments[s];
    if (segment.value < 1 || segment.value > 65535 || segment.layer < 0 ||
        static_cast<std::size_t>(segment.layer) >= labels.layers.size())
      throw Error(Code::bad_input,
                  "writing a SEG: segment '" + segment.name + "' names no value or layer of its labels");
    if (static_cast<std::size_t>(segment.layer) == layer)
      rows[static_cast<std::size_t>(segment.value)] = static_cast<int>(s);
  }
  return rows;
}

Frames find_frames(const LabelMap& labels) {
  const Size3& size = labels.grid().size();
  const auto plane = static_cast<std::size_t>(size[0] * size[1]);
  Frames frames;
  frames.at.assign(labels.segments.size(), std::vector<int>(static_cast<std::size_t>(size[2]), -1));
  for (std::size_t layer = 0; layer < labels.layers.size(); ++layer) {
    const std::vector<int> rows = rows_by_value(labels, layer);
    const auto voxels = labels.layers[layer].voxels();
    for (std::size_t z = 0; z < static_cast<std::size_t>(size[2]); ++z)
      for (const std::uint16_t value : voxels.subspan(z * plane, plane))
        if (rows[value] >= 0) frames.at[static_cast<std::size_t>(rows[value])][z] = 0;
  }
  for (std::size_t s = 0; s < labels.segments.size(); ++s)
    for (std::size_t z = 0; z < frames.at[s].size(); ++z)
      if (frames.at[s][z] == 0) {
        frames.at[s][z] = static_cast<int>(frames.keys.size());
        frames.keys.push_back({s, static_cast<std::int64_t>(z)});
      }
  // A multi-frame object has at least one frame: labels in which nothing was found get an empty one.
  if (frames.keys.empty()) frames.keys.push_back({0, 0});
  return frames;
}

// Bits from the lowest of each byte on, frames without padding between them (PS3.5 8.1.1, D.1).
std::vector<std::uint8_t> packed_bits(const LabelMap& labels, const Frames& frames) {
  const Size3& size = labels.grid().size();
  const auto plane = static_cast<std::size_t>(size[0] * size[1]);
  const std::size_t bytes = (frames.keys.size() * plane + 7) / 8;
  if (bytes >= 0xFFFFFFFEU)
    throw Error(Code::bad_input, "writing a SEG: more than 4 GiB of frames do not fit into one object");
  std::vector<std::uint8_t> bits(bytes + bytes % 2, 0);
  for (std::size_t layer = 0; layer < labels.layers.size(); ++layer) {
    const std::vector<int> rows = rows_by_value(labels, layer);
    const auto voxels = labels.layers[layer].voxels();
    for (std::size_t i = 0; i < voxels.size(); ++i) {
      const int row = rows[voxels[i]];
      if (row < 0) continue;
      const int frame = frames.at[static_cast<std::size_t>(row)][i / plane];
      const std::size_t bit = static_cast<std::size_t>(frame) * plane + i % plane;
      bits[bit / 8] = static_cast<std::uint8_t>(bits[bit / 8] | (1U << (bit % 8)));
    }
  }
  return bits;
}

// The source slice that lies in the plane of a slice of the labels, and whether its pixels are the labels' pixels.
struct Match {
  SourceInstance instance;
  bool same_pixels = false;
};

std::optional<Match> match_planar(const LabelMap& labels, const Image& source, std::int64_t z) {
  const auto& instances = source.acquisition.instances;
  const auto index = static_cast<std::size_t>(z);
  if (instances.size() == 1 && instances[0].frame == 0 && labels.grid().size()[2] == 1)
    return Match{instances[0], true};
  if (index < instances.size()) return Match{instances[index], true};
  return std::nullopt;
}

std::optional<Match> match_volume(const LabelMap& labels, const Image& source, std::int64_t z) {
  const auto* volumes = std::get_if<VolumeSequence>(&source.pixels);
  if (volumes == nullptr || volumes->empty()) return std::nullopt;
  const Grid& from = grid_of(volumes->front());
  const Grid& grid = labels.grid();
  const auto& instances = source.acquisition.instances;
  if (static_cast<std::int64_t>(instances.size()) < from.size()[2]) return std::nullopt;
  if (std::abs(std::abs(dot(grid.axis(2), from.axis(2))) - 1) > 1e-4) return std::nullopt;
  const double at = from.to_index(grid.to_patient({0, 0, static_cast<double>(z)})).z;
  const double slice = std::round(at);
  if (std::abs(at - slice) > 0.02 || slice < 0 || slice >= static_cast<double>(from.size()[2])) return std::nullopt;
  return Match{instances[static_cast<std::size_t>(slice)], grid.same_as(from)};
}

std::optional<Match> match_slice(const LabelMap& labels, const Image& source, std::int64_t z) {
  const auto match = labels.planar ? match_planar(labels, source, z) : match_volume(labels, source, z);
  // Files without a SOP Instance UID are met (anonymised by hand, say): nothing can refer to them.
  if (match && (match->instance.sop_instance_uid.empty() || match->instance.sop_class_uid.empty())) return std::nullopt;
  return match;
}

void put_image_pixel(DcmDataset& data, const LabelMap& labels, const Frames& frames) {
  const Size3& size = labels.grid().size();
  if (size[0] > 65535 || size[1] > 65535)
    throw Error(Code::bad_input, "writing a SEG: a slice of more than 65535 rows or columns");
  parts::put(data, DCM_ImageType, "DERIVED\\PRIMARY");
  parts::put_u16(data, DCM_SamplesPerPixel, 1);
  parts::put(data, DCM_PhotometricInterpretation, "MONOCHROME2");
  parts::put_integer(data, DCM_NumberOfFrames, static_cast<std::int64_t>(frames.keys.size()));
  parts::put_u16(data, DCM_Rows, static_cast<std::uint16_t>(size[1]));
  parts::put_u16(data, DCM_Columns, static_cast<std::uint16_t>(size[0]));
  parts::put_u16(data, DCM_BitsAllocated, 1);
  parts::put_u16(data, DCM_BitsStored, 1);
  parts::put_u16(data, DCM_HighBit, 0);
  parts::put_u16(data, DCM_PixelRepresentation, 0);
  parts::put(data, DCM_LossyImageCompression, "00");
  parts::put(data, DCM_SegmentationType, "BINARY");
  parts::put(data, DCM_SegmentsOverlap, labels.layers.size() == 1 ? "NO" : "YES");
  parts::put(data, DCM_ContentLabel, "SEGMENTATION");
  parts::put(data, DCM_ContentDescription, "");
  parts::put(data, DCM_ContentCreatorName, "Pentascope^Engine");
  parts::put_integer(data, DCM_InstanceNumber, 1);
}

CodedConcept side_code(Side side) {
  return side == Side::left ? CodedConcept{"SCT", "7771000", "Left"} : CodedConcept{"SCT", "24028007", "Right"};
}

void put_segment(DcmDataset& data, const Segment& segment, std::size_t index, const Provenance& provenance) {
  DcmItem& row = parts::add_item(data, DCM_SegmentSequence);
  parts::put_u16(row, DCM_SegmentNumber, static_cast<std::uint16_t>(index + 1));
  parts::put_text(row, DCM_SegmentLabel, segment.name.empty() ? "segment " + std::to_string(index + 1) : segment.name);
  parts::put(row, DCM_SegmentAlgorithmType, "AUTOMATIC");
  parts::put_text(row, DCM_SegmentAlgorithmName,
                  provenance.method.empty() ? "Pentascope" : provenance.method + " " + provenance.method_version);
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
  parts::put_text(row, DCM_TrackingID, segment.name.empty() ? "segment " + std::to_string(index + 1) : segment.name,
                  120);
  parts::put(row, DCM_TrackingUID, tracking_uid(provenance, index));
}

void put_dimension(DcmDataset& data, const std::string& organization, const DcmTagKey& pointer, const DcmTagKey& group,
                   const char* label) {
  DcmItem& row = parts::add_item(data, DCM_DimensionIndexSequence);
  parts::put(row, DCM_DimensionOrganizationUID, organization);
  parts::put_tag(row, DCM_DimensionIndexPointer, pointer);
  parts::put_tag(row, DCM_FunctionalGroupPointer, group);
  parts::put(row, DCM_DimensionDescriptionLabel, label);
}

void put_dimensions(DcmDataset& data, bool planar, const Provenance& provenance) {
  const std::string uid = parts::uid_for(provenance, "seg dimensions");
  parts::put(parts::add_item(data, DCM_DimensionOrganizationSequence), DCM_DimensionOrganizationUID, uid);
  put_dimension(data, uid, DCM_ReferencedSegmentNumber, DCM_SegmentIdentificationSequence, "Segment");
  if (planar)
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

void put_derivation(DcmItem& frame, const Match& match) {
  DcmItem& derivation = parts::add_item(frame, DCM_DerivationImageSequence);
  parts::add_code(derivation, DCM_DerivationCodeSequence, {"DCM", "113076", "Segmentation"});
  parts::add_reference(derivation, DCM_SourceImageSequence, match.instance);
  DcmItem* row = nullptr;
  derivation.findOrCreateSequenceItem(DCM_SourceImageSequence, row, 0);
  parts::put(*row, DCM_SpatialLocationsPreserved, match.same_pixels ? "YES" : "NO");
  parts::add_code(*row, DCM_PurposeOfReferenceCodeSequence,
                  {"DCM", "121322", "Source image for image processing operation"});
}

// Order number, from 1, of each slice that has a frame.
std::map<std::int64_t, std::uint32_t> slice_ranks(const Frames& frames) {
  std::map<std::int64_t, std::uint32_t> ranks;
  for (const FrameKey& key : frames.keys) ranks[key.slice] = 0;
  std::uint32_t rank = 0;
  for (auto& [slice, number] : ranks) number = ++rank;
  return ranks;
}

std::vector<SourceInstance> put_frames(DcmDataset& data, const LabelMap& labels, const Image& source,
                                       const Frames& frames) {
  const auto ranks = slice_ranks(frames);
  std::vector<SourceInstance> used;
  std::set<std::string> seen;
  for (const FrameKey& key : frames.keys) {
    DcmItem& frame = parts::add_item(data, DCM_PerFrameFunctionalGroupsSequence);
    DcmItem& content = parts::add_item(frame, DCM_FrameContentSequence);
    const auto number = static_cast<std::uint32_t>(key.segment + 1);
    parts::put_u32s(content, DCM_DimensionIndexValues, std::array{number, ranks.at(key.slice)});
    if (labels.planar) {
      parts::put(content, DCM_StackID, "1");
      parts::put_u32(content, DCM_InStackPositionNumber, static_cast<std::uint32_t>(key.slice + 1));
    } else {
      const PatientPoint corner = labels.grid().to_patient({0, 0, static_cast<double>(key.slice)});
      parts::put_position(parts::add_item(frame, DCM_PlanePositionSequence), corner);
    }
    DcmItem& segment = parts::add_item(frame, DCM_SegmentIdentificationSequence);
    parts::put_u16(segment, DCM_ReferencedSegmentNumber, static_cast<std::uint16_t>(key.segment + 1));
    const auto match = match_slice(labels, source, key.slice);
    if (match) put_derivation(frame, *match);
    if (match && seen.insert(match->instance.sop_instance_uid).second) used.push_back(match->instance);
  }
  return used;
}

// PS3.3 C.12.2: every instance that a frame refers to.
void put_common_references(DcmDataset& data, const Image& source, const std::vector<SourceInstance>& used) {
  if (used.empty() || source.acquisition.series_uid.empty()) return;
  DcmItem& series = parts::add_item(data, DCM_ReferencedSeriesSequence);
  parts::put(series, DCM_SeriesInstanceUID, source.acquisition.series_uid);
  for (SourceInstance instance : used) {
    instance.frame = 0;
    parts::add_reference(series, DCM_ReferencedInstanceSequence, instance);
  }
}

void check_labels(const LabelMap& labels, const Image& source) {
  if (labels.segments.empty()) throw Error(Code::bad_input, "writing a SEG: the label map has no segment in its table");
  if (labels.segments.size() > 65535) throw Error(Code::bad_input, "writing a SEG: more than 65535 segments");
  if (!labels.planar) return;
  const std::int64_t frames = labels.grid().size()[2];
  for (std::int64_t z = 0; z < frames; ++z)
    if (!match_slice(labels, source, z))
      throw Error(Code::bad_input,
                  "writing a SEG: labels of plain frames have no place in the patient, and the DICOM frames that they "
                  "belong to are not known");
}

}  // namespace

std::string seg_instance_uid(const Provenance& provenance) { return parts::uid_for(provenance, "seg instance"); }
std::string seg_series_uid(const Provenance& provenance) { return parts::uid_for(provenance, "seg series"); }
std::string tracking_uid(const Provenance& provenance, std::size_t index) {
  return parts::uid_for(provenance, "tracking", static_cast<std::int64_t>(index));
}

std::vector<std::byte> write_seg(const LabelMap& labels, const Image& source, const Provenance& provenance) {
  check_labels(labels, source);
  const Acquisition& acquisition = source.acquisition;
  const Frames frames = find_frames(labels);
  DcmDataset data;
  parts::put_patient_and_study(data, acquisition, provenance);
  parts::put_series(data, "SEG", seg_series_uid(provenance), 100, "Segmentation " + provenance.method, acquisition,
                    provenance);
  parts::put_equipment_and_sop(data, UID_SegmentationStorage, seg_instance_uid(provenance), acquisition, provenance);
  parts::put_contributing_equipment(data, provenance);
  parts::put_moment(data, DCM_ContentDate, DCM_ContentTime, provenance);
  if (!labels.planar || !acquisition.frame_of_reference_uid.empty())
    parts::put_frame_of_reference(data, acquisition, provenance);
  if (labels.planar) parts::put(data, DCM_PatientOrientation, "");
  put_image_pixel(data, labels, frames);
  put_dimensions(data, labels.planar, provenance);
  for (std::size_t s = 0; s < labels.segments.size(); ++s) put_segment(data, labels.segments[s], s, provenance);
  put_shared(data, labels);
  put_common_references(data, source, put_frames(data, labels, source, frames));
  parts::put_pixels(data, packed_bits(labels, frames));
  return parts::to_bytes(data);
}

}  // namespace penta::io::dicom
