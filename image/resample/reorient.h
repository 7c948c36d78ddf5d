#pragma once

#include <cstdint>
#include <string_view>

#include "core/volume.h"

namespace penta {

/// The grid with its axes permuted and flipped (nothing interpolated) so that x, y, z run as nearly as they can towards
/// the patient sides named by three letters of L R A P S I: "RAS" is x to the right, y to the front, z to the head.
/// Throws Error{bad_input} on letters that do not name three different axes.
[[nodiscard]] Grid reoriented(const Grid& grid, std::string_view letters);
[[nodiscard]] Volume<float> reoriented(VolumeView<const float> image, std::string_view letters);
[[nodiscard]] Volume<std::uint16_t> reoriented(VolumeView<const std::uint16_t> labels, std::string_view letters);

}  // namespace penta
