#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace penta::engine {

/// Series that rules have yet to look at, on the disk: a file each, so that one that came just before a server was
/// killed is looked at by the next.
class WaitingFolder {
 public:
  /// Throws Error{output_failed}.
  explicit WaitingFolder(std::filesystem::path folder);
  /// (study UID, series UID) of those that an earlier run left.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> left() const;
  void add(const std::string& study_uid, const std::string& series_uid) const noexcept;
  void remove(const std::string& series_uid) const noexcept;

 private:
  [[nodiscard]] std::filesystem::path file_of(const std::string& series_uid) const;
  std::filesystem::path folder_;
};

}  // namespace penta::engine
