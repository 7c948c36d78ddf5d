#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/acquisition.h"
#include "core/coded.h"
#include "core/remark.h"
#include "core/results.h"

namespace penta {

/// A shape drawn on one frame (PS3.3 C.18.6): pixel columns and rows, the centre of the first pixel at (0.5, 0.5).
/// circle: its centre, then a point on it; ellipse: both ends of the long axis, then of the short one.
struct PlanarRegion {
  enum class Shape { point, multipoint, polyline, circle, ellipse } shape = Shape::polyline;
  std::string tracking_id{};  ///< the group that it belongs to
  SourceInstance image{};     ///< the frame that it is drawn on
  std::vector<std::array<double, 2>> points_px{};
};

/// A shape in patient space (PS3.3 C.18.9), mm. ellipse: as above; ellipsoid: both ends of each of its three axes.
struct SpatialRegion {
  enum class Shape { point, multipoint, polyline, polygon, ellipse, ellipsoid } shape = Shape::polygon;
  std::string frame_of_reference_uid{};
  std::vector<PatientPoint> points_mm{};
};

/// What is said of a thing in a code or in words: "Level of significance": "Not significant".
struct Statement {
  CodedConcept name{}, value{};
  std::string text{};  ///< where there is no code
};

/// One number of a report (TID 300, 1419), as it was written.
struct Quantity {
  CodedConcept name{};
  std::optional<double> value{};  ///< absent: the report has the quantity without a number
  CodedConcept unit{};            ///< UCUM
  CodedConcept method{}, derivation{}, site{};
  Side side = Side::none;
  std::string label{};                   ///< Tracking Identifier of the number itself, "SUVmean"
  std::string algorithm{}, algorithm_version{}, equation{};
  std::vector<Statement> modifiers{};    ///< all else that is said of it
};

/// A measurement group: TID 1410 (planar region), 1411 (volume), 1501 (neither), or a container of a foreign report.
struct MeasurementGroup {
  std::string template_id{};  ///< "1410", "1411", "1501"; empty: what it holds decides
  std::string tracking_id{}, tracking_uid{};
  CodedConcept category{}, finding{}, site{}, method{};
  Side side = Side::none;
  std::vector<Quantity> quantities{};
  std::vector<Statement> evaluations{};
  std::vector<PlanarRegion> planar{};
  std::vector<SpatialRegion> spatial{};
  SourceInstance segmentation{};    ///< that holds the region; empty: none
  std::vector<int> segments{};      ///< of that segmentation, from 1
  std::vector<SourceInstance> sources{};  ///< images that the region, or the numbers, come from
  std::string source_series_uid{};
};

/// Instances of one series that a report refers to (PS3.3 C.17.2.3).
struct EvidenceSeries {
  std::string study_uid{}, series_uid{};
  std::vector<SourceInstance> instances{};
};

/// What a DICOM SR says, apart from its layout: of one with the template TID 1500 (PS3.16) all of it, of another what
/// could be understood. `measurements`, `findings` and `regions` tell what `groups` hold in the form of results.
struct StructuredReport {
  CodedConcept title{};
  Measurements measurements{};
  Findings findings{};
  std::vector<PlanarRegion> regions{};
  std::vector<SourceInstance> referenced{};  ///< of its Image Library and evidence
  Acquisition acquisition{};
  std::vector<Remark> remarks{};
  std::string template_id{};  ///< "1500", or that of a foreign report, or empty
  CodedConcept language{};
  std::vector<CodedConcept> procedures{};  ///< Procedure reported
  std::vector<MeasurementGroup> groups{};
  std::vector<Statement> statements{};     ///< outside of groups: qualitative evaluations, texts
  std::vector<EvidenceSeries> evidence{};
};

}  // namespace penta
