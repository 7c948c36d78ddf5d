#pragma once

#include <array>
#include <cstdint>

namespace penta::io::dicom {

/// sRGB to CIELab D50 as DICOM codes it (PS3.3 C.10.7.1.1: L* 0..100 and a*, b* -128..127 over 0..65535).
[[nodiscard]] std::array<std::uint16_t, 3> cielab_from_rgb(const std::array<std::uint8_t, 3>& rgb) noexcept;
/// Back again; what lies outside sRGB is clipped to it.
[[nodiscard]] std::array<std::uint8_t, 3> rgb_from_cielab(const std::array<std::uint16_t, 3>& lab) noexcept;

}  // namespace penta::io::dicom
