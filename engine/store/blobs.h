#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace penta::engine {

/// A file on its way into the store: written piece by piece, hashed on the way, gone when it is not kept.
class StagedFile {
 public:
  /// Throws Error{output_failed} that names the folder.
  explicit StagedFile(const std::filesystem::path& folder);
  StagedFile(StagedFile&& other) noexcept;
  StagedFile& operator=(StagedFile&& other) noexcept;
  ~StagedFile();

  /// Throws Error{output_failed}: a full disk, a limit.
  void add(std::span<const std::byte> bytes);
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// SHA-256 of what was added, 64 hex digits. Call once, when all is added.
  [[nodiscard]] std::string close();

 private:
  friend class Blobs;
  struct Writing;
  std::filesystem::path path_;
  int handle_ = -1;
  std::int64_t size_ = 0;
  Writing* writing_ = nullptr;
};

/// Files by their SHA-256: <root>/blobs/ab/cdef.... One that is there is complete and was synced to the disk.
class Blobs {
 public:
  explicit Blobs(std::filesystem::path root);
  [[nodiscard]] StagedFile stage() const;
  /// Syncs, renames, syncs the folders; a file that is there already is kept. Throws Error{output_failed}.
  void keep(StagedFile& file, const std::string& sha256);
  [[nodiscard]] std::filesystem::path path_of(const std::string& sha256) const;
  void remove(const std::string& sha256) noexcept;
  /// Moves a file that broke its reader to <root>/quarantine, with a text that says why.
  void quarantine(StagedFile& file, const std::string& sha256, const std::string& why);
  /// Removes what an earlier run staged and did not keep.
  void clear_staging();

 private:
  std::filesystem::path root_;
};

}  // namespace penta::engine
