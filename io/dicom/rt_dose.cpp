#include <cmath>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

constexpr Tag dose_units{0x3004, 0x0002}, offsets_tag{0x3004, 0x000C}, scaling_tag{0x3004, 0x000E};

/// Distances of the planes from the first along the normal (PS3.3 C.8.8.3.2): the stored ones start at zero, or they
/// are patient z of transverse planes.
std::optional<std::vector<double>> offsets_of(DcmItem& data, const Slice& first, std::size_t frames) {
  auto offsets = numbers(data, offsets_tag);
  if (frames == 1) return std::vector<double>{0};
  if (offsets.size() != frames || !first.plane) return std::nullopt;
  if (std::abs(offsets.front()) < 1e-3) return offsets;
  const double normal_z = first.plane->normal()[2];
  if (std::abs(std::abs(normal_z) - 1) > 1e-3 || std::abs(offsets.front() - first.plane->origin.z) > 1e-3)
    return std::nullopt;
  const double start = offsets.front();
  for (double& offset : offsets) offset = (offset - start) * (normal_z > 0 ? 1 : -1);
  return offsets;
}

}  // namespace

void read_dose_slices(DcmItem& data, Slice first, Instance& instance) {
  const auto frames = static_cast<std::size_t>(instance.layout.frames);
  const auto offsets = offsets_of(data, first, frames);
  if (!offsets)
    instance.faults.push_back({Severity::warning, "no_position",
                               "Grid Frame Offset Vector (3004,000C) does not place every plane of the dose: read as frames"});
  if (const auto scaling = number(data, scaling_tag)) first.slope = *scaling, first.intercept = 0;
  else
    instance.faults.push_back({Severity::warning, "unknown_units",
                               "Dose Grid Scaling (3004,000E) is missing, so values are not a dose"});
  const std::string units = text(data, dose_units);
  if (units == "GY" && has(data, scaling_tag)) instance.unit = "Gy";
  else
    instance.faults.push_back({Severity::warning, "unknown_units", "Dose Units (3004,0002) are '" + units + "'"});
  for (std::size_t f = 0; f < frames; ++f) {
    Slice slice = first;
    slice.frame = static_cast<int>(f);
    if (!offsets) slice.plane.reset();
    if (slice.plane) {
      const Vector3 normal = slice.plane->normal();
      slice.plane->origin.x += normal[0] * (*offsets)[f];
      slice.plane->origin.y += normal[1] * (*offsets)[f];
      slice.plane->origin.z += normal[2] * (*offsets)[f];
    }
    instance.slices.push_back(slice);
  }
}

}  // namespace penta::io::dicom
