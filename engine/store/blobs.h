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

/// Brings the names in a folder to the disk. Throws Error{output_failed} that names it.
void sync_folder(const std::filesystem::path& folder);

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

/// A file in staging/ that an earlier run had kept.
struct KeptName {
  std::filesystem::path path;
  std::string sha256;
  std::int64_t bytes = 0;
};

/// Files by their SHA-256: <root>/blobs/ab/cdef.... One that has a name there is complete and on the disk; the name itself
/// is on the disk when release() was called for it, and until then a name in staging/ stands for it.
class Blobs {
 public:
  explicit Blobs(std::filesystem::path root);
  [[nodiscard]] StagedFile stage() const;
  /// Gives the files names in staging/ that say their hash and length, and places in blobs/; what has a place already
  /// keeps it. On return bytes and staged names are on the disk (docs/decisions/020). The staged names go with their
  /// StagedFile, or stay where that is left. Throws Error{output_failed}.
  void keep(std::span<StagedFile* const> files);
  void keep(StagedFile& file) { StagedFile* one = &file; keep(std::span(&one, 1)); }
  /// Leaves the staged name of a kept file for release(), or for the start after a crash.
  [[nodiscard]] static std::filesystem::path leave(StagedFile& file) noexcept;
  /// Removes staged names of kept files, once the catalogue that knows them is on the disk.
  void release(std::span<const std::filesystem::path> names);
  /// What was removed from staging/ stays removed.
  void sync_staging() const;

  [[nodiscard]] std::filesystem::path path_of(const std::string& sha256) const;
  void remove(const std::string& sha256) noexcept;
  /// Moves a file that broke its reader to <root>/quarantine, with a text that says why.
  void quarantine(StagedFile& file, const std::string& why);

  // For a start after a crash.
  /// Removes what was not kept, and gives the rest.
  [[nodiscard]] std::vector<KeptName> recovered();
  /// Whether the file has the length and the hash that its name says.
  [[nodiscard]] static bool whole(const KeptName& name);
  /// Gives it its place again where that was lost.
  void place(const KeptName& name) { place(name.path, name.sha256); }

 private:
  void place(const std::filesystem::path& from, const std::string& sha256);
  std::filesystem::path root_;
  bool names_follow_files_ = false;
};

}  // namespace penta::engine
