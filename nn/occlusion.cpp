#include "nn/occlusion.h"

#include <algorithm>
#include <utility>

#include "nn/cubic.h"
#include "nn/preprocess.h"

namespace penta::nn {

namespace {

constexpr std::int64_t cells_2d = 8, cells_3d = 5;

double mean_of(std::span<const float> values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v);
  return sum / static_cast<double>(values.size());
}

/// First voxels of the cells along an axis of n voxels, and n.
std::vector<std::int64_t> borders(std::int64_t n, std::int64_t cells) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i <= cells; ++i) all.push_back(n * i / cells);
  return all;
}

/// Cells along each axis: one voxel at least a cell, and one through a picture.
Size3 cells_of(const Size3& size) {
  const std::int64_t most = size[2] > 1 ? cells_3d : cells_2d;
  Size3 cells{};
  for (std::size_t k = 0; k < 3; ++k) cells[k] = std::min(most, size[k]);
  return cells;
}

/// The cells whose cover begins at `first`, along one axis: two, or the only one.
std::int64_t covered(std::int64_t cells) { return std::min<std::int64_t>(2, cells); }

}  // namespace

Judgement judge_with_occlusion(const ModelStore& models, const Bundle& bundle, std::span<const VolumeView<const float>> channels,
                               const Control& control) {
  std::vector<Volume<float>> seen = prepared(channels, bundle.network.input);
  Judgement judgement = judge_prepared(models, bundle, seen);
  const Grid grid = seen.front().grid();
  const Size3 cells = cells_of(grid.size());
  const std::int64_t count = cells[0] * cells[1] * cells[2];
  const std::size_t classes = bundle.network.classes.size();
  std::array<std::vector<std::int64_t>, 3> border;
  Size3 covers{}, wide{};
  for (std::size_t k = 0; k < 3; ++k) {
    border[k] = borders(grid.size()[k], cells[k]);
    wide[k] = covered(cells[k]);
    covers[k] = cells[k] - wide[k] + 1;
  }
  std::vector<float> means;
  for (const Volume<float>& channel : seen) means.push_back(static_cast<float>(mean_of(channel.voxels())));
  std::vector<float> heat(classes * static_cast<std::size_t>(count));
  std::vector<float> times(static_cast<std::size_t>(count));
  const std::int64_t all = covers[0] * covers[1] * covers[2];
  for (std::int64_t at = 0; at < all; ++at) {
    control.report(static_cast<double>(at) / static_cast<double>(all), "heat map by covering");
    const Size3 cell{at % covers[0], at / covers[0] % covers[1], at / covers[0] / covers[1]};
    Size3 low{}, high{};
    for (std::size_t k = 0; k < 3; ++k) {
      low[k] = border[k][static_cast<std::size_t>(cell[k])];
      high[k] = border[k][static_cast<std::size_t>(cell[k] + wide[k])];
    }
    std::vector<Volume<float>> hidden;
    for (std::size_t c = 0; c < seen.size(); ++c) {
      hidden.push_back(seen[c].clone());
      for (std::int64_t z = low[2]; z < high[2]; ++z)
        for (std::int64_t y = low[1]; y < high[1]; ++y)
          std::fill_n(&hidden.back().at(low[0], y, z), high[0] - low[0], means[c]);
    }
    const Judgement other = judge_prepared(models, bundle, hidden);
    for (std::int64_t z = cell[2]; z < cell[2] + wide[2]; ++z)
      for (std::int64_t y = cell[1]; y < cell[1] + wide[1]; ++y)
        for (std::int64_t x = cell[0]; x < cell[0] + wide[0]; ++x) {
          const std::int64_t to = x + cells[0] * (y + cells[1] * z);
          times[static_cast<std::size_t>(to)] += 1;
          for (std::size_t k = 0; k < classes; ++k)
            heat[k * static_cast<std::size_t>(count) + static_cast<std::size_t>(to)] +=
                static_cast<float>(judgement.probabilities[k] - other.probabilities[k]);
        }
  }
  for (std::size_t i = 0; i < heat.size(); ++i) heat[i] /= times[i % times.size()];
  judgement.heat = std::move(heat);
  judgement.heat_size = cells;
  judgement.heat_grid = same_extent(grid, cells);
  return judgement;
}

}  // namespace penta::nn
