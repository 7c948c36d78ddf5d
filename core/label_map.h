#pragma once

#include <string>
#include <vector>

#include "core/coded.h"
#include "core/image.h"
#include "core/volume.h"

namespace penta {

/// Left or right of the patient; none for what has no side or where it is unknown.
enum class Side { none, left, right };
[[nodiscard]] constexpr std::string_view name_of(Side side) noexcept {
  return side == Side::left ? "left" : side == Side::right ? "right" : "";
}

/// One row of a label map's table.
struct Segment {
  int value = 0;        ///< voxel value in its layer, 1..65535
  int layer = 0;        ///< index of the layer that holds it
  std::string name;     ///< as given: the ROI's name, the class's name
  CodedConcept type;    ///< PS3.16 CID 7166 and the like
  CodedConcept category{"SCT", "91723000", "Anatomical Structure"};
  Side side = Side::none;
  std::array<std::uint8_t, 3> colour{255, 80, 80};
};

/// Labels on the grid of an image: layers without overlap inside each, and one segment table.
struct LabelMap {
  std::vector<Volume<std::uint16_t>> layers;  ///< all on one grid; at least one
  std::vector<Segment> segments;
  bool planar = false;    ///< labels of plain frames (z counts frames): spacing is in pixels, not mm
  Acquisition acquisition;  ///< of the image that it labels
  std::vector<Remark> remarks{};  ///< what reading found: fractions cut at half, frames left out

  [[nodiscard]] const Grid& grid() const { return layers.at(0).grid(); }
  [[nodiscard]] const Segment* find(std::string_view name) const noexcept;
};

/// A colour for a label value, apart from those of the values before it (hue by the golden angle).
[[nodiscard]] std::array<std::uint8_t, 3> label_colour(int value) noexcept;
/// Adds a segment "label N" for each value > 0 of each layer that the table does not name yet.
void add_found_segments(LabelMap& labels);

/// Row of the segment table by value (0..65535) for one layer; -1: no segment has it. `doing` begins the message.
/// Throws Error{bad_input} on a segment that names no value or layer of its labels.
[[nodiscard]] std::vector<int> rows_by_value(const LabelMap& labels, std::size_t layer, std::string_view doing);

[[nodiscard]] LabelMap clone(const LabelMap& labels);
[[nodiscard]] std::int64_t voxel_count(const LabelMap& labels, const Segment& segment) noexcept;
/// Volume of one segment in ml. Throws Error{bad_input} on labels without millimetres.
[[nodiscard]] double volume_ml(const LabelMap& labels, const Segment& segment);

}  // namespace penta
