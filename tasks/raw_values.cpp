#include "tasks/raw_values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "image/components/components.h"
#include "nn/preprocess.h"

namespace penta {

namespace {

/// Columns and rows [first, end) of a picture.
struct Box {
  std::array<std::int64_t, 2> first, end;
};

template <class Test>
Volume<std::uint8_t> mask_where(const CutSlice& slice, Test test) {
  Volume<std::uint8_t> mask(slice.picture.grid());
  std::transform(slice.picture.voxels().begin(), slice.picture.voxels().end(), mask.voxels().begin(),
                 [&](float v) { return static_cast<std::uint8_t>(test(v) ? 1 : 0); });
  return mask;
}

/// Whether a part has half of the middle third of a box.
bool holds_middle(const Volume<std::int32_t>& parts, std::int32_t part, const Box& box) {
  const auto lower = [&](std::size_t k) { return (2 * box.first[k] + box.end[k]) / 3; };
  const auto upper = [&](std::size_t k) { return (box.first[k] + 2 * box.end[k] + 2) / 3; };
  std::int64_t pixels = 0, held = 0;
  for (std::int64_t y = lower(1); y < upper(1); ++y)
    for (std::int64_t x = lower(0); x < upper(0); ++x) {
      ++pixels;
      if (parts.at(x, y, 0) == part) ++held;
    }
  return 2 * held >= pixels;
}

}  // namespace

bool in_hounsfield_units(const std::vector<CutSlice>& slices) noexcept {
  std::size_t count = 0, air = 0, between = 0, tissue = 0;
  for (const CutSlice& slice : slices)
    for (const float v : slice.picture.voxels()) {
      if (!std::isfinite(v)) continue;
      ++count;
      if (v >= -1100 && v < -700) ++air;
      if (v >= -700 && v < -200) ++between;
      if (v >= -200 && v < 200) ++tissue;
    }
  return count > 0 && 50 * air >= count && 10 * tissue >= count && between < std::min(air, tissue);
}

double lung_share(const CutSlice& slice) {
  const std::int64_t width = slice.picture.grid().size()[0], height = slice.picture.grid().size()[1];
  Volume<std::uint8_t> body = mask_where(slice, [](float v) { return v > -250; });
  if (connected_components(body.view(), Connectivity::faces).count() > 1) body = largest_component(body.view(), Connectivity::faces);
  struct Extent {
    std::int64_t first = -1, last = -1;
    [[nodiscard]] bool holds(std::int64_t k) const noexcept { return first >= 0 && first <= k && k <= last; }
  };
  std::vector<Extent> columns(static_cast<std::size_t>(width)), rows(static_cast<std::size_t>(height));
  const auto extend = [](Extent& extent, std::int64_t k) {
    if (extent.first < 0) extent.first = k;
    extent.last = k;
  };
  std::int64_t pixels = 0, lung = 0;
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      if (body.at(x, y, 0) != 0) {
        ++pixels;
        extend(columns[static_cast<std::size_t>(x)], y);
        extend(rows[static_cast<std::size_t>(y)], x);
      }
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const float v = slice.picture.at(x, y, 0);
      if (v > -950 && v < -600 && columns[static_cast<std::size_t>(x)].holds(y) && rows[static_cast<std::size_t>(y)].holds(x)) ++lung;
    }
  return lung + pixels == 0 ? 0 : static_cast<double>(lung) / static_cast<double>(lung + pixels);
}

