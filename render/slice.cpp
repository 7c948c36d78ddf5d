#include "render/slice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace penta::render {

namespace {

/// One picture position between two voxels of an axis: value = (1 - weight) [first] + weight [second].
struct Tap {
  std::int64_t first = 0, second = 0;
  float weight = 0;
};

/// `per_pixel` positions inside each picture pixel, so that a coarser picture averages and does not skip.
std::vector<Tap> taps_of(double start, double step, std::int64_t pixels, std::int64_t voxels, int per_pixel) {
  std::vector<Tap> taps;
  taps.reserve(static_cast<std::size_t>(pixels * per_pixel));
  for (std::int64_t p = 0; p < pixels; ++p)
    for (int i = 0; i < per_pixel; ++i) {
      const double offset = (i + 0.5) / per_pixel - 0.5;
      const double at =
          std::clamp(start + step * (static_cast<double>(p) + offset), 0.0, static_cast<double>(voxels - 1));
      const auto first = static_cast<std::int64_t>(at);
      taps.push_back({first, std::min(first + 1, voxels - 1), static_cast<float>(at - static_cast<double>(first))});
    }
  return taps;
}

/// `get(i, j)` is the value at index i along picture x and j along picture y.
template <class Get>
std::vector<float> resample(const View& view, Get get) {
  const auto nx = view.grid.size()[static_cast<std::size_t>(view.axes[0])];
  const auto ny = view.grid.size()[static_cast<std::size_t>(view.axes[1])];
  const int sx = static_cast<int>(std::ceil(std::abs(view.step[0]) - 1e-6));
  const int sy = static_cast<int>(std::ceil(std::abs(view.step[1]) - 1e-6));
  const std::vector<Tap> columns = taps_of(view.start[0], view.step[0], view.width, nx, std::max(sx, 1));
  const std::vector<Tap> rows = taps_of(view.start[1], view.step[1], view.height, ny, std::max(sy, 1));
  const std::size_t across = columns.size() / static_cast<std::size_t>(view.width);
  const std::size_t down = rows.size() / static_cast<std::size_t>(view.height);
  std::vector<float> out(static_cast<std::size_t>(view.width * view.height));
  for (std::size_t y = 0, at = 0; y < static_cast<std::size_t>(view.height); ++y)
    for (std::size_t x = 0; x < static_cast<std::size_t>(view.width); ++x, ++at) {
      float sum = 0;
      for (std::size_t v = y * down; v < (y + 1) * down; ++v)
        for (std::size_t u = x * across; u < (x + 1) * across; ++u) {
          const Tap &c = columns[u], &r = rows[v];
          const float upper = get(c.first, r.first) * (1 - c.weight) + get(c.second, r.first) * c.weight;
          const float lower = get(c.first, r.second) * (1 - c.weight) + get(c.second, r.second) * c.weight;
          sum += upper * (1 - r.weight) + lower * r.weight;
        }
      out[at] = sum / static_cast<float>(across * down);
    }
  return out;
}

float luma(const Rgb8& c) noexcept {
  return 0.299F * static_cast<float>(c.red) + 0.587F * static_cast<float>(c.green) +
         0.114F * static_cast<float>(c.blue);
}

template <class T>
float scalar(const T& value) noexcept {
  if constexpr (std::is_same_v<T, Rgb8>)
    return luma(value);
  else if constexpr (std::is_same_v<T, std::complex<float>>)
    return std::abs(value);
  else
    return static_cast<float>(value);
}

/// Steps between voxels along picture x, picture y and through the picture, and the picture's sides in voxels.
struct Strides {
  std::int64_t x, y, z, nx, ny, nz;
};
Strides strides_of(const View& view) noexcept {
  const Size3& n = view.grid.size();
  const std::array<std::int64_t, 3> step{1, n[0], n[0] * n[1]};
  const auto a = static_cast<std::size_t>(view.axes[0]), b = static_cast<std::size_t>(view.axes[1]),
             c = static_cast<std::size_t>(view.axes[2]);
  return {step[a], step[b], step[c], n[a], n[b], n[c]};
}

/// In the order of memory, whichever way the rays run.
template <class T>
std::vector<float> largest_along_rays(std::span<const T> voxels, const View& view) {
  const Size3& n = view.grid.size();
  std::array<std::int64_t, 3> step{};  // of the answer, for a step along each index axis
  step[static_cast<std::size_t>(view.axes[0])] = 1;
  step[static_cast<std::size_t>(view.axes[1])] = n[static_cast<std::size_t>(view.axes[0])];
  const std::int64_t count = view.grid.count() / n[static_cast<std::size_t>(view.axes[2])];
  std::vector<float> most(static_cast<std::size_t>(count), -std::numeric_limits<float>::infinity());
  std::size_t at = 0;
  for (std::int64_t z = 0; z < n[2]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[0]; ++x) {
        float& held = most[static_cast<std::size_t>(x * step[0] + y * step[1] + z * step[2])];
        held = std::max(held, scalar(voxels[at++]));
      }
  return most;
}

template <class T>
std::vector<float> values_in(std::span<const T> voxels, const View& view) {
  const Strides s = strides_of(view);
  if (view.slice < 0) {
    const std::vector<float> most = largest_along_rays(voxels, view);
    return resample(view, [&](std::int64_t i, std::int64_t j) { return most[static_cast<std::size_t>(i + s.nx * j)]; });
  }
  const T* base = voxels.data() + view.slice * s.z;
  return resample(view, [&](std::int64_t i, std::int64_t j) { return scalar(base[i * s.x + j * s.y]); });
}

Picture coloured(std::span<const float> values, const View& view, const Window& window) {
  Picture picture(view.width, view.height);
  std::array<Rgb8, 256> table;
  for (std::size_t i = 0; i < 256; ++i) table[i] = colour_of(window.palette, static_cast<std::uint8_t>(i));
  std::transform(values.begin(), values.end(), picture.pixels.begin(), [&](float v) { return table[window.level(v)]; });
  return picture;
}

/// RGB pixels by channel; `base[i * sx + j * sy]` is the pixel at (i, j).
Picture colours_in(const Rgb8* base, std::int64_t sx, std::int64_t sy, const View& view) {
  Picture picture(view.width, view.height);
  for (std::uint8_t Rgb8::*channel : {&Rgb8::red, &Rgb8::green, &Rgb8::blue}) {
    const std::vector<float> values = resample(
        view, [&](std::int64_t i, std::int64_t j) { return static_cast<float>(base[i * sx + j * sy].*channel); });
    for (std::size_t p = 0; p < values.size(); ++p)
      picture.pixels[p].*channel = static_cast<std::uint8_t>(std::lround(std::clamp(values[p], 0.0F, 255.0F)));
  }
  return picture;
}

void check_size(const Grid& grid, const View& view) {
  if (grid.size() != view.grid.size()) throw Error(Code::internal, "drawing a volume with the view of another");
}

Picture flat(const float* first, std::int64_t columns, const View& view, const Window& window) {
  return coloured(resample(view, [&](std::int64_t i, std::int64_t j) { return first[i + columns * j]; }), view, window);
}

std::int64_t clamped(double at, std::int64_t count) noexcept {
  return std::clamp<std::int64_t>(std::llround(at), 0, count - 1);
}

std::uint16_t first_label(const Volume<std::uint16_t>& labels, const View& view, std::int64_t i,
                          std::int64_t j) noexcept {
  const Strides s = strides_of(view);
  const auto voxels = labels.voxels();
  for (std::int64_t z = 0; z < s.nz; ++z)
    if (const std::uint16_t v = voxels[static_cast<std::size_t>(i * s.x + j * s.y + z * s.z)]; v != 0) return v;
  return 0;
}

/// The label nearest to a place in mm; 0 outside of the labels.
std::uint16_t label_at(const Volume<std::uint16_t>& labels, const PatientPoint& place) noexcept {
  const IndexPoint at = labels.grid().to_index(place);
  const Size3& n = labels.grid().size();
  const std::array<double, 3> p{at.x, at.y, at.z};
  for (std::size_t k = 0; k < 3; ++k)
    if (!(p[k] >= -0.5 && p[k] < static_cast<double>(n[k]) - 0.5)) return 0;
  return labels.at(clamped(p[0], n[0]), clamped(p[1], n[1]), clamped(p[2], n[2]));
}

}  // namespace

