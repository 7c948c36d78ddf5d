#include "modality/us/screen.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "image/components/components.h"
#include "modality/us/regions.h"

namespace penta::us {

namespace {

constexpr float bright_min = 150, ring_max = 70;  // of marks and of what lies around them, 0..255
constexpr std::int64_t letter_min = 5, letter_max = 40, cross_min = 7, cross_max = 31;
constexpr std::size_t letters_min = 4;

struct Mark {
  PixelBox box;
  std::int64_t pixels = 0;
  [[nodiscard]] std::int64_t width() const noexcept { return box.x1 - box.x0 + 1; }
  [[nodiscard]] std::int64_t height() const noexcept { return box.y1 - box.y0 + 1; }
};

struct Grey {
  std::int64_t width, height;
  std::vector<float> values;
  [[nodiscard]] float at(std::int64_t x, std::int64_t y) const noexcept { return values[static_cast<std::size_t>(x + width * y)]; }
};

/// Mean of the pixels one outside of a box, within the frame.
float around(const Grey& grey, const PixelBox& box) {
  double sum = 0;
  int count = 0;
  for (std::int64_t y = box.y0 - 1; y <= box.y1 + 1; ++y)
    for (std::int64_t x = box.x0 - 1; x <= box.x1 + 1; ++x) {
      const bool rim = y < box.y0 || y > box.y1 || x < box.x0 || x > box.x1;
      if (!rim || x < 0 || y < 0 || x >= grey.width || y >= grey.height) continue;
      sum += static_cast<double>(grey.at(x, y));
      ++count;
    }
  return count == 0 ? 0.0F : static_cast<float>(sum / count);
}

/// Bright connected parts as small as letters, with dark around them.
std::vector<Mark> marks_of(const Grey& grey) {
  Volume<std::uint8_t> mask(Grid({grey.width, grey.height, 1}, {1, 1, 1}));
  std::transform(grey.values.begin(), grey.values.end(), mask.voxels().begin(), [](float v) { return v >= bright_min ? 1 : 0; });
  const Components parts = connected_components(std::as_const(mask).view(), Connectivity::corners);
  std::vector<Mark> all(static_cast<std::size_t>(parts.count()), Mark{{grey.width, grey.height, -1, -1}, 0});
  for (const Run& run : parts.runs) {
    Mark& mark = all[static_cast<std::size_t>(run.component - 1)];
    mark.box = {std::min(mark.box.x0, run.first_x), std::min(mark.box.y0, run.y), std::max(mark.box.x1, run.last_x),
                std::max(mark.box.y1, run.y)};
    mark.pixels += run.length();
  }
  std::erase_if(all, [&](const Mark& mark) {
    return mark.height() < letter_min || mark.height() > letter_max || mark.width() > letter_max || around(grey, mark.box) > ring_max;
  });
  return all;
}

/// Rows of letters: same height within a fifth, same base line within a pixel, gaps of at most 1.5 heights.
std::vector<PixelBox> lines_of(std::vector<Mark> marks) {
  std::sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.box.x0 < b.box.x0; });
  std::vector<bool> used(marks.size());
  std::vector<PixelBox> lines;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (used[i]) continue;
    std::vector<std::size_t> row{i};
    for (std::size_t j = i + 1; j < marks.size(); ++j) {
      const Mark &last = marks[row.back()], &next = marks[j];
      const std::int64_t gap = next.box.x0 - last.box.x1;
      if (2 * gap > 3 * last.height()) break;
      if (used[j] || gap < 1 || std::abs(next.box.y1 - last.box.y1) > 1) continue;
      if (5 * std::abs(next.height() - last.height()) <= last.height()) row.push_back(j);
    }
    if (row.size() < letters_min) continue;
    PixelBox line = marks[i].box;
    for (const std::size_t j : row) {
      used[j] = true;
      line = {line.x0, std::min(line.y0, marks[j].box.y0), std::max(line.x1, marks[j].box.x1), std::max(line.y1, marks[j].box.y1)};
    }
    lines.push_back(line);
  }
  return lines;
}

/// A cross: both arms (upright, or both diagonals) bright along four fifths, and at most half of the box bright.
bool is_cross(const Grey& grey, const Mark& mark) {
  const std::int64_t n = std::min(mark.width(), mark.height());
  if (n < cross_min || n > cross_max || std::abs(mark.width() - mark.height()) > 2) return false;
  if (2 * mark.pixels > mark.width() * mark.height()) return false;
  const std::int64_t cx = (mark.box.x0 + mark.box.x1) / 2, cy = (mark.box.y0 + mark.box.y1) / 2;
  const auto lit = [&](std::int64_t x, std::int64_t y) {
    for (std::int64_t dx = 0; dx <= 1; ++dx)
      if (x + dx < grey.width && grey.at(x + dx, y) >= bright_min) return true;
    return false;
  };
  std::int64_t upright[2]{}, slanting[2]{};
  for (std::int64_t k = 0; k < n; ++k) {
    upright[0] += lit(mark.box.x0 + k, cy) ? 1 : 0;
    upright[1] += lit(cx, mark.box.y0 + k) ? 1 : 0;
    slanting[0] += lit(mark.box.x0 + k, mark.box.y0 + k) ? 1 : 0;
    slanting[1] += lit(mark.box.x1 - k, mark.box.y0 + k) ? 1 : 0;
  }
  const auto both = [n](const std::int64_t (&arms)[2]) { return 5 * std::min(arms[0], arms[1]) >= 4 * n; };
  return both(upright) != both(slanting);
}

void judge_colour(const Frame2d& frame, Screen& screen) {
  const auto* pixels = std::get_if<std::vector<Rgb8>>(&frame.pixels);
  if (pixels == nullptr) return;
  std::int64_t bright = 0, coloured = 0;
  std::set<int> tones;
  for (const Rgb8 p : *pixels) {
    const auto [low, high] = std::minmax({p.red, p.green, p.blue});
    bright += high > 24 ? 1 : 0;
    if (high - low <= 48) continue;
    ++coloured;
    tones.insert((p.red >> 4) << 8 | (p.green >> 4) << 4 | p.blue >> 4);
  }
  screen.tinted = 2 * coloured > bright;
  // The marks of a machine have few tones; flow has many.
  screen.colour_flow = !screen.tinted && 1000 * coloured > 3 * bright && tones.size() >= 24;
}

}  // namespace

Screen screen_of(const Frame2d& frame) {
  const Grey grey{frame.width, frame.height, frame.grey()};
  const std::vector<Mark> marks = marks_of(grey);
  Screen screen;
  screen.text_lines = lines_of(marks);
  for (const Mark& mark : marks)
    if (is_cross(grey, mark)) screen.callipers.push_back(mark.box);
  judge_colour(frame, screen);
  return screen;
}

std::vector<std::string> modes_of_regions(const FrameSequence& frames) {
  std::set<std::string> kinds;
  for (const Frame2d& frame : frames)
    for (const UsRegion& region : frame.regions) kinds.insert(std::string(kind_of(region)));
  std::vector<std::string> modes;
  for (const auto& [kind, name] : {std::pair{"tissue", "B-mode"}, std::pair{"colour flow", "colour Doppler"},
                                   std::pair{"spectral Doppler", "spectral Doppler"}, std::pair{"M-mode", "M-mode"},
                                   std::pair{"colour M-mode", "colour M-mode"}})
    if (kinds.contains(kind)) modes.emplace_back(name);
  return modes;
}

}  // namespace penta::us
