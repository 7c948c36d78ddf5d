#include "render/draw.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace penta::render {

namespace {

void dab(Picture& picture, double x, double y, const Stroke& stroke) {
  const std::int64_t first = -(stroke.thickness_px - 1) / 2;
  for (std::int64_t dy = first; dy < first + stroke.thickness_px; ++dy)
    for (std::int64_t dx = first; dx < first + stroke.thickness_px; ++dx) {
      const std::int64_t px = std::llround(x) + dx, py = std::llround(y) + dy;
      if (px >= 0 && py >= 0 && px < picture.width && py < picture.height) picture.at(px, py) = stroke.colour;
    }
}

/// Cuts one end of a line to the half plane where `inside` >= 0 along `axis`; false when nothing is left.
bool clip(PicturePoint& a, PicturePoint& b, std::size_t axis, double limit, bool upper) noexcept {
  const auto outside = [&](const PicturePoint& p) { return upper ? p[axis] > limit : p[axis] < limit; };
  if (outside(a) && outside(b)) return false;
  if (!outside(a) && !outside(b)) return true;
  const double t = (limit - a[axis]) / (b[axis] - a[axis]);
  PicturePoint& moved = outside(a) ? a : b;
  moved = {a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])};
  moved[axis] = limit;
  return true;
}

}  // namespace

Rgb8 blend(Rgb8 under, Rgb8 over, double alpha) noexcept {
  const auto channel = [alpha](std::uint8_t a, std::uint8_t b) {
    return static_cast<std::uint8_t>(std::lround(a + alpha * (b - a)));
  };
  return {channel(under.red, over.red), channel(under.green, over.green), channel(under.blue, over.blue)};
}

void draw_line(Picture& picture, PicturePoint from, PicturePoint to, const Stroke& stroke) {
  for (const double v : {from[0], from[1], to[0], to[1]})
    if (!std::isfinite(v)) return;
  const double margin = stroke.thickness_px;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const auto size = static_cast<double>(axis == 0 ? picture.width : picture.height);
    if (!clip(from, to, axis, -margin, false) || !clip(from, to, axis, size + margin, true)) return;
  }
  const double length = std::max(std::abs(to[0] - from[0]), std::abs(to[1] - from[1]));
  const auto steps = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(length)));
  for (std::int64_t i = 0; i <= steps; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(steps);
    dab(picture, from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1]), stroke);
  }
}

void draw_polyline(Picture& picture, std::span<const PicturePoint> points, bool closed, const Stroke& stroke) {
  for (std::size_t i = 0; i + 1 < points.size(); ++i) draw_line(picture, points[i], points[i + 1], stroke);
  if (closed && points.size() > 2) draw_line(picture, points.back(), points.front(), stroke);
}

void draw_box(Picture& picture, PicturePoint top_left, PicturePoint bottom_right, const Stroke& stroke) {
  const std::array<PicturePoint, 4> corners{top_left, PicturePoint{bottom_right[0], top_left[1]}, bottom_right,
                                            PicturePoint{top_left[0], bottom_right[1]}};
  draw_polyline(picture, corners, true, stroke);
}

void draw_ellipse(Picture& picture, PicturePoint centre, double half_axis_1, double half_axis_2, double angle_rad,
                  const Stroke& stroke) {
  constexpr int corners = 180;
  std::vector<PicturePoint> points;
  for (int i = 0; i < corners; ++i) {
    const double t = 2 * std::numbers::pi * i / corners;
    const double u = half_axis_1 * std::cos(t), v = half_axis_2 * std::sin(t);
    points.push_back({centre[0] + u * std::cos(angle_rad) - v * std::sin(angle_rad),
                      centre[1] + u * std::sin(angle_rad) + v * std::cos(angle_rad)});
  }
  draw_polyline(picture, points, true, stroke);
}

void draw_point(Picture& picture, PicturePoint at, const Stroke& stroke) {
  constexpr double inner = 2, outer = 6;
  for (const PicturePoint way : {PicturePoint{1, 0}, PicturePoint{-1, 0}, PicturePoint{0, 1}, PicturePoint{0, -1}})
    draw_line(picture, {at[0] + inner * way[0], at[1] + inner * way[1]},
              {at[0] + outer * way[0], at[1] + outer * way[1]}, stroke);
}

void lay_labels(Picture& picture, std::span<const std::uint16_t> labels, std::span<const Rgb8> colours, double alpha,
                bool outline) {
  const auto at = [&](std::int64_t x, std::int64_t y) -> int {
    if (x < 0 || y < 0 || x >= picture.width || y >= picture.height) return 0;
    return labels[static_cast<std::size_t>(x + picture.width * y)];
  };
  for (std::int64_t y = 0; y < picture.height; ++y)
    for (std::int64_t x = 0; x < picture.width; ++x) {
      const int value = at(x, y);
      if (value == 0 || static_cast<std::size_t>(value) >= colours.size()) continue;
      const bool border =
          at(x - 1, y) != value || at(x + 1, y) != value || at(x, y - 1) != value || at(x, y + 1) != value;
      Rgb8& pixel = picture.at(x, y);
      pixel = blend(pixel, colours[static_cast<std::size_t>(value)], border && outline ? 1.0 : alpha);
    }
}

}  // namespace penta::render
