#pragma once

#include <optional>
#include <vector>

#include "core/label_map.h"
#include "core/points.h"
#include "core/structured_report.h"

namespace penta::io::dicom {

/// For each segment the centre (mm) of its voxel that is nearest to its centre of mass: a point that lies inside, also
/// where the segment is bent. Nothing for an empty segment. Throws Error{bad_input} as rows_by_value.
[[nodiscard]] std::vector<std::optional<PatientPoint>> inner_points(const LabelMap& labels);

/// A group (TID 1410) that says where `group` is by one point, under the same tracking ids, with its numbers in a comment.
/// Viewers that draw neither segments nor ellipsoids (OHIF, Cornerstone) list the measurement by it and lead there.
[[nodiscard]] MeasurementGroup place_group(const MeasurementGroup& group, const PatientPoint& point_mm,
                                           const std::string& frame_of_reference_uid);

/// Whether a group that was read only says where another group of the report is.
[[nodiscard]] bool is_place(const MeasurementGroup& group, const StructuredReport& report);

}  // namespace penta::io::dicom
