#include "image/components/components.h"

#include <algorithm>
#include <numeric>

#include "core/parallel.h"

namespace penta {

namespace {

using Rows = std::vector<std::size_t>;  // first run of each row; one more than there are rows

void add_runs(std::span<const std::uint8_t> row, std::int64_t y, std::int64_t z, std::vector<Run>& runs) {
  const auto width = static_cast<std::int64_t>(row.size());
  for (std::int64_t x = 0; x < width; ++x) {
    if (row[static_cast<std::size_t>(x)] == 0) continue;
    const std::int64_t first = x;
    while (x + 1 < width && row[static_cast<std::size_t>(x + 1)] != 0) ++x;
    runs.push_back({y, z, first, x, 0});
  }
}

std::vector<Run> find_runs(VolumeView<const std::uint8_t> mask) {
  const auto [nx, ny, nz] = mask.grid.size();
  std::vector<std::vector<Run>> slices(static_cast<std::size_t>(nz));
  parallel_for(nz, 1, [&, nx = nx, ny = ny](std::int64_t first, std::int64_t last) {
    for (std::int64_t z = first; z < last; ++z)
      for (std::int64_t y = 0; y < ny; ++y)
        add_runs(mask.voxels.subspan(static_cast<std::size_t>(mask.grid.offset(0, y, z)), static_cast<std::size_t>(nx)), y,
                 z, slices[static_cast<std::size_t>(z)]);
  });
  std::vector<Run> runs;
  for (auto& slice : slices) runs.insert(runs.end(), slice.begin(), slice.end());
  return runs;
}

Rows first_of_rows(const std::vector<Run>& runs, const Size3& size) {
  Rows rows(static_cast<std::size_t>(size[1] * size[2] + 1), 0);
  for (const Run& run : runs) ++rows[static_cast<std::size_t>(run.y + size[1] * run.z + 1)];
  std::partial_sum(rows.begin(), rows.end(), rows.begin());
  return rows;
}

class Forest {
 public:
  explicit Forest(std::size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), std::size_t{0}); }
  std::size_t root(std::size_t i) noexcept {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  // The smaller index stays the root, so a root is the first run of its component.
  void join(std::size_t a, std::size_t b) noexcept {
    a = root(a);
    b = root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> parent_;
};

// Joins the runs of two rows that overlap when one is widened by `reach` voxels at both ends.
void join_rows(const std::vector<Run>& runs, const Rows& rows, std::size_t row, std::size_t other, std::int64_t reach,
               Forest& forest) {
  std::size_t i = rows[row], j = rows[other];
  while (i < rows[row + 1] && j < rows[other + 1]) {
    if (runs[i].last_x + reach < runs[j].first_x) {
      ++i;
    } else if (runs[j].last_x + reach < runs[i].first_x) {
      ++j;
    } else {
      forest.join(i, j);
      runs[i].last_x < runs[j].last_x ? ++i : ++j;
    }
  }
}

void join_neighbours(const std::vector<Run>& runs, const Size3& size, Connectivity connectivity, Forest& forest) {
  const Rows rows = first_of_rows(runs, size);
  const std::int64_t beside = connectivity == Connectivity::faces ? 0 : 1;      // reach where one of dy, dz is not 0
  const std::int64_t diagonal = connectivity == Connectivity::corners ? 1 : 0;  // reach where both are not 0
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y) {
      const auto row = static_cast<std::size_t>(y + size[1] * z);
      if (rows[row] == rows[row + 1]) continue;
      const auto width = static_cast<std::size_t>(size[1]);
      if (y > 0) join_rows(runs, rows, row, row - 1, beside, forest);
      if (z > 0) join_rows(runs, rows, row, row - width, beside, forest);
      if (connectivity == Connectivity::faces || z == 0) continue;
      if (y > 0) join_rows(runs, rows, row, row - width - 1, diagonal, forest);
      if (y + 1 < size[1]) join_rows(runs, rows, row, row - width + 1, diagonal, forest);
    }
}

}  // namespace

int Components::largest() const noexcept {
  const auto it = std::max_element(sizes.begin(), sizes.end());
  return it == sizes.end() ? 0 : static_cast<int>(it - sizes.begin()) + 1;
}

Components connected_components(VolumeView<const std::uint8_t> mask, Connectivity connectivity) {
  Components out;
  out.runs = find_runs(mask);
  Forest forest(out.runs.size());
  join_neighbours(out.runs, mask.grid.size(), connectivity, forest);
  for (std::size_t i = 0; i < out.runs.size(); ++i) {
    const std::size_t root = forest.root(i);
    if (root == i) {
      out.sizes.push_back(0);
      out.runs[i].component = out.count();
    } else {
      out.runs[i].component = out.runs[root].component;
    }
    out.sizes[static_cast<std::size_t>(out.runs[i].component - 1)] += out.runs[i].length();
  }
  return out;
}

Volume<std::uint8_t> mask_of(const Components& components, const std::vector<bool>& keep, const Grid& grid) {
  Volume<std::uint8_t> mask(grid);
  for (const Run& run : components.runs)
    if (keep[static_cast<std::size_t>(run.component - 1)])
      std::fill_n(&mask.at(run.first_x, run.y, run.z), run.length(), std::uint8_t{1});
  return mask;
}

Volume<std::int32_t> labels_of(const Components& components, const Grid& grid) {
  Volume<std::int32_t> labels(grid);
  for (const Run& run : components.runs) std::fill_n(&labels.at(run.first_x, run.y, run.z), run.length(), run.component);
  return labels;
}

Volume<std::uint8_t> largest_component(VolumeView<const std::uint8_t> mask, Connectivity connectivity) {
  const Components components = connected_components(mask, connectivity);
  std::vector<bool> keep(components.sizes.size(), false);
  if (const int largest = components.largest(); largest > 0) keep[static_cast<std::size_t>(largest - 1)] = true;
  return mask_of(components, keep, mask.grid);
}

Volume<std::uint8_t> without_small(VolumeView<const std::uint8_t> mask, Connectivity connectivity, std::int64_t voxels) {
  const Components components = connected_components(mask, connectivity);
  std::vector<bool> keep(components.sizes.size());
  std::transform(components.sizes.begin(), components.sizes.end(), keep.begin(), [&](auto n) { return n >= voxels; });
  return mask_of(components, keep, mask.grid);
}

}  // namespace penta
