#pragma once

#include <span>
#include <vector>

#include "engine/open.h"

namespace penta::engine {

/// The regions among `others` (contours, label maps) that belong to an image: those drawn on it, or where there are none
/// those of its space. All together in one value: one Contours, or (where a label map is among them and the image is
/// one volume) one LabelMap on the image's grid with a layer for each map. Empty where nothing belongs.
/// Labels whose voxels are not the image's take the nearest, and a remark says so.
[[nodiscard]] std::vector<ContentPtr> regions_for(std::span<const ContentPtr> others, const io::Content& image,
                                                  std::vector<Remark>& remarks);

}  // namespace penta::engine
