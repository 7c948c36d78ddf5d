#include "io/dicom/write_rtstruct.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cmath>
#include <optional>
#include <set>

#include "core/error.h"
#include "image/rasterize/trace.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom {

namespace {

// The planes of the source's instances: instance k lies in plane k.
struct SourcePlanes {
  std::vector<PatientPoint> origins;
  Vector3 normal{};
};

SourcePlanes planes_of(const Image& source) {
  SourcePlanes planes;
  if (const auto* volumes = std::get_if<VolumeSequence>(&source.pixels); volumes != nullptr && !volumes->empty()) {
    const Grid& grid = grid_of(volumes->front());
    planes.normal = grid.axis(2);
    for (std::int64_t z = 0; z < grid.size()[2]; ++z)
      planes.origins.push_back(grid.to_patient({0, 0, static_cast<double>(z)}));
  } else if (const auto* stack = std::get_if<SliceStack>(&source.pixels)) {
    planes.normal = cross(stack->row_axis, stack->column_axis);
    for (const SliceStack::Slice& slice : stack->slices) planes.origins.push_back(slice.origin_mm);
  }
  // An instance a plane, or nothing is known: a derived volume may have more slices than files.
  if (source.acquisition.instances.size() < planes.origins.size()) planes.origins.clear();
  return planes;
}

double from_plane_mm(const SourcePlanes& planes, std::size_t k, const PatientPoint& point) {
  const PatientPoint& origin = planes.origins[k];
  return std::abs(dot(planes.normal, {point.x - origin.x, point.y - origin.y, point.z - origin.z}));
}

bool is_known(const SourceInstance& instance) noexcept {
  return !instance.sop_class_uid.empty() && !instance.sop_instance_uid.empty();
}

// The instance whose plane holds all points of a contour (within 0.05 mm).
std::optional<SourceInstance> image_of(const Contour& contour, const SourcePlanes& planes, const Image& source) {
  if (contour.points_mm.empty()) return std::nullopt;
  for (std::size_t k = 0; k < planes.origins.size(); ++k) {
    const SourceInstance& instance = source.acquisition.instances[k];
    if (!is_known(instance) || from_plane_mm(planes, k, contour.points_mm.front()) > 0.05) continue;
    bool all = true;
    for (const PatientPoint& point : contour.points_mm) all = all && from_plane_mm(planes, k, point) <= 0.05;
    if (all) return instance;
  }
  return std::nullopt;
}

struct Set {
  const Contours& contours;
  const Image& source;
  const Provenance& provenance;
  std::string frame_of_reference;
  std::vector<int> numbers;  // ROI Number by region
};

std::string frame_of_reference_of(const Contours& contours, const Image& source, const Provenance& provenance) {
  const std::string& theirs = source.acquisition.frame_of_reference_uid;
  const std::string& ours = contours.frame_of_reference_uid;
  if (!theirs.empty() && !ours.empty() && theirs != ours)
    throw Error(Code::bad_input, "writing an RTSTRUCT: the contours lie in the frame of reference " + ours +
                                     ", the image in " + theirs);
  if (!theirs.empty()) return theirs;
  return ours.empty() ? parts::uid_for(provenance, "frame of reference") : ours;
}

// As given where each region has a number of its own, else 1, 2, 3 ...
std::vector<int> numbers_of(const Contours& contours) {
  std::vector<int> numbers;
  std::set<int> different;
  for (const ContourRegion& region : contours.regions) {
    numbers.push_back(region.number);
    different.insert(region.number);
  }
  if (different.size() == numbers.size() && *different.begin() >= 0) return numbers;
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i) + 1;
  return numbers;
}

