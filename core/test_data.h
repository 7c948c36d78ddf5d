#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

namespace penta {

/// For tests: the root of the repository, found upwards from where the test runs (a compiler cache may shorten the
/// paths that __FILE__ gives).
[[nodiscard]] inline std::filesystem::path repository_root() {
  std::filesystem::path folder = std::filesystem::current_path();
  while (!std::filesystem::exists(folder / "layers.toml") && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

/// For tests: a folder or file of the shared data (PENTA_DATA, default ../shared/data), or nothing when it is not here.
[[nodiscard]] inline std::optional<std::filesystem::path> test_data(std::string_view relative) {
  const char* root = std::getenv("PENTA_DATA");
  const std::filesystem::path path = std::filesystem::path(root != nullptr ? root : "../shared/data") / relative;
  return std::filesystem::exists(path) ? std::optional(path) : std::nullopt;
}

}  // namespace penta
