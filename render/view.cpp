#include "render/view.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"

namespace penta::render {

namespace {

struct PlaneRow {
  std::array<std::size_t, 3> patient_axes;  ///< along picture x, picture y, through
  std::array<bool, 2> with_patient;         ///< picture x rises with +L (or +P), picture y with +P (or falls with +S)
  std::array<char, 4> letters;
};
constexpr std::array<PlaneRow, 3> planes{{{{0, 1, 2}, {true, true}, {'R', 'L', 'A', 'P'}},
                                          {{0, 2, 1}, {true, false}, {'R', 'L', 'S', 'I'}},
                                          {{1, 2, 0}, {true, false}, {'A', 'P', 'S', 'I'}}}};

const PlaneRow& row_of(Plane plane) noexcept { return planes[static_cast<std::size_t>(plane)]; }

/// Sets size, start and step for the axes that the view has; `reversed` axes run against the picture.
void lay_out(View& view, std::array<bool, 2> reversed, ViewSize wanted) {
  std::array<double, 2> spacing{}, extent{};
  std::array<std::int64_t, 2> count{};
  for (std::size_t k = 0; k < 2; ++k) {
    const auto axis = static_cast<std::size_t>(view.axes[k]);
    spacing[k] = view.grid.spacing_mm()[axis];
    count[k] = view.grid.size()[axis];
    extent[k] = spacing[k] * static_cast<double>(count[k]);
  }
  const double longest = std::max(extent[0], extent[1]);
  const double pixel = std::max(longest / static_cast<double>(std::max<std::int64_t>(wanted.longest_px, 1)),
                                std::min(spacing[0], spacing[1]) / wanted.zoom_max);
  const auto pixels = [&](double length) { return std::max<std::int64_t>(1, std::llround(length / pixel)); };
  view.width = pixels(extent[0]);
  view.height = pixels(extent[1]);
  view.pixel_mm = pixel;
  for (std::size_t k = 0; k < 2; ++k) {
    const double n = static_cast<double>(k == 0 ? view.width : view.height);
    view.step[k] = static_cast<double>(count[k]) / n;
    view.start[k] = view.step[k] / 2 - 0.5;
    if (reversed[k]) {
      view.start[k] = static_cast<double>(count[k]) - 1 - view.start[k];
      view.step[k] = -view.step[k];
    }
  }
}

View flat_view(std::int64_t width, std::int64_t height, std::optional<std::array<double, 2>> spacing, bool flipped,
               ViewSize size) {
  const std::array<double, 2> edge = spacing.value_or(std::array<double, 2>{1, 1});
  View view{.grid = Grid({width, height, 1}, {edge[0], edge[1], 1})};
  lay_out(view, {false, flipped}, size);
  if (!spacing) view.pixel_mm = 0;
  return view;
}

double& part(IndexPoint& p, int axis) noexcept { return axis == 0 ? p.x : axis == 1 ? p.y : p.z; }
double part(const IndexPoint& p, int axis) noexcept { return axis == 0 ? p.x : axis == 1 ? p.y : p.z; }

}  // namespace

std::string_view name_of(Plane plane) noexcept {
  return plane == Plane::axial ? "axial" : plane == Plane::coronal ? "coronal" : "sagittal";
}

IndexPoint View::index_of(double x, double y) const noexcept {
  IndexPoint index;
  part(index, axes[0]) = start[0] + step[0] * x;
  part(index, axes[1]) = start[1] + step[1] * y;
  part(index, axes[2]) = static_cast<double>(std::max<std::int64_t>(slice, 0));
  return index;
}

std::array<double, 2> View::pixel_of(const IndexPoint& index) const noexcept {
  return {(part(index, axes[0]) - start[0]) / step[0], (part(index, axes[1]) - start[1]) / step[1]};
}

std::array<double, 2> View::pixel_of(const PatientPoint& place) const noexcept {
  return pixel_of(grid.to_index(place));
}

double View::slices_away(const PatientPoint& place) const noexcept {
  return slice < 0 ? 0.0 : std::abs(part(grid.to_index(place), axes[2]) - static_cast<double>(slice));
}

std::int64_t slice_count(const Grid& grid, Plane plane) noexcept {
  const int through = axis_order(grid).index_axis[row_of(plane).patient_axes[2]];
  return grid.size()[static_cast<std::size_t>(through)];
}

View view_of(const Grid& grid, Plane plane, std::int64_t slice, ViewSize size) {
  if (slice < -1 || slice >= slice_count(grid, plane))
    throw Error(Code::wrong_use, "drawing slice " + std::to_string(slice) + " of " +
                                     std::to_string(slice_count(grid, plane)) + " " + std::string(name_of(plane)) +
                                     " ones");
  const PlaneRow& row = row_of(plane);
  const AxisOrder order = axis_order(grid);
  View view{.grid = grid};
  for (std::size_t k = 0; k < 3; ++k) view.axes[k] = order.index_axis[row.patient_axes[k]];
  view.slice = slice;
  view.letters = row.letters;
  lay_out(view,
          {order.positive[row.patient_axes[0]] != row.with_patient[0],
           order.positive[row.patient_axes[1]] != row.with_patient[1]},
          size);
  return view;
}

View view_of(const Frame2d& frame, ViewSize size) {
  return flat_view(frame.width, frame.height, frame.spacing_mm, false, size);
}

View view_of(const SliceStack& stack, ViewSize size) {
  return flat_view(stack.width, stack.height, stack.spacing_mm, false, size);
}

View view_of(const Projections& projections, ViewSize size) {
  const bool feet_first = projections.axial_known && projections.axial_step_mm > 0;
  return flat_view(projections.columns, projections.rows, projections.spacing_mm, feet_first, size);
}

}  // namespace penta::render
