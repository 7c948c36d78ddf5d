#pragma once

#include <filesystem>
#include <vector>

#include "core/remark.h"

namespace penta::io::dicom {

class Object;

/// What a DICOMDIR lists (PS3.3 F): its files that exist, and a remark for those that do not.
struct Directory {
  std::vector<std::filesystem::path> files;
  std::vector<Remark> faults;
};

[[nodiscard]] bool is_directory(const Object& object);
/// `folder`: where the DICOMDIR lies; nothing outside it is named.
[[nodiscard]] Directory directory_of(const Object& object, const std::filesystem::path& folder);

}  // namespace penta::io::dicom
