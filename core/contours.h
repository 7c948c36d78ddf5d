#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/points.h"

namespace penta {

/// One planar closed polygon; the last point joins the first.
struct Contour {
  std::vector<PatientPoint> points_mm;
};

/// A named region drawn slice by slice, as RTSTRUCT holds it (PS3.3 C.8.8.6).
struct ContourRegion {
  std::string name;
  int number = 0;
  std::string interpreted_type;  ///< GTV, ORGAN ... (3006,00A4)
  std::array<unsigned char, 3> colour{255, 0, 0};
  std::vector<Contour> contours;
};

struct Contours {
  std::vector<ContourRegion> regions;
  std::string frame_of_reference_uid, referenced_series_uid, study_uid, series_uid;
};

}  // namespace penta
