#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"
#include "core/picture.h"

namespace penta::io::png {

/// True for PNG, for JPEG, and for either, judged by the first bytes.
[[nodiscard]] bool sniff_png(std::span<const std::byte> bytes) noexcept;
[[nodiscard]] bool sniff_jpeg(std::span<const std::byte> bytes) noexcept;
[[nodiscard]] bool sniff(std::span<const std::byte> bytes) noexcept;
/// Reads PNG (8 and 16 bit, grey, RGB, palette; alpha dropped with a remark) or JPEG (grey, YCbCr, RGB; CMYK refused).
/// The picture has no size in mm and no modality. Throws Error{bad_input} that names `name`.
[[nodiscard]] Image read(std::span<const std::byte> bytes, const std::string& name);
/// 8-bit grey or palette PNG as labels. Palette indices are taken as values.
[[nodiscard]] LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name);

[[nodiscard]] std::vector<std::byte> write(const Picture& picture);
/// The same picture in less time and more bytes, grey where it has no colours: for what is made while somebody waits.
/// Throws Error{bad_input} past 2^28 pixels.
[[nodiscard]] std::vector<std::byte> write_quick(const Picture& picture);
/// Baseline JPEG, quality 1 to 100, grey where it has no colours. Throws Error{bad_input} for a side of more than 65500 pixels.
[[nodiscard]] std::vector<std::byte> write_jpeg(const Picture& picture, int quality);
/// 8-bit grey, value = label (design.md: labels of a plain picture). Throws Error{bad_input} on a label over 255.
[[nodiscard]] std::vector<std::byte> write(const LabelMap& labels);

}  // namespace penta::io::png
