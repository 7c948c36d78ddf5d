#include "modality/ct/lungs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "image/components/components.h"
#include "image/morphology/morphology.h"
#include "image/resample/reorient.h"
#include "modality/ct/hounsfield.h"

namespace penta::ct {

namespace {

using Mask = Volume<std::uint8_t>;

constexpr double smallest_lung_ml = 40;
constexpr float lung_median_above_hu =
    -970;                                // gas without tissue is about -1000; lungs, even emphysematous, are denser
constexpr double smallest_piece_ml = 5;  // of a lung, once the airways are taken out
constexpr double closing_mm = 6;         // vessels, and nodules on the wall

bool is_large(const Components& parts, int component, const Grid& grid) {
  return static_cast<double>(parts.sizes[static_cast<std::size_t>(component - 1)]) * grid.voxel_volume_ml() >=
         smallest_lung_ml;
}

// The values of each large part, of all voxels or of those in `only`.
std::vector<std::vector<float>> values_of(const Components& parts, const Volume<float>& hu, const Mask* only) {
  std::vector<std::vector<float>> values(parts.sizes.size());
  for (const Run& run : parts.runs) {
    if (!is_large(parts, run.component, hu.grid())) continue;
    auto& list = values[static_cast<std::size_t>(run.component - 1)];
    for (std::int64_t x = run.first_x; x <= run.last_x; ++x)
      if (only == nullptr || only->at(x, run.y, run.z) != 0) list.push_back(hu.at(x, run.y, run.z));
  }
  return values;
}

// ---- airways

constexpr double airway_below_hu = -750, airway_darker_hu = -900, wall_above_hu = -500;
constexpr double airway_least_mm2 = 30, airway_most_mm2 = 800, airway_length_mm = 12;
constexpr double airway_least_fill =
    0.35;  // of the square about its longest side: a crescent of the lung base fills less

// Of the ways of 3 mm and a pixel that lead out of the pixels of a part, the share on which there is tissue.
struct Wall {
  std::int64_t tissue = 0, all = 0;
};

struct Slice {
  const Volume<float>& hu;
  const Volume<std::int32_t>& parts;  ///< numbers of the parts of this slice
  std::int64_t z;
  std::int64_t steps;  ///< pixels of a way

  void look(std::int64_t x, std::int64_t y, Wall& wall) const {
    for (std::int64_t dy = -1; dy <= 1; ++dy)
      for (std::int64_t dx = -1; dx <= 1; ++dx)
        if (dx != 0 || dy != 0) walk(x, y, dx, dy, wall);
  }

