#pragma once

#include <cstdint>
#include <string>

#include "core/image.h"
#include "core/label_map.h"

namespace penta {

/// Throws Error{bad_input} "<doing>: values are in ..., not in HU" where an image says another unit.
void need_hounsfield(const Image& image, const std::string& doing);

/// 1 for any label.
[[nodiscard]] constexpr std::uint8_t any_label(std::uint16_t value) noexcept { return value != 0 ? 1 : 0; }

/// What `as` makes of the first layer of `labels`, on `grid` (by nearest neighbour where it lies on another one).
/// Throws Error{bad_input} "<they are> no label map of a volume".
[[nodiscard]] Volume<std::uint8_t> mask_on(const LabelMap& labels, const Grid& grid, const std::string& they_are,
                                           std::uint8_t (*as)(std::uint16_t) noexcept = any_label);

}  // namespace penta
