#include <algorithm>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

std::optional<ModalityLut> modality_lut_of(DcmItem& data, const Layout& layout, std::vector<Remark>& faults) {
  DcmItem* item = first_item(data, Tag{0x0028, 0x3000});
  if (item == nullptr) return std::nullopt;
  const auto descriptor = numbers(*item, Tag{0x0028, 0x3002});
  const auto words = words16(*item, Tag{0x0028, 0x3006});
  const auto wrong = [&](const std::string& what) -> std::optional<ModalityLut> {
    faults.push_back({Severity::warning, "bad_modality_lut",
                      "the Modality LUT (0028,3000) is left out, so values are as stored: " + what});
    return std::nullopt;
  };
  if (descriptor.size() != 3) return wrong("its descriptor (0028,3002) is not three numbers");
  // A count of 0 stands for 65536 (PS3.3 C.11.1.1.1); it and the first value may have been read with the other sign.
  const auto stored = static_cast<std::uint16_t>(static_cast<std::int32_t>(std::clamp(descriptor[0], -65535.0, 65535.0)));
  const std::size_t count = stored == 0 ? 65536 : stored;
  const auto first = static_cast<std::int32_t>(std::clamp(descriptor[1], -65536.0, 65535.0));
  ModalityLut lut;
  lut.first = layout.is_signed ? static_cast<std::int16_t>(first) : static_cast<std::uint16_t>(first);
  lut.type = text(*item, Tag{0x0028, 0x3004});
  const bool bytes = descriptor[2] == 8 && words.size() < count && words.size() * 2 >= count;
  if (!bytes && words.size() < count) return wrong("it has fewer entries than its descriptor says");
  for (std::size_t i = 0; i < count; ++i)
    lut.values.push_back(bytes ? static_cast<float>(words[i / 2] >> (i % 2 * 8) & 0xFF) : static_cast<float>(words[i]));
  return lut;
}

float ModalityLut::at(std::int32_t value) const noexcept {
  const std::int64_t last = static_cast<std::int64_t>(values.size()) - 1;
  return values[static_cast<std::size_t>(std::clamp<std::int64_t>(std::int64_t{value} - first, 0, last))];
}

}  // namespace penta::io::dicom
