#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"
#include "io/beside.h"

namespace penta::io::nifti {

/// True for NIfTI-1, NIfTI-2 (single file or the .hdr of a pair, either byte order), for the .hdr of ANALYZE 7.5, and
/// for any of them behind gzip, judged by the first bytes.
[[nodiscard]] bool sniff(std::span<const std::byte> bytes) noexcept;

/// Reads NIfTI-1 or -2, plain or gzipped. RAS+ of the file becomes LPS mm by the rules of place(); voxel types by those
/// of decode(); an affine with shear gives a remark and the nearest orthonormal grid within 1e-3, else Error. 4-D gives
/// one volume a time point, with its seconds where the header knows them; 5-D (dim[5] > 1, dim[4] = 1) one volume a
/// component, or RGB by its intent. Modality is unknown; unit empty; sha256 is left to whoever needs it.
/// Throws Error{bad_input} that names `name` and the field that is wrong, also for a pair, whose voxels are elsewhere.
[[nodiscard]] Image read(std::span<const std::byte> bytes, const std::string& name);
/// The same; the voxels of a pair (.hdr, .hdr.gz) and of ANALYZE 7.5 come from the .img or .img.gz that lies beside.
[[nodiscard]] Image read(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside);
/// Whole numbers 0..65535 as labels; names are "label 1" and so on. Throws Error{bad_input} otherwise.
[[nodiscard]] LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name);
[[nodiscard]] LabelMap read_labels(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside);

enum class Compression { none, gzip };

/// The bytes of one .nii or .nii.gz file: NIfTI-1, or NIfTI-2 where an axis has more than 32767 voxels. sform and qform
/// are both set (code 1, scanner); the seconds of a series go to pixdim[4] where they are evenly spaced. The same image
/// gives the same bytes (gzip mtime 0, any number of threads). Throws Error{bad_input} on slices that are no volume and
/// on volumes that differ in grid or type.
[[nodiscard]] std::vector<std::byte> write(const Image& image, Compression compression);
[[nodiscard]] std::vector<std::byte> write(const LabelMap& labels, int layer, Compression compression);
/// The same, gzipped.
[[nodiscard]] std::vector<std::byte> write(const Image& image);
[[nodiscard]] std::vector<std::byte> write(const LabelMap& labels, int layer = 0);

/// The two files of a pair, .hdr and .img, not compressed.
struct Pair {
  std::vector<std::byte> header, voxels;
};
[[nodiscard]] Pair write_pair(const Image& image);
[[nodiscard]] Pair write_pair(const LabelMap& labels, int layer = 0);

}  // namespace penta::io::nifti