 private:
  void walk(std::int64_t x, std::int64_t y, std::int64_t dx, std::int64_t dy, Wall& wall) const {
    const auto& size = hu.grid().size();
    const std::int64_t i = x + dx * steps, j = y + dy * steps;
    const std::int32_t own = parts.at(x, y, 0);
    if (i < 0 || j < 0 || i >= size[0] || j >= size[1] || parts.at(i, j, 0) == own) return;
    bool tissue = false;
    for (std::int64_t k = 1; k <= steps && !tissue; ++k)
      tissue = static_cast<double>(hu.at(x + k * dx, y + k * dy, z)) > wall_above_hu;
    ++wall.all;
    wall.tissue += tissue ? 1 : 0;
  }
};

Mask dark_pixels(const Volume<float>& hu, const Mask& body, std::int64_t z) {
  const Size3& size = hu.grid().size();
  const Vector3& mm = hu.grid().spacing_mm();
  Mask dark(Grid({size[0], size[1], 1}, {mm[0], mm[1], 1}));
  for (std::int64_t y = 0; y < size[1]; ++y)
    for (std::int64_t x = 0; x < size[0]; ++x)
      dark.at(x, y, 0) = body.at(x, y, z) != 0 && static_cast<double>(hu.at(x, y, z)) < airway_below_hu ? 1 : 0;
  return dark;
}

// Parts of one slice with the size of a windpipe's section that are no crescents.
std::vector<bool> compact_spots(const Components& parts, const Vector3& mm) {
  std::vector<std::array<std::int64_t, 4>> box(parts.sizes.size(),
                                               {std::int64_t{1} << 40, std::int64_t{1} << 40, -1, -1});
  for (const Run& run : parts.runs) {
    auto& [x0, y0, x1, y1] = box[static_cast<std::size_t>(run.component - 1)];
    x0 = std::min(x0, run.first_x), y0 = std::min(y0, run.y), x1 = std::max(x1, run.last_x), y1 = std::max(y1, run.y);
  }
  std::vector<bool> good(parts.sizes.size());
  for (std::size_t k = 0; k < good.size(); ++k) {
    const double mm2 = static_cast<double>(parts.sizes[k]) * mm[0] * mm[1];
    const double side = std::max(static_cast<double>(box[k][2] - box[k][0] + 1) * mm[0],
                                 static_cast<double>(box[k][3] - box[k][1] + 1) * mm[1]);
    good[k] = mm2 >= airway_least_mm2 && mm2 <= airway_most_mm2 && mm2 >= airway_least_fill * side * side;
  }
  return good;
}

// Marks in one axial slice the dark spots that have a wall of tissue all around, as a tube has and a lung has not.
void mark_tubes(const Volume<float>& hu, const Mask& body, std::int64_t z, Mask& tubes) {
  const Mask dark = dark_pixels(hu, body, z);
  const Components parts = connected_components(dark.view(), Connectivity::faces);
  const Volume<std::int32_t> numbers = penta::labels_of(parts, dark.grid());
  const Vector3& mm = hu.grid().spacing_mm();
  const Slice slice{hu, numbers, z, 1 + std::llround(3 / mm[0])};
  std::vector<bool> candidate = compact_spots(parts, mm);
  std::vector<Wall> walls(parts.sizes.size());
  std::vector<std::vector<float>> values(parts.sizes.size());
  for (const Run& run : parts.runs) {
    const auto k = static_cast<std::size_t>(run.component - 1);
    if (!candidate[k]) continue;
    for (std::int64_t x = run.first_x; x <= run.last_x; ++x) {
      slice.look(x, run.y, walls[k]);
      values[k].push_back(hu.at(x, run.y, z));
    }
  }
  for (std::size_t k = 0; k < candidate.size(); ++k) {
    if (!candidate[k]) continue;
    const auto middle = values[k].begin() + static_cast<std::ptrdiff_t>(values[k].size() / 3);
    std::nth_element(values[k].begin(), middle, values[k].end());
    candidate[k] = static_cast<double>(*middle) < airway_darker_hu && 10 * walls[k].tissue >= 8 * walls[k].all;
  }
  for (const Run& run : parts.runs)
    if (candidate[static_cast<std::size_t>(run.component - 1)])
      std::fill_n(&tubes.at(run.first_x, run.y, z), run.length(), std::uint8_t{1});
}

// Trachea and main bronchi: tubes of some length along the body.
Mask airways_of(const Volume<float>& hu, const Mask& body) {
  Mask tubes(hu.grid());
  for (std::int64_t z = 0; z < hu.grid().size()[2]; ++z) mark_tubes(hu, body, z, tubes);
  const Components parts = connected_components(tubes.view(), Connectivity::corners);
  std::vector<std::array<std::int64_t, 2>> reach(parts.sizes.size(), {std::int64_t{1} << 40, -1});
  for (const Run& run : parts.runs) {
    auto& [low, high] = reach[static_cast<std::size_t>(run.component - 1)];
    low = std::min(low, run.z);
    high = std::max(high, run.z);
  }
  std::vector<bool> keep(parts.sizes.size());
  for (std::size_t k = 0; k < keep.size(); ++k)
    keep[k] = static_cast<double>(reach[k][1] - reach[k][0] + 1) * hu.grid().spacing_mm()[2] >= airway_length_mm;
  return mask_of(parts, keep, hu.grid());
}

// ---- sides

// The column (x) of the spine: where most bone lies along the body, in a window of 24 mm; none without bone.
std::optional<double> spine_column(const Volume<float>& hu, const Mask& body) {
  const Size3& size = hu.grid().size();
  const Vector3& mm = hu.grid().spacing_mm();
  const auto nx = static_cast<std::size_t>(size[0]), ny = static_cast<std::size_t>(size[1]);
  std::vector<double> sums((nx + 1) * (ny + 1), 0);  // summed-area table of bone voxels along z
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x)
        if (body.at(x, y, z) != 0 && static_cast<double>(hu.at(x, y, z)) > bone_edge)
          ++sums[(static_cast<std::size_t>(y) + 1) * (nx + 1) + static_cast<std::size_t>(x) + 1];
  for (std::size_t y = 1; y <= ny; ++y)
    for (std::size_t x = 1; x <= nx; ++x)
      sums[y * (nx + 1) + x] +=
          sums[y * (nx + 1) + x - 1] + sums[(y - 1) * (nx + 1) + x] - sums[(y - 1) * (nx + 1) + x - 1];
  const auto half = [](double spacing) { return static_cast<std::size_t>(std::max(1LL, std::llround(12 / spacing))); };
  const std::size_t hx = half(mm[0]), hy = half(mm[1]);
  double best = 0, weight = 0, where = 0;
  for (std::size_t y = 0; y < ny; ++y)
    for (std::size_t x = 0; x < nx; ++x) {
      const std::size_t x0 = x > hx ? x - hx : 0, y0 = y > hy ? y - hy : 0, x1 = std::min(nx, x + hx + 1),
                        y1 = std::min(ny, y + hy + 1);
      const double bone =
          sums[y1 * (nx + 1) + x1] - sums[y0 * (nx + 1) + x1] - sums[y1 * (nx + 1) + x0] + sums[y0 * (nx + 1) + x0];
      if (bone > best) best = bone, weight = 0, where = 0;
      if (bone == best) ++weight, where += static_cast<double>(x);
    }
  // A spine fills an eighth of its window all along; a rib crosses it here and there.
  const double window = static_cast<double>((2 * hx + 1) * (2 * hy + 1)) * static_cast<double>(size[2]);
  return best < window / 8 ? std::nullopt : std::optional(where / weight);
}

double middle_column(const Mask& body) {
  double sum = 0, count = 0;
  const Size3& size = body.grid().size();
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x)
        if (body.at(x, y, z) != 0) sum += static_cast<double>(x), ++count;
  return count > 0 ? sum / count : 0;
}

