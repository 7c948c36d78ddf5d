#include "tasks/ct_input.h"

#include <algorithm>
#include <span>

#include "core/error.h"
#include "image/resample/resample.h"

namespace penta {

void need_hounsfield(const Image& image, const std::string& doing) {
  if (!image.unit.empty() && image.unit != "[hnsf'U]")
    throw Error(Code::bad_input, doing + ": values are in '" + image.unit + "', not in HU");
}

Volume<std::uint8_t> mask_on(const LabelMap& labels, const Grid& grid, const std::string& they_are,
                             std::uint8_t (*as)(std::uint16_t) noexcept) {
  if (labels.planar || labels.layers.empty()) throw Error(Code::bad_input, they_are + " no label map of a volume");
  Volume<std::uint8_t> mask(grid);
  const auto copy = [&](std::span<const std::uint16_t> from) {
    std::transform(from.begin(), from.end(), mask.voxels().begin(), as);
  };
  if (labels.grid().same_as(grid)) copy(labels.layers[0].voxels());
  else copy(resample_nearest(labels.layers[0].view(), grid).voxels());
  return mask;
}

}  // namespace penta
