#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"

namespace penta::io::nifti {

/// True for NIfTI-1, NIfTI-2 (single file, either byte order) and for gzip (.nii.gz), judged by the first bytes.
[[nodiscard]] bool sniff(std::span<const std::byte> bytes) noexcept;

/// Reads NIfTI-1 or -2, plain or gzipped, single file (.nii). RAS+ of the file becomes LPS mm; an affine with shear
/// gives a remark and the nearest orthonormal grid within 1e-3, else Error. 4-D gives one volume a time point.
/// Modality is unknown; unit empty. Throws Error{bad_input} that names `name` and the field that is wrong.
[[nodiscard]] Image read(std::span<const std::byte> bytes, const std::string& name);
/// Whole numbers 0..65535 as labels; names are "label 1" and so on. Throws Error{bad_input} otherwise.
[[nodiscard]] LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name);

/// NIfTI-1 bytes (.nii.gz, mtime 0 so that they compare byte for byte). sform and qform both set (code 1, scanner).
[[nodiscard]] std::vector<std::byte> write(const Image& image);
[[nodiscard]] std::vector<std::byte> write(const LabelMap& labels, int layer = 0);

}  // namespace penta::io::nifti