// Voxels of each part to the right (low x, LPS) of a column.
std::vector<std::int64_t> right_of(const Components& parts, double column) {
  std::vector<std::int64_t> counts(parts.sizes.size(), 0);
  for (const Run& run : parts.runs) {
    const auto last = std::min(run.last_x, static_cast<std::int64_t>(std::floor(column)));
    counts[static_cast<std::size_t>(run.component - 1)] += std::max<std::int64_t>(0, last - run.first_x + 1);
  }
  return counts;
}

// Parts of a mask that lie on one side of the column to nine tenths; small ones and those on both sides are in neither.
struct Sides {
  Mask right, left;
  std::int64_t right_voxels = 0, left_voxels = 0;
};

Sides sides_of(const Mask& mask, double column, std::int64_t smallest) {
  const Components parts = connected_components(mask.view(), Connectivity::faces);
  const std::vector<std::int64_t> right = right_of(parts, column);
  std::vector<bool> is_right(parts.sizes.size()), is_left(parts.sizes.size());
  std::int64_t counts[2] = {0, 0};
  for (std::size_t k = 0; k < parts.sizes.size(); ++k) {
    if (parts.sizes[k] < smallest) continue;
    is_right[k] = 10 * right[k] >= 9 * parts.sizes[k];
    is_left[k] = 10 * right[k] <= parts.sizes[k];
    counts[0] += is_right[k] ? parts.sizes[k] : 0;
    counts[1] += is_left[k] ? parts.sizes[k] : 0;
  }
  return {mask_of(parts, is_right, mask.grid()), mask_of(parts, is_left, mask.grid()), counts[0], counts[1]};
}

