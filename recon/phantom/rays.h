#pragma once

#include <span>
#include <vector>

#include "recon/phantom/patient.h"

namespace penta::recon {

/// What lines of one direction meet of a painted patient, exactly (no voxels).
class RayTracer {
 public:
  /// A run of one tissue; distances along the line from its start, mm.
  struct Piece {
    double enter_mm = 0, leave_mm = 0;
    Tissue tissue = Tissue::fat;
  };

  /// `direction` has length one. Parts whose z extent lies outside [low_z_mm, high_z_mm] are left out: lines must stay inside.
  RayTracer(std::span<const Part> parts, const Vector3& direction, double low_z_mm = -1e9, double high_z_mm = 1e9);

  /// The pieces of the whole line through `start`, in the order of its direction; air is left out.
  void trace(const PatientPoint& start, std::vector<Piece>& pieces);

 private:
  struct Event {
    double at_mm;
    std::uint16_t part;
    bool enters;
  };
  std::vector<Piercer> piercers_;
  std::vector<Tissue> tissues_;
  std::vector<Event> events_;
  std::vector<std::uint64_t> inside_;  ///< one bit a part: the highest set bit is what lies on top
};

}  // namespace penta::recon
