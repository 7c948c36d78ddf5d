#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "io/beside.h"
#include "io/content.h"

/// Formats of what a scanner or a laboratory writes before there is an image: each reader takes a file's bytes and its
/// name, and gives raw data or an image. All throw Error{bad_input} that names the file and the field that is wrong.
namespace penta::io::rawdata {

/// NumPy's array file (numpy.lib.format, versions 1.0 to 3.0), judged by its magic.
[[nodiscard]] bool sniff_npy(std::span<const std::byte> bytes) noexcept;
/// A ZIP whose first member is an .npy.
[[nodiscard]] bool sniff_npz(std::span<const std::byte> bytes) noexcept;

/// Reads an array, axes as NumPy names them whatever the order in memory. Complex numbers [coil,] [z,] y, x become
/// k-space (two axes: y, x; three: coil, y, x; four: coil, z, y, x), other numbers pictures without size: [row,
/// column], [frame, row, column], uint8 with a last axis of 3 as colour. Booleans become 0 and 1; signed and wider
/// numbers float32, with a remark where it loses. Other element types (objects, records, texts, long doubles) and
/// numbers of axes are refused by name.
[[nodiscard]] Content read_npy(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside);
/// The one array of an .npz that is no list or single number; more than one is refused with all their names.
[[nodiscard]] Content read_npz(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside);
/// Whole numbers 0..65535 of an array as planar labels.
[[nodiscard]] LabelMap read_npy_labels(std::span<const std::byte> bytes, const std::string& name,
                                       const ReadBeside& beside);
[[nodiscard]] LabelMap read_npz_labels(std::span<const std::byte> bytes, const std::string& name,
                                       const ReadBeside& beside);

/// Interfile 3.3 and what STIR and Siemens added: !INTERFILE := stands first.
[[nodiscard]] bool sniff_interfile(std::span<const std::byte> bytes) noexcept;

/// Reads an Interfile header and the data file that it names: a PET or SPECT image, a PET sinogram (STIR's segments; no
/// time of flight), SPECT projections, or PET list mode. Images lie as STIR says for the patient's position; where the
/// header has none, head in and supine is taken with the remark orientation_unknown. SPECT angles: PS3.3 C.8.4.12,
/// said. A template without data and the types Static, Dynamic, Curve and ROI are refused by name.
[[nodiscard]] Content read_interfile(std::span<const std::byte> bytes, const std::string& name,
                                     const ReadBeside& beside);
[[nodiscard]] LabelMap read_interfile_labels(std::span<const std::byte> bytes, const std::string& name,
                                             const ReadBeside& beside);

/// HDF5, judged by the signature at byte 0.
[[nodiscard]] bool sniff_hdf5(std::span<const std::byte> bytes) noexcept;

/// Reads ISMRMRD (cartesian k-space), and ultrasound channel data as pybf and PICMUS lay it out. What another HDF5 file
/// holds is named in the Error.
[[nodiscard]] Content read_hdf5(std::span<const std::byte> bytes, const std::string& name, const ReadBeside& beside);

}  // namespace penta::io::rawdata
