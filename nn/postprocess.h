#pragma once

#include <cstdint>

#include "core/volume.h"

namespace penta::nn {

/// Sets to 0 what is not in the largest face-connected part of the labels that are not 0. With `fill` its holes (of a
/// single slice: those inside the slice) become 1.
void keep_largest(Volume<std::uint16_t>& labels, bool fill);

}  // namespace penta::nn
