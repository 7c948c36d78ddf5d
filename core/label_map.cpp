#include "core/label_map.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace penta {

const Segment* LabelMap::find(std::string_view name) const noexcept {
  const auto it = std::find_if(segments.begin(), segments.end(), [&](const Segment& s) { return s.name == name; });
  return it == segments.end() ? nullptr : &*it;
}

std::array<std::uint8_t, 3> label_colour(int value) noexcept {
  // Steps of the golden angle never come back near a hue soon; three lightness steps part neighbours further.
  const double hue = std::fmod(0.02 + 0.61803398875 * (value - 1), 1.0) * 6.0;
  constexpr std::array<double, 3> floors{0.15, 0.40, 0.0};
  const double floor = floors[static_cast<std::size_t>(std::abs(value - 1) % 3)];
  const auto channel = [&](double shift) {
    const double k = std::fmod(hue + shift + 6.0, 6.0);
    const double level = std::clamp(std::min(k, 4.0 - k), 0.0, 1.0);
    return static_cast<std::uint8_t>(std::lround(255.0 * (floor + (1.0 - floor) * level)));
  };
  return {channel(2.0), channel(0.0), channel(4.0)};
}

void add_found_segments(LabelMap& labels) {
  for (std::size_t layer = 0; layer < labels.layers.size(); ++layer) {
    std::vector<bool> found(65536, false);
    for (const std::uint16_t v : std::as_const(labels.layers[layer]).voxels()) found[v] = true;
    for (const Segment& s : labels.segments)
      if (s.layer == static_cast<int>(layer)) found[static_cast<std::size_t>(s.value)] = false;
    for (int value = 1; value < 65536; ++value) {
      if (!found[static_cast<std::size_t>(value)]) continue;
      Segment segment;
      segment.value = value;
      segment.layer = static_cast<int>(layer);
      segment.name = "label " + std::to_string(value);
      segment.colour = label_colour(value);
      labels.segments.push_back(std::move(segment));
    }
  }
}

std::vector<int> rows_by_value(const LabelMap& labels, std::size_t layer, std::string_view doing) {
  std::vector<int> rows(65536, -1);
  for (std::size_t s = 0; s < labels.segments.size(); ++s) {
    const Segment& segment = labels.segments[s];
    if (segment.value < 1 || segment.value > 65535 || segment.layer < 0 ||
        static_cast<std::size_t>(segment.layer) >= labels.layers.size())
      throw Error(Code::bad_input, std::string(doing) + ": segment '" + segment.name +
                                       "' names no value or layer of its labels");
    if (static_cast<std::size_t>(segment.layer) == layer)
      rows[static_cast<std::size_t>(segment.value)] = static_cast<int>(s);
  }
  return rows;
}

LabelMap clone(const LabelMap& labels) {
  LabelMap copy;
  for (const auto& layer : labels.layers) copy.layers.push_back(layer.clone());
  copy.segments = labels.segments;
  copy.planar = labels.planar;
  copy.acquisition = labels.acquisition;
  copy.remarks = labels.remarks;
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
