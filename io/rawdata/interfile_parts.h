#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/raw_data.h"
#include "io/beside.h"
#include "io/nifti/header.h"
#include "io/rawdata/interfile_keys.h"

/// The kinds of Interfile, each from the keys and the data file; used by interfile.cpp only.
namespace penta::io::rawdata {

/// One Interfile while it is read.
struct Interfile {
  const InterfileKeys& keys;
  std::span<const std::byte> header;  ///< the file that was named; holds the data where no other file is named
  const std::string& name;
  const ReadBeside& beside;
  std::vector<Remark>& remarks;
};

/// The whole data file. Throws where it is the header itself (a template).
[[nodiscard]] std::vector<std::byte> data_file(const Interfile& file);

/// How the numbers are stored, by "number format", "number of bytes per pixel" and "imagedata byte order".
struct NumberFormat {
  nifti::Datatype datatype = nifti::Datatype::f32;
  bool swapped = false;
};
[[nodiscard]] NumberFormat number_format(const InterfileKeys& keys);

/// Where data set `index` (1-based: a frame or window) starts; `otherwise` where the header does not say.
[[nodiscard]] std::uint64_t data_offset(const InterfileKeys& keys, int index, std::uint64_t otherwise);
/// What stored values of data set `index` are multiplied with.
[[nodiscard]] double scale_of(const InterfileKeys& keys, int index);

/// `count` numbers from `offset` on as float32, scaled. Throws Error{bad_input} where the file is shorter.
[[nodiscard]] std::vector<float> numbers_at(const Interfile& file, const std::vector<std::byte>& data,
                                            std::uint64_t offset, std::uint64_t count, double scale);

/// HFS, HFP, FFS, FFP; empty where the header does not say.
[[nodiscard]] std::string patient_position(const InterfileKeys& keys);
/// Modality, system, dates of study, tracer, dose, energy windows.
[[nodiscard]] Acquisition acquisition_of(const InterfileKeys& keys);

[[nodiscard]] Image interfile_image(const Interfile& file);
[[nodiscard]] Sinogram interfile_sinogram(const Interfile& file);
[[nodiscard]] Projections interfile_projections(const Interfile& file);
[[nodiscard]] ListMode interfile_list_mode(const Interfile& file);

}  // namespace penta::io::rawdata
