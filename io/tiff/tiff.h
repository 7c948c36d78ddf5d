#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"

namespace penta::io::tiff {

/// True for TIFF and BigTIFF in either byte order, judged by the first bytes; false for DICOM with TIFF in its
/// preamble.
[[nodiscard]] bool sniff(std::span<const std::byte> bytes) noexcept;

/// Reads TIFF 6.0 and BigTIFF by libtiff: grey of 1 to 64 bits (whole or float), RGB of 8 or 16 bits, palettes; strips
/// or tiles, samples together or apart, every compression that libtiff was built with. Pages are frames; smaller copies
/// of a page are passed over. Signed and wider numbers become float32, 16-bit colour 8-bit, white-is-zero is inverted,
/// alpha is dropped, each with a remark. The picture has no size in mm: a resolution is said, not taken. Throws
/// Error{bad_input} that names `name` and what is wrong: CMYK, CIELAB, YCbCr without JPEG, more than 8 GiB of pixels,
/// or more than 200 times the file where that is over 512 MiB.
[[nodiscard]] Image read(std::span<const std::byte> bytes, const std::string& name);
/// Grey or palette pages as planar labels; palette indices are taken as values.
[[nodiscard]] LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name);

/// One page a frame, or a slice of each volume, deflate; the same image gives the same bytes. A known pixel size is
/// written as pixels per cm. Throws Error{bad_input} on complex voxels and on slices that are no volume.
[[nodiscard]] std::vector<std::byte> write(const Image& image);
[[nodiscard]] std::vector<std::byte> write(const LabelMap& labels, int layer = 0);

}  // namespace penta::io::tiff
