#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "core/image.h"

namespace penta::us {

/// The calibrated region that holds a pixel; where several do, the smallest. Null where none does.
[[nodiscard]] const UsRegion* region_at(const Frame2d& frame, std::int64_t x, std::int64_t y) noexcept;

/// mm per pixel along x and y at a pixel: of its region when that measures lengths on both axes (PS3.3 C.8.5.5), of
/// the whole frame when it has no regions; nothing otherwise (a Doppler trace, the text beside the image).
[[nodiscard]] std::optional<std::array<double, 2>> spacing_mm_at(const Frame2d& frame, std::int64_t x, std::int64_t y) noexcept;

/// "tissue", "colour flow", "spectral Doppler", "M-mode", "trace", "colour bar" ... of (0018,6012) and (0018,6014).
[[nodiscard]] std::string_view kind_of(const UsRegion& region) noexcept;

}  // namespace penta::us
