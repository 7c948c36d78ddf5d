#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/acquisition.h"
#include "core/coded.h"
#include "core/remark.h"
#include "core/results.h"

namespace penta {

/// A shape drawn on one frame (PS3.3 C.18.6): pixel columns and rows, the centre of the first pixel at (0.5, 0.5).
struct PlanarRegion {
  enum class Shape { point, multipoint, polyline, circle, ellipse } shape = Shape::polyline;
  std::string tracking_id;   ///< the group that it belongs to
  SourceInstance image;      ///< the frame that it is drawn on
  std::vector<std::array<double, 2>> points_px;
};

/// What a DICOM SR with the template TID 1500 says (PS3.16), apart from its layout.
struct StructuredReport {
  CodedConcept title;
  Measurements measurements;
  Findings findings;
  std::vector<PlanarRegion> regions;
  std::vector<SourceInstance> referenced;  ///< of its Image Library and evidence
  Acquisition acquisition;
  std::vector<Remark> remarks;
};

}  // namespace penta
