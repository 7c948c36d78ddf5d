#include "render/montage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace penta::render {

namespace {

constexpr std::array all_planes{Plane::axial, Plane::coronal, Plane::sagittal};

void paste(Picture& onto, const Picture& picture, std::int64_t x0, std::int64_t y0) {
  for (std::int64_t y = 0; y < picture.height; ++y)
    std::copy_n(picture.pixels.begin() + static_cast<std::ptrdiff_t>(y * picture.width), picture.width,
                onto.pixels.begin() + static_cast<std::ptrdiff_t>(x0 + onto.width * (y0 + y)));
}

/// The caption as far as it fits; whole UTF-8 characters only.
std::string fitted(std::string caption, std::int64_t width, int size_px, const Text& text) {
  if (text.width_px(caption, size_px) <= width) return caption;
  while (!caption.empty() && text.width_px(caption + "...", size_px) > width) {
    while (!caption.empty() && (static_cast<unsigned char>(caption.back()) & 0xC0U) == 0x80U) caption.pop_back();
    if (!caption.empty()) caption.pop_back();
  }
  return caption + "...";
}

int through_axis(const Grid& grid, Plane plane) {
  return axis_order(grid).index_axis[plane == Plane::axial ? 2 : plane == Plane::coronal ? 1 : 0];
}

/// How many labelled voxels each slice along each index axis has.
std::array<std::vector<std::int64_t>, 3> profiles(const LabelMap& labels, int layer, int value) {
  const Volume<std::uint16_t>& volume = labels.layers.at(static_cast<std::size_t>(layer));
  const Size3& n = volume.grid().size();
  std::array<std::vector<std::int64_t>, 3> counts;
  for (std::size_t k = 0; k < 3; ++k) counts[k].resize(static_cast<std::size_t>(n[k]));
  const auto voxels = volume.voxels();
  std::size_t at = 0;
  for (std::size_t z = 0; z < counts[2].size(); ++z)
    for (std::size_t y = 0; y < counts[1].size(); ++y)
      for (std::size_t x = 0; x < counts[0].size(); ++x, ++at)
        if (voxels[at] != 0 && (value == 0 || voxels[at] == value)) ++counts[0][x], ++counts[1][y], ++counts[2][z];
  return counts;
}

/// The occupied slice nearest to the centre of mass of a profile; its middle when it is empty.
std::int64_t central(const std::vector<std::int64_t>& profile) {
  double sum = 0, weight = 0;
  for (std::size_t i = 0; i < profile.size(); ++i) {
    sum += static_cast<double>(i) * static_cast<double>(profile[i]);
    weight += static_cast<double>(profile[i]);
  }
  if (weight == 0) return static_cast<std::int64_t>(profile.size() / 2);
  const double centre = sum / weight;
  std::size_t best = 0;
  double least = 1e300;
  for (std::size_t i = 0; i < profile.size(); ++i)
    if (const double off = std::abs(static_cast<double>(i) - centre); profile[i] > 0 && off < least)
      least = off, best = i;
  return static_cast<std::int64_t>(best);
}

std::vector<KeySlice> spread(Plane plane, std::int64_t first, std::int64_t last, int count, bool reversed) {
  std::vector<KeySlice> slices;
  const std::int64_t there = last - first + 1;
  const auto n = std::min<std::int64_t>(count, there);
  for (std::int64_t i = 0; i < n; ++i) slices.push_back({plane, first + (2 * i + 1) * there / (2 * n)});
  if (reversed) std::reverse(slices.begin(), slices.end());
  return slices;
}

bool falls(const Grid& grid, Plane plane) {
  return !axis_order(grid).positive[plane == Plane::axial ? 2 : plane == Plane::coronal ? 1 : 0];
}

}  // namespace

