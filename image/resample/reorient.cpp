#include "image/resample/reorient.h"

#include <array>
#include <string>

#include "core/error.h"
#include "core/parallel.h"

namespace penta {

namespace {

/// For each new axis the old index axis and whether it is run backwards.
struct Turn {
  std::array<std::size_t, 3> axis{};
  std::array<bool, 3> backwards{};
};

Turn turn_for(const Grid& grid, std::string_view letters) {
  constexpr std::string_view positive = "LPS", negative = "RAI";
  const AxisOrder order = axis_order(grid);
  std::array<bool, 3> used{};
  Turn turn;
  if (letters.size() != 3) throw Error(Code::bad_input, "an orientation has three letters, such as RAS");
  for (std::size_t k = 0; k < 3; ++k) {
    const bool to_positive = positive.find(letters[k]) != std::string_view::npos;
    const std::size_t patient = to_positive ? positive.find(letters[k]) : negative.find(letters[k]);
    if (patient == std::string_view::npos || used[patient])
      throw Error(Code::bad_input, "'" + std::string(letters) + "' is no orientation such as RAS or LPS");
    used[patient] = true;
    turn.axis[k] = static_cast<std::size_t>(order.index_axis[patient]);
    turn.backwards[k] = order.positive[patient] != to_positive;
  }
  return turn;
}

Grid turned(const Grid& grid, const Turn& turn) {
  Size3 size{};
  Vector3 spacing{};
  Matrix3 direction{};
  std::array<double, 3> first{};
  for (std::size_t k = 0; k < 3; ++k) {
    const std::size_t from = turn.axis[k];
    size[k] = grid.size()[from];
    spacing[k] = grid.spacing_mm()[from];
    if (turn.backwards[k]) first[from] = static_cast<double>(size[k] - 1);
    for (std::size_t r = 0; r < 3; ++r) direction[r][k] = (turn.backwards[k] ? -1 : 1) * grid.direction()[r][from];
  }
  return {size, spacing, grid.to_patient({first[0], first[1], first[2]}), direction};
}

template <class T>
Volume<T> turned_volume(VolumeView<const T> image, std::string_view letters) {
  const Turn turn = turn_for(image.grid, letters);
  Volume<T> out(turned(image.grid, turn));
  const Size3& old = image.grid.size();
  const std::array<std::int64_t, 3> old_stride{1, old[0], old[0] * old[1]};
  std::array<std::int64_t, 3> stride{};
  std::int64_t start = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    stride[k] = (turn.backwards[k] ? -1 : 1) * old_stride[turn.axis[k]];
    if (turn.backwards[k]) start += (old[turn.axis[k]] - 1) * old_stride[turn.axis[k]];
  }
  const Size3 size = out.grid().size();
  const auto to = out.voxels();
  parallel_for(size[2], 4, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t z = first; z < last; ++z)
      for (std::int64_t y = 0; y < size[1]; ++y) {
        const T* from = image.voxels.data() + start + y * stride[1] + z * stride[2];
        T* line = to.data() + size[0] * (y + size[1] * z);
        for (std::int64_t x = 0; x < size[0]; ++x) line[x] = from[x * stride[0]];
      }
  });
  return out;
}

}  // namespace

Grid reoriented(const Grid& grid, std::string_view letters) { return turned(grid, turn_for(grid, letters)); }
Volume<float> reoriented(VolumeView<const float> image, std::string_view letters) {
  return turned_volume(image, letters);
}
Volume<std::uint16_t> reoriented(VolumeView<const std::uint16_t> labels, std::string_view letters) {
  return turned_volume(labels, letters);
}

}  // namespace penta
