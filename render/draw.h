#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/picture.h"

namespace penta::render {

/// Picture places: x to the right, y down, pixel centres on whole numbers. What falls outside is left out.
using PicturePoint = std::array<double, 2>;

struct Stroke {
  Rgb8 colour{255, 220, 0};
  int thickness_px = 1;
};

/// `over` laid on a pixel with `alpha` 0..1.
[[nodiscard]] Rgb8 blend(Rgb8 under, Rgb8 over, double alpha) noexcept;

void draw_line(Picture& picture, PicturePoint from, PicturePoint to, const Stroke& stroke = {});
/// Joins the points; `closed` joins the last to the first.
void draw_polyline(Picture& picture, std::span<const PicturePoint> points, bool closed, const Stroke& stroke = {});
void draw_box(Picture& picture, PicturePoint top_left, PicturePoint bottom_right, const Stroke& stroke = {});
/// `angle_rad` turns the first half axis from picture x towards picture y.
void draw_ellipse(Picture& picture, PicturePoint centre, double half_axis_1, double half_axis_2, double angle_rad,
                  const Stroke& stroke = {});
/// A cross with a gap in its middle, so that what it points at stays visible.
void draw_point(Picture& picture, PicturePoint at, const Stroke& stroke = {});

/// Lays colour over the labelled pixels (width x height values, 0 = none): `colours` by value, in steps of the table;
/// the border pixels of each label are opaque when `outline`.
void lay_labels(Picture& picture, std::span<const std::uint16_t> labels, std::span<const Rgb8> colours, double alpha,
                bool outline);

}  // namespace penta::render