// Sets `labels` in a part that lies on both sides: cores left by erosion, each voxel to the nearer one; else the plane.
bool cut(const Mask& part, double column, std::int64_t voxels, Mask& labels) {
  for (const double radius_mm : {1.5, 3.0, 4.5, 6.0, 8.0, 10.0, 13.0}) {
    const Sides cores = sides_of(erode(part.view(), radius_mm), column, voxels / 50);
    if (std::min(cores.right_voxels, cores.left_voxels) < voxels / 20) continue;
    if (cores.right_voxels + cores.left_voxels < voxels / 4) continue;
    const Volume<float> to_right = squared_distance_mm2(cores.right.view()),
                        to_left = squared_distance_mm2(cores.left.view());
    for (std::size_t i = 0; i < labels.voxels().size(); ++i)
      if (part.voxels()[i] != 0) labels.voxels()[i] = to_right.voxels()[i] <= to_left.voxels()[i] ? 1 : 2;
    return true;
  }
  const Size3& size = part.grid().size();
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x)
        if (part.at(x, y, z) != 0) labels.at(x, y, z) = static_cast<double>(x) <= column ? 1 : 2;
  return false;
}

// 1 right, 2 left for each part by where most of it lies; a part with a fifth of it beyond the spine is cut in two.
Mask with_sides(const Mask& lungs, double column, bool& cut_apart) {
  const Components parts = connected_components(lungs.view(), Connectivity::faces);
  const std::vector<std::int64_t> right = right_of(parts, column);
  const double voxel_ml = lungs.grid().voxel_volume_ml();
  Mask labels(lungs.grid());
  std::vector<std::uint8_t> side(parts.sizes.size(), 0);
  for (std::size_t k = 0; k < side.size(); ++k) {
    if (static_cast<double>(parts.sizes[k]) * voxel_ml < smallest_piece_ml) continue;
    if (5 * std::min(right[k], parts.sizes[k] - right[k]) < parts.sizes[k]) {
      side[k] = 2 * right[k] >= parts.sizes[k] ? 1 : 2;
      continue;
    }
    std::vector<bool> only(parts.sizes.size());
    only[k] = true;
    if (!cut(mask_of(parts, only, lungs.grid()), column, parts.sizes[k], labels)) cut_apart = true;
  }
  for (const Run& run : parts.runs)
    if (const std::uint8_t value = side[static_cast<std::size_t>(run.component - 1)]; value != 0)
      std::fill_n(&labels.at(run.first_x, run.y, run.z), run.length(), value);
  return labels;
}

// Each side closed and filled; what both claim, or neither body nor lung is, stays out.
void close_sides(Mask& labels, const Mask& body, const Mask& airways) {
  Mask closed[2] = {Mask(labels.grid()), Mask(labels.grid())};
  for (std::uint8_t side = 1; side <= 2; ++side) {
    Mask one(labels.grid());
    std::transform(labels.voxels().begin(), labels.voxels().end(), one.voxels().begin(),
                   [side](auto v) { return v == side ? 1 : 0; });
    closed[side - 1] = fill_holes(close(one.view(), closing_mm).view());
  }
  for (std::size_t i = 0; i < labels.voxels().size(); ++i) {
    const bool right = closed[0].voxels()[i] != 0, left = closed[1].voxels()[i] != 0;
    if (labels.voxels()[i] == 0 && right != left && body.voxels()[i] != 0 && airways.voxels()[i] == 0)
      labels.voxels()[i] = right ? 1 : 2;
  }
}

