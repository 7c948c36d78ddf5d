#pragma once

#include "engine/convert.h"

namespace penta::engine {

/// The image that settings.source names, as one volume or frames. Throws Error{wrong_use} where it is not one image.
[[nodiscard]] ContentPtr source_image(const ConvertSettings& settings, std::vector<Remark>& remarks);

/// One DICOM object as part-10 bytes: settings.as, or by what there is: SEG of labels, RTSTRUCT of contours.
/// Throws Error{wrong_use} where the content cannot be such an object, or needs settings.source.
[[nodiscard]] std::vector<std::byte> dicom_object(const io::Content& content, const ConvertSettings& settings,
                                                  const Job& job, std::vector<Remark>& remarks);

/// Throws Error{wrong_use} where settings.as is no DICOM object, or `out` is not named as one, or settings.source is not
/// there: before anything is read.
void check_settings(const std::filesystem::path& out, const ConvertSettings& settings);

/// Writes what was read as a DICOM series into a folder, each volume as one enhanced instance where it is asked for.
void save_dicom_images(const std::filesystem::path& folder, const io::Content& content, bool enhanced, const Job& job,
                       std::vector<Remark>& remarks);

}  // namespace penta::engine
