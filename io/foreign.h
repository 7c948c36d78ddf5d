#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace penta::io {

/// The name of an image format that is not read but known by the first bytes of a file ("MINC-2", "FreeSurfer MGH",
/// "AFNI", "Philips PAR/REC" ...), so that a refusal can say what the file is; else empty.
[[nodiscard]] std::string_view foreign_format(std::span<const std::byte> head) noexcept;

}  // namespace penta::io
