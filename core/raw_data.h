#pragma once

#include <complex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/acquisition.h"
#include "core/points.h"
#include "core/remark.h"

namespace penta {

/// Views of a rotating camera (PS3.3 C.8.4). counts[c + columns * (r + rows * view)], for one gate and window;
/// `layers` holds gate g of energy window w at index g + gates * w.
struct Projections {
  std::int64_t columns = 0, rows = 0;
  std::array<double, 2> spacing_mm{};     ///< along columns (transaxial) and rows (axial)
  /// One a view, as DICOM NM says (PS3.3 C.8.4.12, Start Angle; CC counts up, CW down): 0 = detector at the patient's
  /// back, 90 at the left, 180 at the front, counter-clockwise seen from the feet. Columns run to the right of one who
  /// stands at the detector and faces the patient, head up: patient direction (-cos, sin, 0) of the angle.
  std::vector<double> angle_deg;
  std::vector<double> radius_mm;          ///< detector distance to the axis, one a view; empty when unknown
  std::vector<std::vector<float>> layers;  ///< [gates * windows][columns * rows * views]
  int gates = 1, windows = 1;
  double axial_start_mm = 0;              ///< patient z of the first row's centre
  double axial_step_mm = 0;               ///< signed: < 0 when rows run from head to feet
  bool axial_known = false;               ///< the header said where rows lie; else head-first supine is assumed and said
};

struct KSpace {
  std::vector<std::int64_t> shape;  ///< x fastest: x, y, z, coil
  std::vector<std::complex<float>> samples;
};
struct Sinogram {
  std::int64_t bins = 0, views = 0, planes = 0;
  double bin_mm = 0;
  std::vector<double> angle_deg;
  std::vector<float> values;  ///< bins fastest, then views, then planes
};
struct ListMode {
  std::string scanner;
  std::vector<std::uint64_t> events;
};
struct ChannelData {
  std::int64_t samples = 0, elements = 0, transmits = 0;
  double sampling_rate_hz = 0;
  std::vector<float> values;  ///< samples fastest, then elements, then transmits
};

/// What a scanner measured before an image was made of it, with its geometry.
struct RawData {
  std::variant<Projections, KSpace, Sinogram, ListMode, ChannelData> value;
  Acquisition acquisition;
  std::vector<Remark> remarks;
  std::string sha256;
};

}  // namespace penta
