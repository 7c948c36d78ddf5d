#include "io/raster.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "io/nifti/geometry.h"
#include "io/nifti/voxels.h"

namespace penta::io {

namespace {

/// A whole number 0..65535, or nothing.
template <class T>
bool as_label(const T& value, std::uint16_t& label) noexcept {
  if constexpr (std::is_same_v<T, Rgb8> || std::is_same_v<T, std::complex<float>>) {
    return false;
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!(value >= 0 && value <= 65535) || value != std::floor(value)) return false;
    label = static_cast<std::uint16_t>(value);
    return true;
  } else {
    if (!std::in_range<std::uint16_t>(value)) return false;
    label = static_cast<std::uint16_t>(value);
    return true;
  }
}

void copy_labels(const AnyVolume& from, std::span<std::uint16_t> to, const std::string& name) {
  std::visit(
      [&](const auto& volume) {
        const auto voxels = volume.voxels();
        for (std::size_t i = 0; i < voxels.size(); ++i)
          if (!as_label(voxels[i], to[i]))
            throw Error(Code::bad_input, "reading labels '" + name + "': voxel " + std::to_string(i) +
                                             " is no whole number from 0 to 65535");
      },
      from);
}

std::vector<AnyVolume> volumes_of(Raster& raster, const std::string& name) {
  const auto& dim = raster.voxels.dim;
  const Grid grid =
      nifti::place_affine(raster.lps_mm, {dim[1], dim[2], dim[3]}, name, raster.place_field, raster.remarks);
  return nifti::decode(raster.voxels, grid, raster.data, raster.remarks);
}

}  // namespace

Image image_of(Raster raster, const std::string& name) {
  if (!raster.in_mm)
    raster.remarks.push_back({Severity::warning, "spacing_unknown", "the file gives no spacing: 1 mm is taken"});
  Image image;
  image.pixels = volumes_of(raster, name);
  if (raster.voxels.dim[4] > 1) image.axis = SequenceAxis::time;
  image.remarks = std::move(raster.remarks);
  return image;
}

LabelMap labels_of(Raster raster, const std::string& name) {
  return labels_of(volumes_of(raster, name), !raster.in_mm, name);
}

LabelMap labels_of(std::span<const AnyVolume> volumes, bool planar, const std::string& name) {
  const Grid& grid = grid_of(volumes.front());
  const auto frames = static_cast<std::int64_t>(volumes.size());
  if (frames > 1 && grid.size()[2] > 1)
    throw Error(Code::bad_input, "reading labels '" + name + "': a 4-D file holds frames of one slice, and this has " +
                                     std::to_string(grid.size()[2]) + " slices");
  LabelMap labels;
  labels.planar = planar || frames > 1;
  const Grid pixels({grid.size()[0], grid.size()[1], std::max(grid.size()[2], frames)}, {1, 1, 1});
  labels.layers.emplace_back(labels.planar ? pixels : grid);
  const auto all = labels.layers.front().voxels();
  const std::size_t one = all.size() / volumes.size();
  for (std::size_t t = 0; t < volumes.size(); ++t) copy_labels(volumes[t], all.subspan(t * one, one), name);
  add_found_segments(labels);
  return labels;
}

}  // namespace penta::io
