#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/acquisition.h"
#include "core/coded.h"
#include "core/grid.h"
#include "core/points.h"
#include "core/remark.h"

namespace penta {

/// Contour Geometric Type (3006,0042), PS3.3 C.8.8.6.1. Only closed contours enclose voxels.
enum class ContourKind { closed, closed_xor, open, point };

/// One contour; the last point of a closed one joins the first.
struct Contour {
  std::vector<PatientPoint> points_mm{};
  ContourKind kind = ContourKind::closed;
  std::vector<SourceInstance> images{};  ///< that it was drawn on; may be empty
};

/// A named region drawn slice by slice, as RTSTRUCT holds it (PS3.3 C.8.8.6).
struct ContourRegion {
  std::string name{};
  int number = 0;
  std::string interpreted_type{};  ///< GTV, ORGAN ... (3006,00A4)
  std::array<unsigned char, 3> colour{255, 0, 0};
  std::vector<Contour> contours{};
  std::string description{};             ///< (3006,0028)
  std::string algorithm{};               ///< AUTOMATIC, SEMIAUTOMATIC, MANUAL or empty (3006,0036)
  CodedConcept type{};                   ///< RT ROI Identification Code (3006,0086)
  std::string frame_of_reference_uid{};  ///< of this region (3006,0024)
  std::optional<Grid> planes{};          ///< the voxels that it was made from (PS3.3 C.8.8.6.4), where they are known
};

struct Contours {
  std::vector<ContourRegion> regions{};
  std::string frame_of_reference_uid{}, referenced_series_uid{}, study_uid{}, series_uid{};
  std::string label{};       ///< Structure Set Label (3006,0002)
  Acquisition acquisition{};  ///< of the structure set; `instances` are the images that it refers to
  std::vector<Remark> remarks{};
};

}  // namespace penta
