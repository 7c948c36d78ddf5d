#pragma once

#include <filesystem>

#include "engine/store/archive.h"

namespace penta::cli {

/// Stores the DICOM files of a folder, or one file, and says on standard error how many were taken and why others were
/// not. What is there already stays. Stops when `ends` says so.
void import_files(engine::Archive& archive, const std::filesystem::path& from, const std::function<bool()>& ends);

}  // namespace penta::cli
