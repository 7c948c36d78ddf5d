#include "core/label_map.h"

#include <algorithm>

#include "core/error.h"

namespace penta {

const Segment* LabelMap::find(std::string_view name) const noexcept {
  const auto it = std::find_if(segments.begin(), segments.end(), [&](const Segment& s) { return s.name == name; });
  return it == segments.end() ? nullptr : &*it;
}

LabelMap clone(const LabelMap& labels) {
  LabelMap copy;
  for (const auto& layer : labels.layers) copy.layers.push_back(layer.clone());
  copy.segments = labels.segments;
  copy.planar = labels.planar;
  copy.acquisition = labels.acquisition;
  return copy;
}

std::int64_t voxel_count(const LabelMap& labels, const Segment& segment) noexcept {
  const auto voxels = labels.layers[static_cast<std::size_t>(segment.layer)].voxels();
  return std::count(voxels.begin(), voxels.end(), static_cast<std::uint16_t>(segment.value));
}

double volume_ml(const LabelMap& labels, const Segment& segment) {
  if (labels.planar) throw Error(Code::bad_input, "labels of a plain picture have no volume");
  return static_cast<double>(voxel_count(labels, segment)) * labels.grid().voxel_volume_ml();
}

}  // namespace penta
