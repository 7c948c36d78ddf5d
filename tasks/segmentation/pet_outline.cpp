#include "tasks/segmentation/pet_outline.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "image/resample/resample.h"
#include "nn/logits.h"
#include "nn/postprocess.h"

namespace penta {

namespace {

constexpr double spacing_mm = 5, margin_mm = 25;
constexpr std::int64_t multiple = 8, smallest = 24;

std::int64_t side_of(double extent_mm) {
  const double blocks = std::round(extent_mm / spacing_mm / multiple * 1e6) / 1e6;
  return std::max(smallest, static_cast<std::int64_t>(std::ceil(blocks)) * multiple);
}

/// The network's grid: from the low face of the box and its margin, or of the image.
Grid grid_about(const Grid& image, const BoxMm& box) {
  Size3 size{};
  std::array<double, 3> first{};  // index of its first voxel's centre
  for (std::size_t k = 0; k < 3; ++k) {
    const double extent = static_cast<double>(image.size()[k]) * image.spacing_mm()[k];
    const double low = std::max(0.0, box.low[k] - margin_mm), high = std::min(extent, box.high[k] + margin_mm);
    size[k] = side_of(high - low);
    first[k] = (low + spacing_mm / 2) / image.spacing_mm()[k] - 0.5;
  }
  return {
      size, {spacing_mm, spacing_mm, spacing_mm}, image.to_patient({first[0], first[1], first[2]}), image.direction()};
}

/// SUV, then the signed distance to the box in mm (negative inside): the largest over the axes.
nn::Tensor input_of(const Volume<float>& suv, const Grid& grid, const BoxMm& box) {
  const Volume<float> seen = resample_linear_held(suv.view(), grid);
  nn::Tensor tensor{{1, 2, grid.size()[2], grid.size()[1], grid.size()[0]},
                    {seen.voxels().begin(), seen.voxels().end()}};
  tensor.values.reserve(2 * seen.voxels().size());
  const IndexPoint start = suv.grid().to_index(grid.origin_mm());
  const std::array<double, 3> first{start.x, start.y, start.z};
  const auto far = [&](std::size_t k, std::int64_t i) {
    const double at = (first[k] + 0.5) * suv.grid().spacing_mm()[k] + spacing_mm * static_cast<double>(i);
    return std::abs(at - (box.low[k] + box.high[k]) / 2) - (box.high[k] - box.low[k]) / 2;
  };
  for (std::int64_t z = 0; z < grid.size()[2]; ++z)
    for (std::int64_t y = 0; y < grid.size()[1]; ++y)
      for (std::int64_t x = 0; x < grid.size()[0]; ++x)
        tensor.values.push_back(static_cast<float>(std::max({far(0, x), far(1, y), far(2, z)})));
  return tensor;
}

/// First voxel and size of the part of the image in which the network's grid lies.
std::pair<Size3, Size3> part_over(const Grid& image, const Grid& grid) {
  const IndexPoint a = image.to_index(grid.to_patient({-0.5, -0.5, -0.5}));
  const IndexPoint b = image.to_index(
      grid.to_patient({static_cast<double>(grid.size()[0]) - 0.5, static_cast<double>(grid.size()[1]) - 0.5,
                       static_cast<double>(grid.size()[2]) - 0.5}));
  const std::array<double, 3> low{a.x, a.y, a.z}, high{b.x, b.y, b.z};
  Size3 first{}, size{};
  for (std::size_t k = 0; k < 3; ++k) {
    first[k] = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(low[k])));
    const auto last = std::min<std::int64_t>(image.size()[k] - 1, static_cast<std::int64_t>(std::ceil(high[k])));
    size[k] = std::max<std::int64_t>(1, last - first[k] + 1);
  }
  return {first, size};
}

}  // namespace

std::vector<std::int64_t> outlined(const nn::ModelStore& models, const Volume<float>& suv, const BoxMm& box) {
  const nn::Bundle& bundle = models.need("pet.lesion");
  const Grid grid = grid_about(suv.grid(), box);
  nn::Tensor answer = models.network(bundle).run(input_of(suv, grid, box));
  if (static_cast<std::int64_t>(answer.values.size()) != grid.count())
    throw Error(Code::model_missing, "the model 'pet.lesion' does not give one value a voxel");
  const nn::Logits logits{grid, 1, std::move(answer.values)};
  const auto [first, size] = part_over(suv.grid(), grid);
  Volume<std::uint16_t> labels = nn::labels_on(logits, suv.grid().cropped(first, size));
  nn::keep_largest(labels, false);
  std::vector<std::int64_t> found;
  for (std::int64_t z = 0; z < size[2]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[0]; ++x)
        if (labels.at(x, y, z) != 0) found.push_back(suv.grid().offset(first[0] + x, first[1] + y, first[2] + z));
  return found;
}

}  // namespace penta
