#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace penta::io::dicom {

/// Tells whether a file is still the one that was looked at before.
struct FileStamp {
  std::int64_t bytes = 0, changed_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// A regular file open for reading. Throws Error{bad_input} that names it.
class File {
 public:
  File(const std::filesystem::path& path, std::string name);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] const FileStamp& stamp() const noexcept { return stamp_; }
  /// Fills `out` from `offset` on. Throws Error{bad_input} when the file ends before that.
  void read(std::int64_t offset, std::span<std::byte> out) const;

 private:
  std::string name_;
  int handle_ = -1;
  FileStamp stamp_;
};

/// Nothing where there is no such file.
[[nodiscard]] std::optional<FileStamp> stamp_of(const std::filesystem::path& path) noexcept;

}  // namespace penta::io::dicom
