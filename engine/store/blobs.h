#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/hash.h"

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
  /// SHA-256 of what was added, 64 hex digits. Nothing may be added after that; another call gives the same.
  [[nodiscard]] std::string close();

 private:
  friend class Blobs;
  void drop() noexcept;
  std::filesystem::path path_;
  int handle_ = -1;
  std::int64_t size_ = 0;
  Sha256 hash_;
  std::string sha256_;
};

/// Files by their SHA-256: <root>/blobs/ab/cdef.... One that the catalogue names is complete and was synced to the disk.
class Blobs {
 public:
  explicit Blobs(std::filesystem::path root);
  [[nodiscard]] StagedFile stage() const;
  /// Gives the files their places, then syncs them and their folders; what is there already is kept. The staged names
  /// stay until the StagedFile goes, so that a start after a crash finds what nobody knows of. Throws
  /// Error{output_failed}.
  void keep(std::span<StagedFile* const> files);
  void keep(StagedFile& file) { StagedFile* one = &file; keep(std::span(&one, 1)); }
  [[nodiscard]] std::filesystem::path path_of(const std::string& sha256) const;
  void remove(const std::string& sha256) noexcept;
  /// Moves a file that broke its reader to <root>/quarantine, with a text that says why.
  void quarantine(StagedFile& file, const std::string& why);
  /// Removes what an earlier run staged; gives the hashes of those that have a place as a blob too.
  [[nodiscard]] std::vector<std::string> clear_staging();

 private:
  std::filesystem::path root_;
};

}  // namespace penta::engine
