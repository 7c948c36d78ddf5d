#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penta::io::dicom {

/// The tag (0xGGGGEEEE) of an attribute's keyword ("PatientName"); nothing for an unknown one.
[[nodiscard]] std::optional<std::uint32_t> tag_of_keyword(std::string_view keyword);

}  // namespace penta::io::dicom