Picture montage(std::span<const Tile> tiles, const Text& text, const MontageStyle& style) {
  if (tiles.empty()) return {1, 1, style.background};
  std::int64_t cell_w = 1, cell_h = 1;
  bool captioned = false;
  for (const Tile& tile : tiles) {
    cell_w = std::max(cell_w, tile.picture.width);
    cell_h = std::max(cell_h, tile.picture.height);
    captioned = captioned || !tile.caption.empty();
  }
  const std::int64_t caption_h = captioned ? Text::line_px(style.caption_px) + 4 : 0;
  const auto count = static_cast<std::int64_t>(tiles.size());
  const double ideal = std::sqrt(static_cast<double>(count * (cell_h + caption_h)) / static_cast<double>(cell_w));
  const std::int64_t columns =
      std::clamp<std::int64_t>(style.columns > 0 ? style.columns : std::llround(ideal), 1, count);
  // A row is as high as its highest picture: thin reformats of a short stack would else stand in a field of nothing.
  std::vector<std::int64_t> row_h(static_cast<std::size_t>((count + columns - 1) / columns), 1);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t& height = row_h[static_cast<std::size_t>(i / columns)];
    height = std::max(height, tiles[static_cast<std::size_t>(i)].picture.height);
  }
  const std::int64_t gap = style.gap_px;
  const std::int64_t all_h = std::accumulate(row_h.begin(), row_h.end(), gap, [&](std::int64_t sum, std::int64_t h) {
    return sum + h + caption_h + gap;
  });
  Picture sheet(columns * (cell_w + gap) + gap, all_h, style.background);
  const bool bright = style.background.red + style.background.green + style.background.blue > 380;
  TextStyle writing{
      .size_px = style.caption_px, .colour = bright ? Rgb8{20, 20, 20} : Rgb8{230, 230, 230}, .halo = false};
  std::int64_t y = gap;
  for (std::int64_t i = 0; i < count; ++i) {
    if (i > 0 && i % columns == 0) y += row_h[static_cast<std::size_t>(i / columns - 1)] + caption_h + gap;
    const Tile& tile = tiles[static_cast<std::size_t>(i)];
    const std::int64_t x = gap + i % columns * (cell_w + gap), h = row_h[static_cast<std::size_t>(i / columns)];
    paste(sheet, tile.picture, x + (cell_w - tile.picture.width) / 2, y + (h - tile.picture.height) / 2);
    if (!tile.caption.empty())
      text.draw(sheet, x, y + h + 2, fitted(tile.caption, cell_w, style.caption_px, text), writing);
  }
  return sheet;
}

Picture thumbnail(const Picture& picture, std::int64_t longest_px) {
  const std::int64_t longest = std::max(picture.width, picture.height);
  if (longest <= longest_px) return picture;
  const auto side = [&](std::int64_t n) { return std::max<std::int64_t>(1, n * longest_px / longest); };
  Picture small(side(picture.width), side(picture.height));
  for (std::int64_t y = 0; y < small.height; ++y)
    for (std::int64_t x = 0; x < small.width; ++x) {
      const std::int64_t x0 = x * picture.width / small.width,
                         x1 = std::max(x0 + 1, (x + 1) * picture.width / small.width);
      const std::int64_t y0 = y * picture.height / small.height,
                         y1 = std::max(y0 + 1, (y + 1) * picture.height / small.height);
      std::array<std::int64_t, 3> sum{};
      for (std::int64_t v = y0; v < y1; ++v)
        for (std::int64_t u = x0; u < x1; ++u) {
          const Rgb8& p = picture.at(u, v);
          sum[0] += p.red, sum[1] += p.green, sum[2] += p.blue;
        }
      const std::int64_t n = (x1 - x0) * (y1 - y0);
      const auto mean = [&](std::size_t k) { return static_cast<std::uint8_t>((sum[k] + n / 2) / n); };
      small.at(x, y) = {mean(0), mean(1), mean(2)};
    }
  return small;
}

std::vector<KeySlice> key_slices(const Grid& grid) {
  std::vector<KeySlice> slices;
  for (const Plane plane : all_planes) slices.push_back({plane, slice_count(grid, plane) / 2});
  return slices;
}

std::vector<KeySlice> key_slices(const LabelMap& labels, int layer, int value) {
  const auto counts = profiles(labels, layer, value);
  std::vector<KeySlice> slices;
  for (const Plane plane : all_planes)
    slices.push_back({plane, central(counts[static_cast<std::size_t>(through_axis(labels.grid(), plane))])});
  return slices;
}

std::vector<KeySlice> spread_slices(const Grid& grid, Plane plane, int count) {
  return spread(plane, 0, slice_count(grid, plane) - 1, count, falls(grid, plane));
}

std::vector<KeySlice> spread_slices(const LabelMap& within, Plane plane, int count) {
  const auto counts = profiles(within, 0, 0);
  const auto& profile = counts[static_cast<std::size_t>(through_axis(within.grid(), plane))];
  const auto occupied = [](std::int64_t n) { return n > 0; };
  const auto first = std::find_if(profile.begin(), profile.end(), occupied);
  if (first == profile.end()) return spread_slices(within.grid(), plane, count);
  const auto last = std::find_if(profile.rbegin(), profile.rend(), occupied);
  return spread(plane, first - profile.begin(), profile.rend() - last - 1, count, falls(within.grid(), plane));
}

}  // namespace penta::render