double bone_ring(const CutSlice& slice, float bone_min, float body_min) {
  const std::int64_t width = slice.picture.grid().size()[0], height = slice.picture.grid().size()[1];
  const Volume<std::uint8_t> free = mask_where(slice, [&](float v) { return v < bone_min; });
  const Components found = connected_components(free.view(), Connectivity::faces);
  const Volume<std::int32_t> parts = labels_of(found, free.grid());
  std::vector<std::int64_t> sizes = found.sizes;
  bool air = false;
  Box box{{width, height}, {0, 0}};
  std::int64_t body = 0;
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const bool edge = x == 0 || y == 0 || x + 1 == width || y + 1 == height;
      if (slice.picture.at(x, y, 0) > body_min) {
        ++body;
        box = {{std::min(box.first[0], x), std::min(box.first[1], y)}, {std::max(box.end[0], x + 1), std::max(box.end[1], y + 1)}};
      } else if (edge && parts.at(x, y, 0) > 0) {
        air = true;
        sizes[static_cast<std::size_t>(parts.at(x, y, 0)) - 1] = 0;
      }
    }
  const auto largest = std::max_element(sizes.begin(), sizes.end());
  if (!air || body == 0 || largest == sizes.end() || *largest == 0) return 0;
  const auto part = static_cast<std::int32_t>(largest - sizes.begin()) + 1;
  return holds_middle(parts, part, box) ? static_cast<double>(*largest) / static_cast<double>(body) : 0;
}

double clipped_share(const CutSlice& slice) {
  const std::int64_t width = slice.picture.grid().size()[0], height = slice.picture.grid().size()[1];
  const auto [low, high] = std::minmax_element(slice.picture.voxels().begin(), slice.picture.voxels().end());
  const float top = *low + 0.97F * (*high - *low), ground = *low + 0.1F * (*high - *low);
  std::int64_t body = 0, flat = 0;
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      if (slice.picture.at(x, y, 0) > ground) ++body;
      bool all = true;
      for (std::int64_t v = std::max<std::int64_t>(y - 1, 0); v <= std::min(y + 1, height - 1); ++v)
        for (std::int64_t u = std::max<std::int64_t>(x - 1, 0); u <= std::min(x + 1, width - 1); ++u) all = all && slice.picture.at(u, v, 0) >= top;
      if (all) ++flat;
    }
  return static_cast<double>(flat) / static_cast<double>(std::max<std::int64_t>(body, 1));
}

double edges_filled(const CutSlice& grey) {
  const std::array<std::int64_t, 4> box = nn::content_box(grey.picture.view(), {16, 0.03});
  const std::int64_t left = box[0], upper = box[1], width = box[2], height = box[3];
  const auto share = [&](std::int64_t x0, std::int64_t columns, std::int64_t rows) {
    std::int64_t shown = 0;
    for (std::int64_t y = upper; y < upper + rows; ++y)
      for (std::int64_t x = x0; x < x0 + columns; ++x) shown += grey.picture.at(x, y, 0) > 16 ? 1 : 0;
    return static_cast<double>(shown) / static_cast<double>(columns * rows);
  };
  const std::int64_t columns = std::max<std::int64_t>(1, width / 28), half = std::max<std::int64_t>(1, height / 2);
  return std::min({share(left, width, std::max<std::int64_t>(1, height / 20)), share(left, columns, half),
                   share(left + width - columns, columns, half)});
}

double colour_share(const FrameSequence& frames) {
  constexpr std::size_t frames_max = 9;
  std::size_t coloured = 0, pixels = 0;
  for (std::size_t i = 0, count = std::min(frames.size(), frames_max); i < count; ++i) {
    const auto* rgb = std::get_if<std::vector<Rgb8>>(&frames[i * frames.size() / count].pixels);
    if (rgb == nullptr) continue;
    pixels += rgb->size();
    for (const Rgb8& v : *rgb) {
      const auto [low, high] = std::minmax({v.red, v.green, v.blue});
      if (high - low >= 16) ++coloured;
    }
  }
  return pixels == 0 ? 0 : static_cast<double>(coloured) / static_cast<double>(pixels);
}

bool is_cube(const std::array<double, 3>& spacing_mm) noexcept {
  const auto [least, most] = std::minmax_element(spacing_mm.begin(), spacing_mm.end());
  return *most <= 1.1 * *least;
}

}  // namespace penta
