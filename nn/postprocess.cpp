#include "nn/postprocess.h"

#include <algorithm>
#include <utility>

#include "image/components/components.h"
#include "image/morphology/morphology.h"

namespace penta::nn {

void keep_largest(Volume<std::uint16_t>& labels, bool fill) {
  Volume<std::uint8_t> mask(labels.grid());
  const auto voxels = labels.voxels();
  std::transform(voxels.begin(), voxels.end(), mask.voxels().begin(), [](std::uint16_t v) { return v != 0 ? 1 : 0; });
  mask = largest_component(std::as_const(mask).view(), Connectivity::faces);
  const bool flat = labels.grid().size()[2] == 1;
  if (fill) mask = flat ? fill_holes_by_slice(std::as_const(mask).view(), 2) : fill_holes(std::as_const(mask).view());
  const auto kept = std::as_const(mask).voxels();
  for (std::size_t i = 0; i < voxels.size(); ++i)
    voxels[i] = kept[i] == 0 ? std::uint16_t{0} : std::max<std::uint16_t>(voxels[i], 1);
}

}  // namespace penta::nn
