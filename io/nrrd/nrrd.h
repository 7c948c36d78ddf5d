#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"
#include "io/beside.h"

namespace penta::io::nrrd {

/// True for NRRD of any version, judged by the first bytes ("NRRD000").
[[nodiscard]] bool sniff(std::span<const std::byte> bytes) noexcept;

/// Reads NRRD (teem.sourceforge.net/nrrd/format.html) with its data attached: raw, gzip, bzip2, text or hex, whole
/// numbers and floats of 8 to 64 bits in either byte order. Space LPS, RAS or LAS becomes LPS mm; another or none is
/// taken as LPS with the remark orientation_unknown. A leading axis of 3 or 4 uint8 is colour, of 2 floats of kind
/// complex a complex number; a list or time axis, first or last, gives one volume an entry. Modality is unknown; unit
/// empty. Throws Error{bad_input} that names `name` and the field that is wrong, also for an .nhdr, whose voxels are
/// elsewhere.
[[nodiscard]] Image read(std::span<const std::byte> bytes, const std::string& name);
/// The same; the voxels of an .nhdr come from the file that lies beside, or from several by LIST or a pattern.
[[nodiscard]] Image read(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside);
/// Whole numbers 0..65535 as labels; names are "label 1" and so on; without spacing they are planar.
/// Throws Error{bad_input} otherwise.
[[nodiscard]] LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name);
[[nodiscard]] LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside);

/// NRRD0004 bytes, gzip, space left-posterior-superior; the same image gives the same bytes.
[[nodiscard]] std::vector<std::byte> write(const Image& image);
[[nodiscard]] std::vector<std::byte> write(const LabelMap& labels, int layer = 0);

}  // namespace penta::io::nrrd
