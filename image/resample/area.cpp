#include "image/resample/area.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"

namespace penta {

namespace {

/// One output voxel: input voxels from `first` on, with weights that sum to 1.
struct Share {
  std::int64_t first = 0;
  std::vector<double> weights;
};

std::vector<Share> shares(std::int64_t count_in, double step_in, std::int64_t count_out, double step_out) {
  std::vector<Share> all(static_cast<std::size_t>(count_out));
  const double ratio = step_out / step_in;
  for (std::int64_t j = 0; j < count_out; ++j) {
    const double low = static_cast<double>(j) * ratio, high = static_cast<double>(j + 1) * ratio;
    Share& share = all[static_cast<std::size_t>(j)];
    share.first = std::clamp<std::int64_t>(static_cast<std::int64_t>(low), 0, count_in - 1);
    double sum = 0;
    for (std::int64_t i = share.first; i < count_in && (static_cast<double>(i) < high || i == share.first); ++i) {
      share.weights.push_back(
          std::max(0.0, std::min(high, static_cast<double>(i + 1)) - std::max(low, static_cast<double>(i))));
      sum += share.weights.back();
    }
    // Rounding may leave the last output voxel a sliver beyond the input: it then takes the last input voxel.
    if (!(sum > 0)) share.weights.assign(1, sum = 1);
    for (double& weight : share.weights) weight /= sum;
  }
  return all;
}

// Along axis 0 the taps of one output lie side by side; along the others whole lines are added up.
void along(const float* from, const Size3& in, float* to, const Size3& out, std::size_t axis,
           const std::vector<Share>& all) {
  const std::int64_t inner = axis == 0 ? 1 : axis == 1 ? in[0] : in[0] * in[1];
  const std::int64_t outer = axis == 0 ? in[1] * in[2] : axis == 1 ? in[2] : 1;
  parallel_for(outer * out[axis], 64, [&](std::int64_t first, std::int64_t last) {
    std::vector<double> sums(static_cast<std::size_t>(inner));
    for (std::int64_t piece = first; piece < last; ++piece) {
      const std::int64_t o = piece / out[axis], j = piece % out[axis];
      const Share& share = all[static_cast<std::size_t>(j)];
      std::fill(sums.begin(), sums.end(), 0.0);
      for (std::size_t t = 0; t < share.weights.size(); ++t) {
        const float* line = from + inner * (share.first + static_cast<std::int64_t>(t) + in[axis] * o);
        for (std::int64_t i = 0; i < inner; ++i)
          sums[static_cast<std::size_t>(i)] += share.weights[t] * static_cast<double>(line[i]);
      }
      float* line = to + inner * (j + out[axis] * o);
      for (std::int64_t i = 0; i < inner; ++i) line[i] = static_cast<float>(sums[static_cast<std::size_t>(i)]);
    }
  });
}

Volume<float> averaged(VolumeView<const float> image, const Grid& grid) {
  Size3 size = image.grid.size();
  std::vector<float> now, next;
  const float* from = image.voxels.data();
  Volume<float> out(grid);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    Size3 after = size;
    after[axis] = grid.size()[axis];
    float* to = out.voxels().data();
    if (axis < 2) {
      next.assign(static_cast<std::size_t>(after[0] * after[1] * after[2]), 0.F);
      to = next.data();
    }
    along(from, size, to, after, axis,
          shares(size[axis], image.grid.spacing_mm()[axis], after[axis], grid.spacing_mm()[axis]));
    now.swap(next);
    from = now.data();
    size = after;
  }
  return out;
}

Grid grid_over(const Grid& grid, const Size3& size, const Vector3& spacing_mm) {
  IndexPoint first{};
  first.x = 0.5 * spacing_mm[0] / grid.spacing_mm()[0] - 0.5;
  first.y = 0.5 * spacing_mm[1] / grid.spacing_mm()[1] - 0.5;
  first.z = 0.5 * spacing_mm[2] / grid.spacing_mm()[2] - 0.5;
  return {size, spacing_mm, grid.to_patient(first), grid.direction()};
}

}  // namespace

Volume<float> area_mean(VolumeView<const float> image, const Vector3& spacing_mm) {
  Size3 size{};
  for (std::size_t k = 0; k < 3; ++k) {
    const double extent = static_cast<double>(image.grid.size()[k]) * image.grid.spacing_mm()[k];
    size[k] = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(extent / spacing_mm[k] - 1e-6)));
  }
  return averaged(image, grid_over(image.grid, size, spacing_mm));
}

Volume<float> area_mean_to(VolumeView<const float> image, const Size3& size) {
  Vector3 spacing_mm{};
  for (std::size_t k = 0; k < 3; ++k)
    spacing_mm[k] = image.grid.spacing_mm()[k] * static_cast<double>(image.grid.size()[k]) / static_cast<double>(size[k]);
  return averaged(image, grid_over(image.grid, size, spacing_mm));
}

}  // namespace penta
