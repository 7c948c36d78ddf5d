#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/acquisition.h"
#include "core/remark.h"
#include "io/content.h"

namespace penta::engine {

using ContentPtr = std::shared_ptr<const io::Content>;

/// One series, or one file that is a series by itself. Its pixels are read when `load` is called.
struct Entry {
  std::string format;  ///< "DICOM", "NIfTI", "PNG", "JPEG"
  std::string kind;    ///< volume, frames, projections, contours, segmentation, other
  std::string shape;
  Acquisition acquisition;
  std::vector<std::filesystem::path> files;
  std::vector<Remark> faults;
  bool readable = true;                 ///< false: a kind not yet read; the faults say why
  std::function<ContentPtr()> load;     ///< throws Error that names the file
};

struct Opened {
  std::vector<Entry> entries;     ///< grouped by study, in a fixed order
  std::vector<Remark> faults;     ///< files that could not be read, each named
  bool single_file = false;       ///< what was opened was one named file
};

/// What a caller says of files that do not say it themselves, `pixel_mm` and `modality`, and what becomes of slices
/// that are no volume, `geometry`: "strict" refuses them, "resample" makes an even volume, none keeps them as they are.
using ReadSettings = std::map<std::string, std::string>;
inline constexpr std::array<std::string_view, 3> read_settings{"pixel_mm", "modality", "geometry"};
[[nodiscard]] bool is_read_setting(std::string_view name) noexcept;

/// Finds every image below `paths` (files or folders). Headers only.
/// Throws Error{bad_input} for a path that does not exist, a single named file that cannot be read, or when nothing
/// but broken images was found; Error{nothing_to_do} for folders with nothing readable as an image.
/// Nothing below `leave_out` (a result folder inside a study) is looked at.
[[nodiscard]] Opened open(std::span<const std::filesystem::path> paths, const ReadSettings& settings = {},
                          const std::filesystem::path& leave_out = {});

/// How names of image files end, in small letters.
inline constexpr std::array<std::string_view, 11> image_endings{".dcm", ".ima", ".nii", ".nii.gz", ".png", ".jpg",
                                                                ".jpeg", ".nrrd", ".mha", ".tif", ".tiff"};

/// Reads one named file or folder as a label map (NIfTI, PNG, DICOM SEG).
[[nodiscard]] ContentPtr open_labels(const std::filesystem::path& path);
/// A table of comma-separated text. Throws Error{bad_input} that names file and line.
[[nodiscard]] ContentPtr open_table(const std::filesystem::path& path);

/// Modality and identity of what was read.
[[nodiscard]] const Acquisition& acquisition_of(const io::Content& content) noexcept;
/// What reading it found.
[[nodiscard]] const std::vector<Remark>& remarks_of(const io::Content& content) noexcept;
[[nodiscard]] std::string hash_of_content(const io::Content& content);

}  // namespace penta::engine
