#include "render/overlay.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "render/slice.h"

namespace penta::render {

namespace {

constexpr int letter_px = 16;
constexpr Rgb8 mark_colour{255, 220, 0};

std::vector<Rgb8> colours_of(const LabelMap& labels, int layer) {
  std::vector<Rgb8> colours(65536);
  for (int value = 1; value < 65536; ++value) {
    const auto c = label_colour(value);
    colours[static_cast<std::size_t>(value)] = {c[0], c[1], c[2]};
  }
  for (const Segment& s : labels.segments)
    if (s.layer == layer && s.value > 0 && s.value < 65536)
      colours[static_cast<std::size_t>(s.value)] = {s.colour[0], s.colour[1], s.colour[2]};
  return colours;
}

/// The box's two corners in the picture, sorted.
std::array<PicturePoint, 2> corners_of(const Finding& finding, const View& view) {
  const auto& b = finding.box;
  PicturePoint low{1e300, 1e300}, high{-1e300, -1e300};
  for (int corner = 0; corner < 8; ++corner) {
    const auto pick = [&](std::size_t k) { return b[(corner >> k & 1) != 0 ? k + 3 : k]; };
    const std::array<double, 2> p = finding.in_pixels ? view.pixel_of(IndexPoint{pick(0), pick(1), 0})
                                                      : view.pixel_of(PatientPoint{pick(0), pick(1), pick(2)});
    for (std::size_t k = 0; k < 2; ++k) low[k] = std::min(low[k], p[k]), high[k] = std::max(high[k], p[k]);
  }
  return {low, high};
}

bool meets(const Finding& finding, const View& view, std::int64_t frame) {
  if (finding.in_pixels) return finding.frame == frame;
  if (view.slice < 0) return true;
  const PatientPoint one{finding.box[0], finding.box[1], finding.box[2]},
      two{finding.box[3], finding.box[4], finding.box[5]};
  const auto through = [&](const PatientPoint& p) {
    const IndexPoint index = view.grid.to_index(p);
    return view.axes[2] == 0 ? index.x : view.axes[2] == 1 ? index.y : index.z;
  };
  const auto [low, high] = std::minmax({through(one), through(two)});
  const auto slice = static_cast<double>(view.slice);
  return slice >= low - 0.5 && slice <= high + 0.5;
}

}  // namespace

void draw_labels(Picture& picture, const LabelMap& labels, const View& view, LabelStyle style, std::int64_t frame) {
  for (std::size_t layer = 0; layer < labels.layers.size(); ++layer) {
    const std::vector<std::uint16_t> values = labels_of(labels, static_cast<int>(layer), view, frame);
    lay_labels(picture, values, colours_of(labels, static_cast<int>(layer)), style.alpha, style.outline);
  }
}

bool draw_finding(Picture& picture, const Finding& finding, const View& view, const Text& text, std::int64_t frame,
                  const Stroke& stroke) {
  if (!meets(finding, view, frame)) return false;
  const auto [low, high] = corners_of(finding, view);
  draw_box(picture, low, high, stroke);
  constexpr int size_px = 12;
  const auto above =
      static_cast<std::int64_t>(std::clamp(low[1] - static_cast<double>(Text::line_px(size_px) + 1), 0.0, 1e6));
  const auto left = static_cast<std::int64_t>(std::clamp(low[0], 0.0, 1e6));
  text.draw(picture, left, above, finding.label, {.size_px = size_px, .colour = stroke.colour});
  return true;
}

void draw_letters(Picture& picture, const View& view, const Text& text) {
  constexpr std::int64_t margin = 10;
  const std::int64_t w = picture.width, h = picture.height;
  const std::array<std::array<std::int64_t, 2>, 4> places{
      {{margin, h / 2}, {w - margin, h / 2}, {w / 2, margin}, {w / 2, h - margin}}};
  for (std::size_t k = 0; k < 4; ++k)
    if (view.letters[k] != 0)
      text.draw(picture, places[k][0], places[k][1], std::string(1, view.letters[k]),
                {.size_px = letter_px, .colour = mark_colour, .anchor = Anchor::centre});
}

void draw_scale_bar(Picture& picture, const View& view, const Text& text) {
  if (!(view.pixel_mm > 0)) return;
  double bar_mm = 0;
  for (const double mm : {1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0})
    if (mm / view.pixel_mm <= static_cast<double>(picture.width) / 3) bar_mm = mm;
  if (bar_mm == 0) return;
  constexpr std::int64_t margin = 12;
  const auto right = static_cast<double>(picture.width - margin), y = static_cast<double>(picture.height - margin);
  const double left = right - bar_mm / view.pixel_mm;
  draw_line(picture, {left, y + 1}, {right, y + 1}, {Rgb8{0, 0, 0}, 4});
  draw_line(picture, {left, y}, {right, y}, {mark_colour, 2});
  text.draw(picture, picture.width - margin, picture.height - margin - 4, std::to_string(std::lround(bar_mm)) + " mm",
            {.size_px = 12, .colour = mark_colour, .anchor = Anchor::bottom_right});
}

void stamp_synthetic(Picture& picture, const Text& text) {
  const int size_px = static_cast<int>(std::clamp<std::int64_t>(picture.width / 16, 8, 28));
  text.draw(picture, 4, 3, "SYNTHETIC", {.size_px = size_px, .colour = {255, 120, 40}});
}

}  // namespace penta::render
