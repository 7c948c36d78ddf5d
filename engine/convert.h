#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/open.h"
#include "engine/save.h"

namespace penta::engine {

/// How `convert` reads and writes what its two paths do not say.
struct ConvertSettings {
  ReadSettings read;
  std::string series;            ///< of several: its UID, or its Series Number
  std::filesystem::path source;  ///< the image that labels or contours were drawn on
  std::string as;                ///< the DICOM object: seg, rtstruct, enhanced, parametric-map, secondary-capture
};

struct Converted {
  std::vector<std::filesystem::path> files;  ///< that were written
  std::vector<Remark> remarks;               ///< what was found wrong with the input, and what writing lost
};

/// Reads one image, label map, set of contours, raw data or report and writes it as OUT's name says: .nii.gz, .nii,
/// .hdr (with its .img), .nrrd, .mha, .tif, .png, .npy (raw data too), .json (a DICOM SR), .dcm (labels as SEG, contours as RTSTRUCT, or as
/// settings.as says), or a folder of DICOM images. DICOM as NIfTI gets a .json with BIDS names beside it, labels one
/// with their segment table; labels that overlap go to further files (labels.1.nii.gz).
/// Throws Error{wrong_use} for what cannot be written so, and for an input of several series (each named).
[[nodiscard]] Converted convert(const std::filesystem::path& in, const std::filesystem::path& out,
                                const ConvertSettings& settings, const Job& job);

}  // namespace penta::engine