std::vector<float> values_of(const AnyVolume& volume, const View& view) {
  check_size(grid_of(volume), view);
  return std::visit([&](const auto& v) { return values_in(v.voxels(), view); }, volume);
}

Picture picture_of(const AnyVolume& volume, const View& view, const Window& window) {
  if (const auto* colour = std::get_if<Volume<Rgb8>>(&volume); colour != nullptr && view.slice >= 0) {
    check_size(colour->grid(), view);
    const Strides s = strides_of(view);
    return colours_in(colour->voxels().data() + view.slice * s.z, s.x, s.y, view);
  }
  return coloured(values_of(volume, view), view, window);
}

Picture picture_of(const Frame2d& frame, const View& view, const Window& window) {
  if (const auto* colour = std::get_if<std::vector<Rgb8>>(&frame.pixels))
    return colours_in(colour->data(), 1, frame.width, view);
  return flat(frame.grey().data(), frame.width, view, window);
}

Picture picture_of(const SliceStack& stack, std::size_t index, const View& view, const Window& window) {
  return flat(stack.slices.at(index).pixels.data(), stack.width, view, window);
}

Picture picture_of(const Projections& projections, int layer, std::int64_t index, const View& view,
                   const Window& window) {
  const std::vector<float>& counts = projections.layers.at(static_cast<std::size_t>(layer));
  const auto first = static_cast<std::size_t>(index * projections.columns * projections.rows);
  if (first + static_cast<std::size_t>(projections.columns * projections.rows) > counts.size())
    throw Error(Code::wrong_use, "drawing camera view " + std::to_string(index) + ", which there is not");
  return flat(counts.data() + first, projections.columns, view, window);
}

std::vector<std::uint16_t> labels_of(const LabelMap& labels, int layer, const View& view, std::int64_t frame) {
  const Volume<std::uint16_t>& volume = labels.layers.at(static_cast<std::size_t>(layer));
  const Size3& n = volume.grid().size();
  const bool same = !labels.planar && volume.grid().same_as(view.grid);
  const Strides s = strides_of(view);
  std::vector<std::uint16_t> out;
  out.reserve(static_cast<std::size_t>(view.width * view.height));
  for (std::int64_t y = 0; y < view.height; ++y)
    for (std::int64_t x = 0; x < view.width; ++x) {
      const IndexPoint at = view.index_of(static_cast<double>(x), static_cast<double>(y));
      if (labels.planar)
        out.push_back(
            volume.at(clamped(at.x, n[0]), clamped(at.y, n[1]), std::clamp<std::int64_t>(frame, 0, n[2] - 1)));
      else if (same && view.slice < 0)
        out.push_back(first_label(volume, view, clamped(view.start[0] + view.step[0] * static_cast<double>(x), s.nx),
                                  clamped(view.start[1] + view.step[1] * static_cast<double>(y), s.ny)));
      else
        out.push_back(label_at(volume, view.grid.to_patient(at)));
    }
  return out;
}

}  // namespace penta::render
