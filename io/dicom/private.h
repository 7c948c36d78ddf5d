#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/dicom/tags.h"

class DcmItem;

namespace penta::io::dicom {

/// A private element by its creator (PS3.5 7.8.1): `creator` starts the reservation, `element` counts inside its block.
/// Absent where no block of the group is reserved by that creator.
[[nodiscard]] std::optional<Tag> private_tag(DcmItem& item, std::uint16_t group, std::string_view creator,
                                             std::uint8_t element);
/// The raw bytes of an element of VR UN, OB, OW or of none; empty when it is absent or of another VR.
[[nodiscard]] std::span<const std::uint8_t> bytes_of(DcmItem& item, Tag tag);
/// How the vendor means a value whose VR was lost (UN): text, or little-endian binary numbers.
enum class PrivateVr { text, float32, float64, int16, int32 };
/// All numbers of a private element; where its VR is UN the bytes are taken as `vr`. Empty when one is no number.
[[nodiscard]] std::vector<double> private_numbers(DcmItem& item, Tag tag, PrivateVr vr);

/// The values by name of a Siemens CSA header, "SV10" or the older one without mark. Empty when it is damaged.
/// Source: nibabel.nicom.csareader (documentation of the format), dcm2niix readCSAImageHeader.
using CsaHeader = std::map<std::string, std::vector<std::string>, std::less<>>;
[[nodiscard]] CsaHeader read_csa(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::vector<double> csa_numbers(const CsaHeader& header, std::string_view name);
/// The image header (0029,xx10) of "SIEMENS CSA HEADER"; empty when there is none.
[[nodiscard]] CsaHeader csa_image_header(DcmItem& item);

}  // namespace penta::io::dicom
