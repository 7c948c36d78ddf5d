#include "nn/tiling.h"

#include <algorithm>

#include "core/parallel.h"
#include "nn/sliding_window.h"

namespace penta::nn {

namespace {

// A 2-D network sees so many slices in a row, which can share one call.
constexpr std::int64_t slices_a_row = 8;

std::int64_t rounded_up(std::int64_t n, std::int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// First voxels of the windows along one axis.
std::vector<std::int64_t> starts_along(std::size_t axis, const Tiling& tiling, const InputSpec& spec) {
  const std::int64_t size = tiling.image[axis], window = tiling.window[axis];
  if (spec.by_slices && axis == 2) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) all[static_cast<std::size_t>(i)] = i;
    return all;
  }
  std::vector<std::int64_t> starts = window_starts(size, window, spec.overlap);
  // Smaller than the window: the image lies in its middle (nnU-Net's pad_nd_image).
  if (window > size) starts = {-((window - size) / 2)};
  return starts;
}

std::size_t longest(const Size3& size) {
  std::size_t axis = 2;
  if (size[1] > size[axis]) axis = 1;
  if (size[0] > size[axis]) axis = 0;
  return axis;
}

/// Bands of the windows that start at starts[stream][from..until - 1].
std::vector<Tiling::Band> bands_of(const Tiling& tiling, const std::array<std::vector<std::int64_t>, 3>& starts, std::size_t from,
                                   std::size_t until) {
  const std::size_t s = tiling.stream, a = tiling.a(), b = tiling.b();
  std::vector<Tiling::Band> bands;
  for (std::size_t j = 0; j < starts[b].size(); ++j) {
    Tiling::Band band;
    band.end = std::min(tiling.image[b], starts[b][j] + tiling.window[b]);
    band.final_until = j + 1 < starts[b].size() ? starts[b][j + 1] : tiling.image[b];
    for (std::size_t k = from; k < until; ++k)
      for (const std::int64_t at_a : starts[a]) {
        Size3 first{};
        first[s] = starts[s][k];
        first[a] = at_a;
        first[b] = starts[b][j];
        band.firsts.push_back(first);
      }
    bands.push_back(std::move(band));
  }
  return bands;
}

}  // namespace

std::int64_t Tiling::window_count() const noexcept {
  std::int64_t count = 0;
  for (const Row& row : rows)
    for (const Band& band : row.bands) count += static_cast<std::int64_t>(band.firsts.size());
  return count;
}

Tiling tiling_of(const Size3& image, const InputSpec& spec) {
  Tiling tiling;
  tiling.image = image;
  for (std::size_t k = 0; k < 3; ++k) {
    const std::int64_t patch = spec.patch ? (*spec.patch)[k] : image[k];
    tiling.window[k] = spec.padding == Padding::zero_centred ? patch : std::min(patch, image[k]);
    const bool seen = k < static_cast<std::size_t>(spec.network_dims());
    tiling.tensor[k] = seen ? rounded_up(tiling.window[k], spec.pad_multiple) : tiling.window[k];
  }
  tiling.stream = spec.by_slices ? 2 : longest(image);
  std::array<std::vector<std::int64_t>, 3> starts;
  for (std::size_t k = 0; k < 3; ++k) starts[k] = starts_along(k, tiling, spec);
  tiling.single = starts[0].size() * starts[1].size() * starts[2].size() == 1;
  const std::size_t s = tiling.stream;
  const std::size_t step = spec.by_slices ? static_cast<std::size_t>(slices_a_row) : 1;
  for (std::size_t i = 0; i < starts[s].size(); i += step) {
    Tiling::Row row;
    const std::size_t end = std::min(i + step, starts[s].size());
    row.bands = bands_of(tiling, starts, i, end);
    row.begin = std::max<std::int64_t>(0, starts[s][i]);
    row.end = std::min(image[s], starts[s][end - 1] + tiling.window[s]);
    row.final_until = end < starts[s].size() ? starts[s][end] : image[s];
    tiling.depth = std::max(tiling.depth, row.end - row.begin);
    tiling.rows.push_back(std::move(row));
  }
  return tiling;
}

void read_window(std::span<const VolumeView<const float>> channels, const Tiling& tiling, const Size3& first, Padding padding,
                 int mirror, std::span<float> to) {
  const Size3& size = tiling.tensor;
  // Padding follows the window: its last voxel is repeated, or 0 stands there.
  Size3 low{}, high{};
  for (std::size_t k = 0; k < 3; ++k) {
    low[k] = std::max<std::int64_t>(0, first[k]);
    high[k] = std::min(tiling.image[k], first[k] + tiling.window[k]) - 1;
  }
  parallel_for(static_cast<std::int64_t>(channels.size()) * size[2], 8, [&](std::int64_t from, std::int64_t until) {
    for (std::int64_t at = from; at < until; ++at) {
      const VolumeView<const float>& channel = channels[static_cast<std::size_t>(at / size[2])];
      const std::int64_t z = (mirror & 4) != 0 ? size[2] - 1 - at % size[2] : at % size[2];
      for (std::int64_t row = 0; row < size[1]; ++row) {
        const std::int64_t y = (mirror & 2) != 0 ? size[1] - 1 - row : row;
        float* line = to.data() + size[0] * (row + size[1] * at);
        const Size3 p{first[0], first[1] + y, first[2] + z};
        const bool outside = p[1] < low[1] || p[1] > high[1] || p[2] < low[2] || p[2] > high[2];
        if (outside && padding != Padding::edge) {
          std::fill_n(line, size[0], 0.F);
          continue;
        }
        const float* voxels = &channel.at(0, std::clamp(p[1], low[1], high[1]), std::clamp(p[2], low[2], high[2]));
        for (std::int64_t x = 0; x < size[0]; ++x) {
          const std::int64_t px = p[0] + x;
          const bool beyond = px < low[0] || px > high[0];
          line[x] = beyond && padding != Padding::edge ? 0.F : voxels[std::clamp(px, low[0], high[0])];
        }
        if ((mirror & 1) != 0) std::reverse(line, line + size[0]);
      }
    }
  });
}

bool is_empty(std::span<const VolumeView<const float>> channels, const Tiling& tiling, const Size3& first) {
  Size3 low{}, end{};
  for (std::size_t k = 0; k < 3; ++k) {
    low[k] = std::max<std::int64_t>(0, first[k]);
    end[k] = std::min(tiling.image[k], first[k] + tiling.window[k]);
  }
  return std::all_of(channels.begin(), channels.end(), [&](const VolumeView<const float>& channel) {
    const float value = channel.at(low[0], low[1], low[2]);
    for (std::int64_t z = low[2]; z < end[2]; ++z)
      for (std::int64_t y = low[1]; y < end[1]; ++y) {
        const float* line = &channel.at(low[0], y, z);
        if (!std::all_of(line, line + (end[0] - low[0]), [value](float v) { return v == value; })) return false;
      }
    return true;
  });
}

}  // namespace penta::nn