// PS3.3 C.8.8.5: study and series of the images, each image once.
void put_references(DcmDataset& data, const Set& set) {
  DcmItem& frame = parts::add_item(data, DCM_ReferencedFrameOfReferenceSequence);
  parts::put(frame, DCM_FrameOfReferenceUID, set.frame_of_reference);
  const Acquisition& source = set.source.acquisition;
  if (source.series_uid.empty() || source.instances.empty() || !is_known(source.instances.front())) return;
  DcmItem& study = parts::add_item(frame, DCM_RTReferencedStudySequence);
  // Detached Study Management: retired, and still what PS3.3 C.8.8.5 asks for here.
  parts::put(study, DCM_ReferencedSOPClassUID, "1.2.840.10008.3.1.2.3.1");
  const std::string study_uid = parts::study_uid_of(source, set.provenance);
  parts::put(study, DCM_ReferencedSOPInstanceUID, study_uid);
  DcmItem& series = parts::add_item(study, DCM_RTReferencedSeriesSequence);
  parts::put(series, DCM_SeriesInstanceUID, source.series_uid);
  std::set<std::string> seen;
  for (const SourceInstance& instance : source.instances)
    if (is_known(instance) && seen.insert(instance.sop_instance_uid).second)
      parts::add_reference(series, DCM_ContourImageSequence, {instance.sop_class_uid, instance.sop_instance_uid, 0});
}

void put_rois(DcmDataset& data, const Set& set) {
  for (std::size_t i = 0; i < set.contours.regions.size(); ++i) {
    const ContourRegion& region = set.contours.regions[i];
    DcmItem& row = parts::add_item(data, DCM_StructureSetROISequence);
    parts::put_integer(row, DCM_ROINumber, set.numbers[i]);
    parts::put(row, DCM_ReferencedFrameOfReferenceUID, set.frame_of_reference);
    parts::put_text(row, DCM_ROIName, region.name.empty() ? "ROI " + std::to_string(set.numbers[i]) : region.name);
    if (!region.description.empty()) parts::put_text(row, DCM_ROIDescription, region.description, 1024);
    parts::put(row, DCM_ROIGenerationAlgorithm, region.algorithm);
  }
}

// PS3.3 C.8.8.6.4: the voxels that the contours stand for, so that a reader can make the same mask of them.
void put_planes(DcmItem& row, const Grid& grid) {
  const Size3& size = grid.size();
  if (size[0] > 65535 || size[1] > 65535) return;
  const Vector3 normal = cross(grid.axis(0), grid.axis(1));
  const bool turned = dot(normal, grid.axis(2)) < 0;  // the standard's planes go along the normal
  DcmItem& item = parts::add_item(row, DCM_SourcePixelPlanesCharacteristicsSequence);
  parts::put_decimals(item, DCM_PixelSpacing, std::array{grid.spacing_mm()[1], grid.spacing_mm()[0]});
  parts::put_decimal(item, DCM_SpacingBetweenSlices, grid.spacing_mm()[2]);
  parts::put_orientation(item, grid);
  parts::put_position(item, grid.to_patient({0, 0, turned ? static_cast<double>(size[2] - 1) : 0}));
  parts::put_integer(item, DCM_NumberOfFrames, size[2]);
  parts::put_u16(item, DCM_Rows, static_cast<std::uint16_t>(size[1]));
  parts::put_u16(item, DCM_Columns, static_cast<std::uint16_t>(size[0]));
}

const char* type_of(ContourKind kind) noexcept {
  switch (kind) {
    case ContourKind::closed_xor: return "CLOSEDPLANAR_XOR";
    case ContourKind::open: return "OPEN_NONPLANAR";
    case ContourKind::point: return "POINT";
    case ContourKind::closed: break;
  }
  return "CLOSED_PLANAR";
}

void put_contour(DcmItem& row, const Contour& contour, std::int64_t number, const SourcePlanes& planes,
                 const Set& set) {
  DcmItem& item = parts::add_item(row, DCM_ContourSequence);
  if (!contour.images.empty())
    for (const SourceInstance& image : contour.images) parts::add_reference(item, DCM_ContourImageSequence, image);
  else if (const auto image = image_of(contour, planes, set.source))
    parts::add_reference(item, DCM_ContourImageSequence, *image);
  parts::put(item, DCM_ContourGeometricType, type_of(contour.kind));
  parts::put_integer(item, DCM_NumberOfContourPoints, static_cast<std::int64_t>(contour.points_mm.size()));
  parts::put_integer(item, DCM_ContourNumber, number);
  std::vector<double> values;
  values.reserve(3 * contour.points_mm.size());
  for (const PatientPoint& p : contour.points_mm) values.insert(values.end(), {p.x, p.y, p.z});
  parts::put_decimals(item, DCM_ContourData, values);
}

