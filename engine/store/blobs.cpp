#include "engine/store/blobs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>

#include "core/error.h"

namespace penta::engine {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& doing, const fs::path& path) {
  throw Error(Code::output_failed, doing + " " + path.string() + ": " + std::strerror(errno));
}

void sync_folder(const fs::path& folder) {
  const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) fail("opening the folder", folder);
  const bool good = ::fsync(handle) == 0;
  const int problem = errno;
  ::close(handle);
  errno = problem;
  if (!good) fail("syncing the folder", folder);
}

std::string hash_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  Sha256 hash;
  std::vector<char> piece(1 << 20);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0)
    hash.add(std::as_bytes(std::span(piece.data(), static_cast<std::size_t>(in.gcount()))));
  return hash.hex();
}

std::string two_digits(unsigned value) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {digits[value >> 4 & 15], digits[value & 15]};
}

}  // namespace

StagedFile::StagedFile(const fs::path& folder) {
  std::string name = (folder / "XXXXXX").string();
  handle_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (handle_ < 0) fail("making a file in", folder);
  path_ = name;
}

StagedFile::StagedFile(StagedFile&& other) noexcept { *this = std::move(other); }

StagedFile& StagedFile::operator=(StagedFile&& other) noexcept {
  if (this == &other) return *this;
  drop();
  path_ = std::exchange(other.path_, {});
  handle_ = std::exchange(other.handle_, -1);
  size_ = other.size_;
  hash_ = other.hash_;
  sha256_ = std::move(other.sha256_);
  return *this;
}

StagedFile::~StagedFile() { drop(); }

void StagedFile::drop() noexcept {
  if (handle_ >= 0) ::close(handle_);
  if (!path_.empty()) ::unlink(path_.c_str());
  handle_ = -1;
}

void StagedFile::add(std::span<const std::byte> bytes) {
  hash_.add(bytes);
  size_ += static_cast<std::int64_t>(bytes.size());
  while (!bytes.empty()) {
    const ::ssize_t written = ::write(handle_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("writing", path_);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

std::string StagedFile::close() {
  if (sha256_.empty()) sha256_ = hash_.hex();
  return sha256_;
}

Blobs::Blobs(fs::path root) : root_(std::move(root)) {
  try {
    for (const char* folder : {"staging", "quarantine", "blobs"}) fs::create_directories(root_ / folder);
    if (fs::exists(root_ / "blobs" / "ff")) return;
    for (unsigned i = 0; i < 256; ++i) fs::create_directory(root_ / "blobs" / two_digits(i));
  } catch (const fs::filesystem_error& error) {
    throw Error(Code::output_failed, "making the store in " + root_.string() + ": " + error.code().message());
  }
  sync_folder(root_ / "blobs");
  sync_folder(root_);
}

StagedFile Blobs::stage() const { return StagedFile(root_ / "staging"); }

fs::path Blobs::path_of(const std::string& sha256) const {
  return root_ / "blobs" / sha256.substr(0, 2) / sha256.substr(2);
}

// All names first, and only then the syncs: a journal that writes one of them writes all of them, so that the syncs of
// the folders find nothing left to do.
void Blobs::keep(std::span<StagedFile* const> files) {
  std::set<fs::path> folders;
  for (StagedFile* file : files) {
    const fs::path place = path_of(file->close());
    if (::link(file->path_.c_str(), place.c_str()) != 0 && errno != EEXIST) fail("storing", place);
    folders.insert(place.parent_path());
    ::sync_file_range(file->handle_, 0, 0, SYNC_FILE_RANGE_WRITE);
  }
  for (StagedFile* file : files)
    if (::fsync(file->handle_) != 0) fail("syncing", file->path_);
  for (const fs::path& folder : folders) sync_folder(folder);
}

void Blobs::remove(const std::string& sha256) noexcept { ::unlink(path_of(sha256).c_str()); }

void Blobs::quarantine(StagedFile& file, const std::string& why) {
  const fs::path place = root_ / "quarantine" / file.close();
  if (::rename(file.path_.c_str(), place.c_str()) != 0) fail("moving to quarantine", place);
  file.path_.clear();
  ::fchmod(file.handle_, S_IRUSR);
  std::ofstream(place.string() + ".txt") << why << '\n';
}

std::vector<std::string> Blobs::clear_staging() {
  std::vector<std::string> known;
  for (const auto& entry : fs::directory_iterator(root_ / "staging")) {
    if (entry.is_regular_file() && entry.hard_link_count() > 1) known.push_back(hash_of(entry.path()));
    std::error_code ignored;
    fs::remove(entry.path(), ignored);
  }
  return known;
}

}  // namespace penta::engine
