#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/label_map.h"
#include "io/nifti/header.h"

namespace penta::io {

/// What the text header of one file (NRRD, MetaImage) says of its voxels, in the terms of io/nifti: one decoder serves
/// all three formats.
struct Raster {
  nifti::Header voxels;                            ///< datatype, byte order, dim 1 to 4, slope and intercept
  std::array<std::array<double, 4>, 3> lps_mm{};   ///< columns 0 to 2: a step along an index axis; 3: voxel (0, 0, 0)
  bool in_mm = true;                               ///< false: the file gives no spacing, and steps are pixels
  std::string place_field;                         ///< the field that `lps_mm` is from, for messages
  std::vector<std::byte> owned;                    ///< the unpacked voxels, where need be
  std::span<const std::byte> data;                 ///< data_bytes(voxels) bytes
  std::vector<Remark> remarks;
};

/// Throws Error{bad_input} that names `name` where the steps are no grid.
[[nodiscard]] Image image_of(Raster raster, const std::string& name);
/// Labels of a raster without spacing are planar. Throws Error{bad_input} as labels_of(volumes, ...).
[[nodiscard]] LabelMap labels_of(Raster raster, const std::string& name);

/// Whole numbers 0..65535 as labels with the segments found in them; several volumes of one slice are the frames of a
/// cine. Throws Error{bad_input} that names `name` on other numbers, or on several volumes of more than one slice.
[[nodiscard]] LabelMap labels_of(std::span<const AnyVolume> volumes, bool planar, const std::string& name);

/// Voxels as they go into a file, and where they lie; without a grid the file has pixels.
struct Stored {
  std::array<std::int64_t, 4> size{1, 1, 1, 1};  ///< x, y, z, time or frame
  std::array<double, 3> spacing_mm{1, 1, 1};     ///< 1 where not `in_mm`
  const Grid* grid = nullptr;                    ///< lives as long as what was given
  bool in_mm = false;
  nifti::Datatype datatype = nifti::Datatype::u8;
  std::vector<std::byte> bytes;                    ///< stored_of(): the room asked for, zero, and then the voxels
  std::vector<std::span<const std::byte>> pieces;  ///< look_at(): the voxels one after the other, little-endian
};

/// The voxels where they are, in the image that was given or, where they had to change, in `bytes`.
/// Throws as stored_of().
[[nodiscard]] Stored look_at(const Image& image, const std::string& format);
[[nodiscard]] Stored look_at(const LabelMap& labels, int layer);

/// Throws Error{bad_input} that names `format` on slices that are no volume, and on volumes or frames that differ.
[[nodiscard]] Stored stored_of(const Image& image, const std::string& format, std::size_t room_bytes = 0);
/// uint8 where all values fit, else uint16; a planar map has its frames as fourth size.
[[nodiscard]] Stored stored_of(const LabelMap& labels, int layer, std::size_t room_bytes = 0);

}  // namespace penta::io
