#pragma once

#include <filesystem>

#include "engine/open.h"
#include "engine/save.h"

namespace penta::engine {

/// Reads one image (or label map) and writes it as OUT's name says: .nii.gz, .nrrd, .mha, .png, or a folder of DICOM.
/// Throws Error{wrong_use} for a format that is not written or an input of several series (each named).
/// Returns what was found wrong with the input.
std::vector<Remark> convert(const std::filesystem::path& in, const std::filesystem::path& out, const ReadSettings& settings,
                            const Job& job);

}  // namespace penta::engine
