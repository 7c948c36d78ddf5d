#pragma once

#include <array>
#include <complex>
#include <cstdint>
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
  std::array<double, 2> spacing_mm{};  ///< along columns (transaxial) and rows (axial)
  /// One a view, as DICOM NM says (PS3.3 C.8.4.12, Start Angle; CC counts up, CW down): 0 = detector at the patient's
  /// back, 90 at the left, 180 at the front, counter-clockwise seen from the feet. Columns run to the right of one who
  /// stands at the detector and faces the patient, head up: patient direction (-cos, sin, 0) of the angle.
  std::vector<double> angle_deg;
  std::vector<double> radius_mm;           ///< detector distance to the axis, one a view; empty when unknown
  std::vector<std::vector<float>> layers;  ///< [gates * windows][columns * rows * views]
  int gates = 1, windows = 1;
  double axial_start_mm = 0;  ///< patient z of the first row's centre
  double axial_step_mm = 0;   ///< signed: < 0 when rows run from head to feet
  bool axial_known = false;   ///< the header said where rows lie; else head-first supine is assumed and said
};

/// Samples of the Fourier transform of an image, zero where none was measured.
struct KSpace {
  std::vector<std::int64_t> shape{};  ///< x fastest: x, y, z, coil
  std::vector<std::complex<float>> samples{};
  std::array<double, 3> field_of_view_mm{};        ///< of what was encoded, oversampling included; 0 where unknown
  std::array<std::int64_t, 3> recon_size{};        ///< of the image that is meant; 0 where unknown
  std::array<double, 3> recon_field_of_view_mm{};  ///< 0 where unknown
  std::string trajectory{};                        ///< "cartesian", "radial" ...; empty where unknown
};

/// Planes of a PET sinogram whose lines of response join rings that lie equally far apart.
struct SinogramSegment {
  int ring_difference_min = 0, ring_difference_max = 0;
  std::int64_t planes = 0;
};
struct Sinogram {
  std::int64_t bins = 0, views = 0, planes = 0;
  double bin_mm = 0;
  std::vector<double> angle_deg{};
  std::vector<float> values{};              ///< bins fastest, then views, then planes (segment after segment)
  std::vector<SinogramSegment> segments{};  ///< in the order of the planes; empty where unknown
  bool arc_corrected = true;                ///< bins lie equally far apart
  int rings = 0, detectors_per_ring = 0;    ///< 0 where unknown
  double ring_spacing_mm = 0, ring_diameter_mm = 0, interaction_depth_mm = 0;  ///< 0 where unknown
};
/// What a PET scanner wrote, event by event.
struct ListMode {
  std::string scanner{};
  std::vector<std::uint64_t> events{};  ///< one word as stored each, in the machine's byte order
  int word_bits = 32;
  std::int64_t prompts = 0, delayeds = 0;  ///< words that are such an event
  std::int64_t duration_ms = 0;            ///< between the first and the last time mark
};
/// What each element of an ultrasound probe received after each transmit.
struct ChannelData {
  std::int64_t samples = 0, elements = 0, transmits = 0;
  double sampling_rate_hz = 0;
  std::vector<float> values{};  ///< samples fastest, then elements, then transmits (frame after frame)
  std::int64_t frames = 1;      ///< transmits = frames * transmits of one frame
  std::vector<std::array<double, 3>> element_mm{};  ///< centre of each: x along the probe, z into the body; or empty
  std::vector<double> transmit_angle_rad{};         ///< of a plane wave, one a transmit; empty where unknown
  double start_time_s = 0;                          ///< of the first sample after the transmit
  double pulse_delay_s = 0;                         ///< by which echoes come later for the length of the pulse
  double centre_frequency_hz = 0, sound_speed_m_per_s = 0;  ///< 0 where unknown
};

/// What a scanner measured before an image was made of it, with its geometry.
struct RawData {
  std::variant<Projections, KSpace, Sinogram, ListMode, ChannelData> value;
  Acquisition acquisition;
  std::vector<Remark> remarks;
  std::string sha256;
};

/// "k-space of 180 x 230 x 1 with 8 coils", "sinogram of 75 bins x 64 views x 27 planes".
[[nodiscard]] std::string shape_text(const RawData& raw);
/// SHA-256 over kind, shape and values, as 64 hex digits.
[[nodiscard]] std::string hash_of(const RawData& raw);

}  // namespace penta