std::string letters_of(const Grid& grid) {
  const AxisOrder order = axis_order(grid);
  std::string letters(3, ' ');
  for (std::size_t k = 0; k < 3; ++k)
    letters[static_cast<std::size_t>(order.index_axis[k])] = order.positive[k] ? "LPS"[k] : "RAI"[k];
  return letters;
}

template <class To, class From>
Volume<To> converted(const Volume<From>& from) {
  Volume<To> to(from.grid());
  std::transform(from.voxels().begin(), from.voxels().end(), to.voxels().begin(),
                 [](From v) { return static_cast<To>(v); });
  return to;
}

Lungs find_in_lps(const Volume<float>& hu, const Mask& body) {
  Lungs lungs{Mask(hu.grid())};
  Mask spaces = aerated_spaces(hu, body);
  lungs.any = std::any_of(spaces.voxels().begin(), spaces.voxels().end(), [](auto v) { return v != 0; });
  if (!lungs.any) return lungs;
  const Mask airways = airways_of(hu, body);
  lungs.airways_ml = hu.grid().voxel_volume_ml() *
                     static_cast<double>(std::count(airways.voxels().begin(), airways.voxels().end(), 1));
  const Mask walls = dilate(airways.view(), 1.5);
  for (std::size_t i = 0; i < spaces.voxels().size(); ++i)
    spaces.voxels()[i] = spaces.voxels()[i] != 0 && walls.voxels()[i] == 0;
  const std::optional<double> spine = spine_column(hu, body);
  lungs.spine_seen = spine.has_value();
  lungs.labels = with_sides(spaces, spine ? *spine : middle_column(body), lungs.cut_apart);
  close_sides(lungs.labels, body, walls);
  lungs.any = std::any_of(lungs.labels.voxels().begin(), lungs.labels.voxels().end(), [](auto v) { return v != 0; });
  return lungs;
}

}  // namespace

Volume<std::uint8_t> aerated_spaces(const Volume<float>& hu, const Volume<std::uint8_t>& body) {
  Mask thin(hu.grid());
  for (std::size_t i = 0; i < thin.voxels().size(); ++i)
    thin.voxels()[i] = body.voxels()[i] != 0 && static_cast<double>(hu.voxels()[i]) < air_below ? 1 : 0;
  const Components parts = connected_components(thin.view(), Connectivity::faces);
  // Judged by what lies 4 mm inside, as the edges of a bowel's gas are half tissue; thin parts as a whole.
  const Mask deep = erode(thin.view(), 4);
  auto values = values_of(parts, hu, &deep);
  const auto whole = values_of(parts, hu, nullptr);
  for (std::size_t k = 0; k < values.size(); ++k)
    if (values[k].size() * 20 < whole[k].size()) values[k] = whole[k];
  std::vector<bool> keep(parts.sizes.size());
  for (std::size_t k = 0; k < keep.size(); ++k) {
    if (values[k].empty()) continue;
    const auto middle = values[k].begin() + static_cast<std::ptrdiff_t>(values[k].size() / 2);
    std::nth_element(values[k].begin(), middle, values[k].end());
    keep[k] = *middle > lung_median_above_hu;
  }
  return mask_of(parts, keep, hu.grid());
}

Lungs find_lungs(const Volume<float>& hu, const Volume<std::uint8_t>& body) {
  const std::string letters = letters_of(hu.grid());
  if (letters == "LPS") return find_in_lps(hu, body);
  const Volume<std::uint16_t> turned = reoriented(converted<std::uint16_t>(body).view(), "LPS");
  Lungs lungs = find_in_lps(reoriented(hu.view(), "LPS"), converted<std::uint8_t>(turned));
  const Volume<std::uint16_t> back = reoriented(converted<std::uint16_t>(lungs.labels).view(), letters);
  Mask labels(hu.grid());
  std::transform(back.voxels().begin(), back.voxels().end(), labels.voxels().begin(),
                 [](auto v) { return static_cast<std::uint8_t>(v); });
  lungs.labels = std::move(labels);
  return lungs;
}

}  // namespace penta::ct
