#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"
#include "io/beside.h"

namespace penta::io::metaimage {

/// True for the header of MetaImage (.mha, .mhd), judged by the first bytes ("ObjectType = " or "NDims = ").
[[nodiscard]] bool sniff(std::span<const std::byte> bytes) noexcept;

/// Reads MetaImage in one file (.mha: ElementDataFile = LOCAL), plain, zlib or as text, whole numbers and floats of 8
/// to 64 bits in either byte order, 2 to 4 dimensions; 3 or 4 channels of uint8 are colour, 2 of floats complex
/// numbers. As ITK does, coordinates are LPS mm and each run of NDims numbers in TransformMatrix is the direction of
/// one index axis. Without TransformMatrix a remark orientation_unknown. The fourth dimension gives one volume an
/// entry. Modality is unknown; unit empty. Throws Error{bad_input} that names `name` and the field that is wrong, also
/// for an .mhd, whose voxels are elsewhere.
[[nodiscard]] Image read(std::span<const std::byte> bytes, const std::string& name);
/// The same; the voxels of an .mhd come from the .raw or .zraw that lies beside, or from several by LIST or a pattern.
[[nodiscard]] Image read(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside);
/// Whole numbers 0..65535 as labels; names are "label 1" and so on; without spacing they are planar.
/// Throws Error{bad_input} otherwise.
[[nodiscard]] LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name);
[[nodiscard]] LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside);

/// One file (.mha), zlib; complex voxels as two channels; the same image gives the same bytes.
[[nodiscard]] std::vector<std::byte> write(const Image& image);
[[nodiscard]] std::vector<std::byte> write(const LabelMap& labels, int layer = 0);

}  // namespace penta::io::metaimage
