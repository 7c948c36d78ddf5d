#include <cmath>

#include "core/error.h"
#include "io/dicom/read_seg.h"

namespace penta::io::dicom {

namespace {

// Index of `to` = start + step * index of `from`, with whole numbers, one entry of +-1 in each row and column.
struct Turn {
  std::array<std::int64_t, 3> start{};
  std::array<std::array<std::int64_t, 3>, 3> step{};
};

std::array<double, 3> as_array(const IndexPoint& p) { return {p.x, p.y, p.z}; }

std::int64_t whole(double value) {
  const double near = std::round(value);
  // Written as a negation, so that a value that is not a number is refused too.
  if (!(std::abs(value - near) < 0.02))
    throw Error(Code::bad_input, "putting labels on a grid: their voxels do not coincide with the grid's");
  return static_cast<std::int64_t>(near);
}

Turn turn_between(const Grid& from, const Grid& to) {
  Turn turn;
  const auto start = as_array(to.to_index(from.to_patient({0, 0, 0})));
  for (std::size_t r = 0; r < 3; ++r) turn.start[r] = whole(start[r]);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (from.size()[axis] == 1) continue;
    // Taken at the far end, where a small difference of spacing or direction has grown to its largest.
    const auto last = static_cast<double>(from.size()[axis] - 1);
    std::array<double, 3> index{};
    index[axis] = last;
    const auto end = as_array(to.to_index(from.to_patient({index[0], index[1], index[2]})));
    for (std::size_t r = 0; r < 3; ++r) {
      const std::int64_t moved = whole(end[r]) - turn.start[r];
      if (moved != 0 && std::abs(moved) != static_cast<std::int64_t>(last)) whole(0.5);
      turn.step[r][axis] = moved == 0 ? 0 : moved > 0 ? 1 : -1;
    }
  }
  return turn;
}

std::int64_t copy_layer(const Volume<std::uint16_t>& from, Volume<std::uint16_t>& to, const Turn& turn) {
  std::int64_t outside = 0;
  const Size3 &size = from.grid().size(), &limit = to.grid().size();
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x) {
        const std::uint16_t value = from.at(x, y, z);
        if (value == 0) continue;
        Size3 p{};
        bool inside = true;
        for (std::size_t r = 0; r < 3; ++r) {
          p[r] = turn.start[r] + turn.step[r][0] * x + turn.step[r][1] * y + turn.step[r][2] * z;
          inside = inside && p[r] >= 0 && p[r] < limit[r];
        }
        if (inside)
          to.at(p[0], p[1], p[2]) = value;
        else
          ++outside;
      }
  return outside;
}

}  // namespace

LabelMap on_grid(const LabelMap& labels, const Grid& grid, std::int64_t* outside) {
  if (labels.planar)
    throw Error(Code::bad_input, "putting labels on a grid: labels of plain frames have no place in the patient");
  const Turn turn = turn_between(labels.grid(), grid);
  LabelMap turned;
  turned.segments = labels.segments;
  turned.acquisition = labels.acquisition;
  turned.remarks = labels.remarks;
  std::int64_t lost = 0;
  for (const auto& layer : labels.layers) {
    turned.layers.emplace_back(grid);
    lost += copy_layer(layer, turned.layers.back(), turn);
  }
  if (outside != nullptr) *outside = lost;
  return turned;
}

}  // namespace penta::io::dicom
