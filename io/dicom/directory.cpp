#include "io/dicom/directory.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

namespace fs = std::filesystem;

bool same_name(const std::string& a, const std::string& b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

/// The file or folder of this name, in the spelling of the disk: media are often copied to small letters.
std::optional<fs::path> inside(const fs::path& folder, const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find_first_of("/\\") != std::string::npos) return std::nullopt;
  std::error_code error;
  if (fs::exists(folder / name, error)) return folder / name;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (same_name(entry.path().filename().string(), name)) return entry.path();
  return std::nullopt;
}

std::optional<fs::path> found(const fs::path& folder, const std::vector<std::string>& parts) {
  std::optional<fs::path> at = folder;
  for (const std::string& part : parts) {
    at = inside(*at, part);
    if (!at) return std::nullopt;
  }
  std::error_code error;
  return !parts.empty() && fs::is_regular_file(*at, error) ? at : std::nullopt;
}

}  // namespace

bool is_directory(const Object& object) {
  return object.media_class == "1.2.840.10008.1.3.10" || has(object.data(), Tag{0x0004, 0x1220});
}

Directory directory_of(const Object& object, const fs::path& folder) {
  Directory out;
  std::set<fs::path> seen;
  std::size_t missing = 0;
  std::string first_missing;
  for (DcmItem* record : items(object.data(), Tag{0x0004, 0x1220})) {
    const auto parts = words(*record, Tag{0x0004, 0x1500});  // Referenced File ID: one word a folder
    if (parts.empty()) continue;
    if (const auto path = found(folder, parts)) {
      if (seen.insert(*path).second) out.files.push_back(*path);
      continue;
    }
    if (missing++ > 0) continue;
    for (const std::string& part : parts) first_missing += (first_missing.empty() ? "" : "/") + part;
  }
  if (missing > 0)
    out.faults.push_back({Severity::warning, "dicomdir_missing",
                          object.name + " names " + std::to_string(missing) + (missing == 1 ? " file that is" : " files that are") +
                              " not there: " + first_missing + (missing > 1 ? " and others" : "")});
  return out;
}

}  // namespace penta::io::dicom
