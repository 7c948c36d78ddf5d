#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/acquisition.h"
#include "core/coded.h"
#include "core/remark.h"
#include "core/volume.h"

namespace penta {

/// What one axis of an ultrasound region measures (PS3.3 C.8.5.5.1.15).
enum class RegionUnit { none, percent, decibel, centimetre, second, hertz, centimetre_per_second, degree, other };

/// A calibrated rectangle of a frame (PS3.3 C.8.5.5): pixel columns x0..x1 and rows y0..y1, inclusive.
struct UsRegion {
  std::int64_t x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  RegionUnit unit_x = RegionUnit::none, unit_y = RegionUnit::none;
  double delta_x = 0, delta_y = 0;  ///< units per pixel, as stored (centimetres for lengths)
  int spatial_format = 0;           ///< 1 = 2D tissue, 2 = M-mode, 3 = spectral, ... (0018,6012)
  int data_type = 0;                ///< 1 = tissue, 2 = colour flow, ... (0018,6014)
};

/// Pixels of one picture, row by row from the top left: what PNG and ultrasound give.
struct Frame2d {
  std::int64_t width = 0, height = 0;
  std::variant<std::vector<std::uint8_t>, std::vector<std::uint16_t>, std::vector<float>, std::vector<Rgb8>> pixels;
  std::optional<std::array<double, 2>> spacing_mm;  ///< along x and y; absent: this picture has no size
  std::vector<UsRegion> regions;

  /// mm per pixel along x and y. Throws Error{bad_input} where the picture has none.
  [[nodiscard]] std::array<double, 2> spacing_mm_or_throw() const;
  /// One grey value a pixel as float32 (RGB becomes luma, ITU-R BT.601).
  [[nodiscard]] std::vector<float> grey() const;
};

/// Slices each with its own place: what an uneven, tilted or incomplete series gives.
/// It becomes a volume only by a policy named in image/regrid.
struct SliceStack {
  struct Slice {
    PatientPoint origin_mm;  ///< centre of the first pixel
    std::vector<float> pixels;
  };
  std::int64_t width = 0, height = 0;
  std::array<double, 2> spacing_mm{};  ///< along x (columns) and y (rows)
  Vector3 row_axis{};                  ///< patient direction of increasing x
  Vector3 column_axis{};               ///< patient direction of increasing y
  std::vector<Slice> slices;           ///< ordered along cross(row_axis, column_axis)
  std::string why;                     ///< in what it is not a volume: "uneven slice distances (3.0 to 6.0 mm)"
};

/// What the outer vector of an image counts.
enum class SequenceAxis { none, time, frame, gate, echo, b_value, energy_window, view, component };

using VolumeSequence = std::vector<AnyVolume>;
using FrameSequence = std::vector<Frame2d>;

/// One image: its pixels, what their values mean, and how it was acquired. Moves; never copies by accident.
struct Image {
  std::variant<VolumeSequence, FrameSequence, SliceStack> pixels;
  SequenceAxis axis = SequenceAxis::none;
  /// Where each volume or frame stands on `axis`: s (time), s/mm2 (b_value), ms (echo); empty where it is not known.
  std::vector<double> axis_values{};
  /// On the b_value axis, the direction of each volume's diffusion gradient in patient space (LPS), of length one; zero
  /// where a volume has none (b = 0, trace). Empty where directions are not known.
  std::vector<std::array<double, 3>> axis_directions{};
  std::string unit;  ///< UCUM, or "HU" as "[hnsf'U]"; empty when values are arbitrary
  CodedConcept quantity{};  ///< what the values measure, where the file says it (a parametric map does)
  Acquisition acquisition;
  std::vector<Remark> remarks;  ///< what reading found: conversions that lose, faults, guesses not made
  std::string sha256;           ///< of the pixels and geometry as read; the key of Workspace

  [[nodiscard]] bool is_volume() const noexcept;
  [[nodiscard]] bool is_frames() const noexcept { return std::holds_alternative<FrameSequence>(pixels); }
  /// The one volume. Throws Error{bad_input} that says what this image is instead.
  [[nodiscard]] const AnyVolume& volume() const;
  [[nodiscard]] const FrameSequence& frames() const;
  /// "256 x 256 x 180 voxels of 1 x 1 x 1 mm", "30 frames of 320 x 240 pixels".
  [[nodiscard]] std::string shape_text() const;
};

/// A volume with a unit and the acquisition facts of what it was made from; ready to be an artefact.
[[nodiscard]] Image image_like(const Image& source, AnyVolume volume, std::string unit);
/// SHA-256 over geometry and pixel bytes, as 64 hex digits.
[[nodiscard]] std::string hash_of(const Image& image);

}  // namespace penta
