#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penta::io::dicom {

/// One frame of labels as RLE Lossless (PS3.5 annex G): `numbers[label]` is stored, in one byte plane or, where `wide`,
/// in two from the most significant one on. Rows are packed one by one, as G.3.1 asks.
[[nodiscard]] std::vector<std::byte> rle_of_labels(std::span<const std::uint16_t> labels, std::size_t columns,
                                                   std::span<const std::uint16_t> numbers, bool wide);

/// Appends encapsulated Pixel Data (PS3.5 A.4): a basic offset table where it can hold the offsets, one fragment a
/// frame. Each frame is of even length.
void append_encapsulated(std::vector<std::byte>& bytes, std::span<const std::vector<std::byte>> frames);

}  // namespace penta::io::dicom