void put_contours(DcmDataset& data, const Set& set) {
  const SourcePlanes planes = planes_of(set.source);
  for (std::size_t i = 0; i < set.contours.regions.size(); ++i) {
    const ContourRegion& region = set.contours.regions[i];
    DcmItem& row = parts::add_item(data, DCM_ROIContourSequence);
    parts::put_integer(row, DCM_ReferencedROINumber, set.numbers[i]);
    parts::put(row, DCM_ROIDisplayColor, std::to_string(region.colour[0]) + "\\" + std::to_string(region.colour[1]) +
                                             "\\" + std::to_string(region.colour[2]));
    if (region.planes) put_planes(row, *region.planes);
    std::int64_t number = 0;
    for (const Contour& contour : region.contours)
      if (!contour.points_mm.empty()) put_contour(row, contour, ++number, planes, set);
  }
}

void put_observations(DcmDataset& data, const Set& set) {
  for (std::size_t i = 0; i < set.contours.regions.size(); ++i) {
    const ContourRegion& region = set.contours.regions[i];
    DcmItem& row = parts::add_item(data, DCM_RTROIObservationsSequence);
    parts::put_integer(row, DCM_ObservationNumber, static_cast<std::int64_t>(i) + 1);
    parts::put_integer(row, DCM_ReferencedROINumber, set.numbers[i]);
    if (!region.type.empty()) parts::add_code(row, DCM_RTROIIdentificationCodeSequence, region.type);
    parts::put(row, DCM_RTROIInterpretedType, region.interpreted_type);
    parts::put(row, DCM_ROIInterpreter, "");
  }
}

}  // namespace

std::string rtstruct_instance_uid(const Provenance& provenance) {
  return parts::uid_for(provenance, "rtstruct instance");
}

std::vector<std::byte> write_rtstruct(const Contours& contours, const Image& source, const Provenance& provenance) {
  if (contours.regions.empty()) throw Error(Code::bad_input, "writing an RTSTRUCT: there are no regions");
  const Set set{contours, source, provenance, frame_of_reference_of(contours, source, provenance),
                numbers_of(contours)};
  const Acquisition& acquisition = source.acquisition;
  DcmDataset data;
  parts::put_patient_and_study(data, acquisition, provenance);
  parts::put_series(data, "RTSTRUCT", parts::uid_for(provenance, "rtstruct series"), 102,
                    "Contours " + provenance.method, acquisition, provenance);
  parts::put(data, DCM_OperatorsName, "");
  parts::put_equipment_and_sop(data, UID_RTStructureSetStorage, rtstruct_instance_uid(provenance), acquisition,
                               provenance);
  parts::put_contributing_equipment(data, provenance);
  parts::put(data, DCM_FrameOfReferenceUID, set.frame_of_reference);
  parts::put(data, DCM_PositionReferenceIndicator, "");
  parts::put_text(data, DCM_StructureSetLabel, contours.label.empty() ? "Pentascope" : contours.label, 16);
  parts::put(data, DCM_StructureSetName, "");
  parts::put_moment(data, DCM_StructureSetDate, DCM_StructureSetTime, provenance);
  parts::put_integer(data, DCM_InstanceNumber, 1);
  put_references(data, set);
  put_rois(data, set);
  put_contours(data, set);
  put_observations(data, set);
  return parts::to_bytes(data, true);
}

std::vector<std::byte> write_rtstruct(const LabelMap& labels, const Image& source, const Provenance& provenance) {
  if (labels.segments.empty()) throw Error(Code::bad_input, "writing an RTSTRUCT: the labels have no segments");
  Contours contours = trace(labels);
  // A millionth of a millimetre: shorter numbers, and far less than the half voxel between an edge and a centre.
  const auto rounded = [](double value) { return std::round(value * 1e6) / 1e6; };
  for (ContourRegion& region : contours.regions) {
    region.algorithm = "AUTOMATIC";
    for (Contour& contour : region.contours)
      for (PatientPoint& p : contour.points_mm) p = {rounded(p.x), rounded(p.y), rounded(p.z)};
  }
  return write_rtstruct(contours, source, provenance);
}

}  // namespace penta::io::dicom
