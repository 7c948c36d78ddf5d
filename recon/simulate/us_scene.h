#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace penta::recon {

/// Strength of the echoes in decibel against a mirror-like skull, and what the sound loses there.
struct Echo {
  double level_db = -30;
  double loss_db_per_mm = 0;
};

/// The drawing behind a simulated ultrasound picture. Coordinates in mm: x to the right, y downwards from the probe's
/// middle.
class UsScene {
 public:
  UsScene(std::uint64_t seed, double head_circumference_mm);

  /// What lies at a place that the beam reaches along the direction (beam_x, beam_y), of length one.
  [[nodiscard]] Echo at(double x, double y, double beam_x, double beam_y) const noexcept;
  [[nodiscard]] double depth_mm() const noexcept { return depth_mm_; }
  /// Inside the skull's outer edge.
  [[nodiscard]] bool in_head(double x, double y) const noexcept;
  [[nodiscard]] double half_long_mm() const noexcept { return half_long_mm_; }
  [[nodiscard]] double half_short_mm() const noexcept { return half_short_mm_; }

 private:
  struct Wave {
    double x, y, phase, size_db;
  };
  [[nodiscard]] std::array<double, 2> head_frame(double x, double y) const noexcept;
  [[nodiscard]] double texture_db(double x, double y) const noexcept;
  [[nodiscard]] double brain_db(double u, double v, double beam_across) const noexcept;
  [[nodiscard]] double outside_db(double x, double y, double distance_mm) const noexcept;

  double half_long_mm_ = 45, half_short_mm_ = 35, skull_mm_ = 2.5, centre_x_ = 0, centre_y_ = 60, turn_ = 0, depth_mm_ = 130;
  double fluid_side_ = 1, wall_mm_ = 14, ventricle_ = 0.4, front_ = 1;
  std::vector<Wave> waves_;
};

}  // namespace penta::recon
