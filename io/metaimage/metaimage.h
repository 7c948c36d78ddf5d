#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"

namespace penta::io::metaimage {

/// True for the header of MetaImage (.mha, .mhd), judged by the first bytes ("ObjectType = " or "NDims = ").
[[nodiscard]] bool sniff(std::span<const std::byte> bytes) noexcept;

/// Reads MetaImage in one file (.mha: ElementDataFile = LOCAL), plain or zlib, whole numbers and floats of 8 to 64 bits
/// in either byte order, 2 to 4 dimensions; 3 or 4 channels of uint8 are colour. As ITK does, coordinates are LPS mm
/// and each run of NDims numbers in TransformMatrix is the direction of one index axis. Without TransformMatrix a
/// remark orientation_unknown. The fourth dimension gives one volume an entry. Modality is unknown; unit empty.
/// Throws Error{bad_input} that names `name` and the field that is wrong; an .mhd, whose data lies in another file, is
/// refused by that file's name.
[[nodiscard]] Image read(std::span<const std::byte> bytes, const std::string& name);
/// Whole numbers 0..65535 as labels; names are "label 1" and so on; without spacing they are planar.
/// Throws Error{bad_input} otherwise.
[[nodiscard]] LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name);

/// One file (.mha), zlib; the same image gives the same bytes. Throws Error{bad_input} on complex voxels.
[[nodiscard]] std::vector<std::byte> write(const Image& image);
[[nodiscard]] std::vector<std::byte> write(const LabelMap& labels, int layer = 0);

}  // namespace penta::io::metaimage
