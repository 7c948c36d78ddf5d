#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/content.h"

namespace penta::io {

/// The whole file. Throws Error{bad_input} that names it; refuses more than `limit_bytes`.
[[nodiscard]] std::vector<std::byte> read_file(const std::filesystem::path& path,
                                               std::uint64_t limit_bytes = 8ULL << 30U);

/// Name of the format that the file's first bytes show ("DICOM", "NIfTI", "NRRD", "MetaImage", "PNG", "JPEG"), or empty.
[[nodiscard]] std::string format_of(const std::filesystem::path& path);

/// Reads a file that is not DICOM by the table of formats, and what lies beside it where the format is of two files.
/// Throws Error{bad_input} that names it.
[[nodiscard]] Content read(const std::filesystem::path& path);
/// The same, where it must be an image.
[[nodiscard]] Image read_image(const std::filesystem::path& path);
[[nodiscard]] LabelMap read_labels(const std::filesystem::path& path);

/// Writes beside, fsyncs and renames, so that a half-written file never carries the name.
/// Throws Error{output_failed} that names the file.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);

}  // namespace penta::io
