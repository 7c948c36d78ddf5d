#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/jobs/workers.h"

/// What a worker does with one DICOM file. All throw Error{bad_input} that says what is wrong with it; the name that
/// the server gave the file is left out.
namespace penta::engine {

[[nodiscard]] std::vector<std::byte> rendered_picture(const RenderRequest& request);
[[nodiscard]] std::vector<std::byte> native_samples(const std::filesystem::path& path, std::int64_t frame);
[[nodiscard]] std::vector<std::byte> transcoded_file(const std::filesystem::path& path, const std::string& transfer_syntax);
[[nodiscard]] std::vector<std::byte> bulk_value(const std::filesystem::path& path, const std::string& element);

}  // namespace penta::engine
