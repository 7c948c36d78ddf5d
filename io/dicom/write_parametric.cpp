#include "io/dicom/write_parametric.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <span>

#include "core/error.h"
#include "io/dicom/write_parts.h"
#include "io/dicom/write_seg_parts.h"

namespace penta::io::dicom {

namespace {

constexpr const char* image_type = "DERIVED\\PRIMARY\\VOLUME\\QUANTITY";

struct Range {
  double low = 0, high = 0;
};

// Of the finite values; NaN may stand where a map has none.
Range range_of(std::span<const float> values) {
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    range.low = std::min<double>(range.low, value);
    range.high = std::max<double>(range.high, value);
  }
  return range.low <= range.high ? range : Range{};
}

struct Map {
  const Grid& grid;
  std::span<const float> values;
  const Image& image;
  const MappedQuantity& quantity;
  const Image& source;
  const Provenance& provenance;
  std::vector<std::optional<seg::Match>> matches{};  // by slice
};

std::string label_of(const MappedQuantity& quantity) {
  return !quantity.label.empty() ? quantity.label : !quantity.code.meaning.empty() ? quantity.code.meaning : "values";
}

void put_image(DcmDataset& data, const Map& map) {
  const Size3& size = map.grid.size();
  parts::put(data, DCM_Laterality, "");
  parts::put(data, DCM_ImageType, image_type);
  parts::put_integer(data, DCM_InstanceNumber, 1);
  parts::put(data, DCM_ContentQualification, "RESEARCH");
  parts::put_u16(data, DCM_SamplesPerPixel, 1);
  parts::put(data, DCM_PhotometricInterpretation, "MONOCHROME2");
  parts::put_integer(data, DCM_NumberOfFrames, size[2]);
  parts::put_u16(data, DCM_Rows, static_cast<std::uint16_t>(size[1]));
  parts::put_u16(data, DCM_Columns, static_cast<std::uint16_t>(size[0]));
  parts::put_u16(data, DCM_BitsAllocated, 32);
  parts::put(data, DCM_BurnedInAnnotation, "NO");
  parts::put(data, DCM_RecognizableVisualFeatures, "NO");
  parts::put(data, DCM_LossyImageCompression, "00");
  parts::put(data, DCM_PresentationLUTShape, "IDENTITY");
  parts::put(data, DCM_ContentLabel, "MAP");
  parts::put_text(data, DCM_ContentDescription, label_of(map.quantity));
  parts::put(data, DCM_ContentCreatorName, "Pentascope^Engine");
  parts::put_empty_sequence(data, DCM_AcquisitionContextSequence);
}

// PS3.3 C.7.6.16.2.11: a float map holds the values themselves.
void put_real_world(DcmItem& shared, const Map& map, const Range& range) {
  DcmItem& row = parts::add_item(shared, DCM_RealWorldValueMappingSequence);
  parts::put_double(row, DCM_DoubleFloatRealWorldValueFirstValueMapped, range.low);
  parts::put_double(row, DCM_DoubleFloatRealWorldValueLastValueMapped, range.high);
  parts::put_double(row, DCM_RealWorldValueIntercept, 0);
  parts::put_double(row, DCM_RealWorldValueSlope, 1);
  parts::put_text(row, DCM_LUTExplanation, label_of(map.quantity));
  parts::put_text(row, DCM_LUTLabel, label_of(map.quantity), 16);
  const std::string unit = map.image.unit.empty() ? "1" : map.image.unit;
  parts::add_code(row, DCM_MeasurementUnitsCodeSequence, {"UCUM", unit, unit == "1" ? "no units" : unit});
  if (map.quantity.code.empty()) return;
  DcmItem& item = parts::add_item(row, DCM_QuantityDefinitionSequence);
  parts::put(item, DCM_ValueType, "CODE");
  parts::add_code(item, DCM_ConceptNameCodeSequence, {"SCT", "246205007", "Quantity"});
  parts::add_code(item, DCM_ConceptCodeSequence, map.quantity.code);
}

void put_shared(DcmDataset& data, const Map& map) {
  DcmItem& shared = parts::add_item(data, DCM_SharedFunctionalGroupsSequence);
  const Vector3& spacing = map.grid.spacing_mm();
  DcmItem& measures = parts::add_item(shared, DCM_PixelMeasuresSequence);
  parts::put_decimals(measures, DCM_PixelSpacing, std::array{spacing[1], spacing[0]});
  parts::put_decimal(measures, DCM_SliceThickness, spacing[2]);
  parts::put_decimal(measures, DCM_SpacingBetweenSlices, spacing[2]);
  parts::put_orientation(parts::add_item(shared, DCM_PlaneOrientationSequence), map.grid);
  parts::put(parts::add_item(shared, DCM_ParametricMapFrameTypeSequence), DCM_FrameType, image_type);
  DcmItem& identity = parts::add_item(shared, DCM_PixelValueTransformationSequence);
  parts::put_decimal(identity, DCM_RescaleIntercept, 0);
  parts::put_decimal(identity, DCM_RescaleSlope, 1);
  parts::put(identity, DCM_RescaleType, "US");
  const Range range = range_of(map.values);
  DcmItem& window = parts::add_item(shared, DCM_FrameVOILUTSequence);
  parts::put_decimal(window, DCM_WindowCenter, (range.low + range.high) / 2);
  parts::put_decimal(window, DCM_WindowWidth, range.high > range.low ? range.high - range.low : 1);
  parts::put(window, DCM_VOILUTFunction, "LINEAR_EXACT");
  put_real_world(shared, map, range);
}

void put_dimensions(DcmDataset& data, const Provenance& provenance) {
  const std::string uid = parts::uid_for(provenance, "map dimensions");
  parts::put(parts::add_item(data, DCM_DimensionOrganizationSequence), DCM_DimensionOrganizationUID, uid);
  DcmItem& row = parts::add_item(data, DCM_DimensionIndexSequence);
  parts::put(row, DCM_DimensionOrganizationUID, uid);
  parts::put_tag(row, DCM_DimensionIndexPointer, DCM_ImagePositionPatient);
  parts::put_tag(row, DCM_FunctionalGroupPointer, DCM_PlanePositionSequence);
  parts::put(row, DCM_DimensionDescriptionLabel, "Position");
}

void put_references(DcmDataset& data, const Map& map) {
  if (map.source.acquisition.series_uid.empty()) return;
  std::set<std::string> seen;
  DcmItem* series = nullptr;
  for (const auto& match : map.matches) {
    if (!match || !seen.insert(match->instance.sop_instance_uid).second) continue;
    if (series == nullptr) {
      series = &parts::add_item(data, DCM_ReferencedSeriesSequence);
      parts::put(*series, DCM_SeriesInstanceUID, map.source.acquisition.series_uid);
    }
    SourceInstance instance = match->instance;
    instance.frame = 0;
    parts::add_reference(*series, DCM_ReferencedInstanceSequence, instance);
  }
}

void put_frame(DcmItem& frame, const Map& map, std::int64_t z) {
  const std::uint32_t rank = static_cast<std::uint32_t>(z) + 1;
  parts::put_u32s(parts::add_item(frame, DCM_FrameContentSequence), DCM_DimensionIndexValues, std::array{rank});
  parts::put_position(parts::add_item(frame, DCM_PlanePositionSequence),
                      map.grid.to_patient({0, 0, static_cast<double>(z)}));
  const CodedConcept plain{"DCM", "112187", "Unspecified method of calculation"};
  if (const auto& match = map.matches[static_cast<std::size_t>(z)])
    seg::put_derivation(frame, *match, map.quantity.derivation.empty() ? plain : map.quantity.derivation);
  else
    parts::put_empty_sequence(frame, DCM_DerivationImageSequence);
}

std::vector<std::byte> bytes_of(const Map& map) {
  const Acquisition& acquisition = map.source.acquisition;
  const std::string& modality = acquisition.dicom_modality;
  DcmDataset data;
  parts::put_patient_and_study(data, acquisition, map.provenance);
  parts::put_series(data, modality.empty() || modality == "SEG" ? "OT" : modality,
                    parts::uid_for(map.provenance, "map series"), 101, "Map " + label_of(map.quantity), acquisition,
                    map.provenance);
  parts::put_equipment_and_sop(data, UID_ParametricMapStorage, parametric_map_instance_uid(map.provenance), acquisition,
                               map.provenance);
  parts::put_contributing_equipment(data, map.provenance);
  parts::put_moment(data, DCM_ContentDate, DCM_ContentTime, map.provenance);
  parts::put_frame_of_reference(data, acquisition, map.provenance);
  put_image(data, map);
  put_dimensions(data, map.provenance);
  put_shared(data, map);
  put_references(data, map);
  auto bytes = parts::to_bytes(data);
  parts::append_sequence(bytes, DCM_PerFrameFunctionalGroupsSequence,
                         parts::item_bytes(map.grid.size()[2], [&](std::int64_t z, DcmItem& frame) {
                           put_frame(frame, map, z);
                         }));
  const auto values = std::as_bytes(map.values);
  parts::append_element(bytes, DCM_FloatPixelData, "OF", values.size());
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

}  // namespace

std::string parametric_map_instance_uid(const Provenance& provenance) {
  return parts::uid_for(provenance, "map instance");
}

std::vector<std::byte> write_parametric_map(const Image& map, const MappedQuantity& quantity, const Image& source,
                                            const Provenance& provenance) {
  const AnyVolume& volume = map.volume();
  if (std::holds_alternative<Volume<Rgb8>>(volume))
    throw Error(Code::bad_input, "writing a parametric map: its voxels are colours");
  const Grid& grid = grid_of(volume);
  if (grid.size()[0] > 65535 || grid.size()[1] > 65535)
    throw Error(Code::bad_input, "writing a parametric map: a slice of more than 65535 rows or columns");
  std::optional<Volume<float>> converted;
  const auto* real = std::get_if<Volume<float>>(&volume);
  if (real == nullptr) converted.emplace(to_float(volume));
  const auto values = real != nullptr ? real->voxels() : std::as_const(*converted).voxels();
  Map all{grid, values, map, quantity, source, provenance};
  for (std::int64_t z = 0; z < grid.size()[2]; ++z) {
    auto match = seg::match_plane(grid, source, z);
    if (match && (match->instance.sop_instance_uid.empty() || match->instance.sop_class_uid.empty())) match.reset();
    all.matches.push_back(std::move(match));
  }
  return bytes_of(all);
}

}  // namespace penta::io::dicom
