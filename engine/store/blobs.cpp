#include "engine/store/blobs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>

#include "core/error.h"

namespace penta::engine {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& doing, const fs::path& path) {
  throw Error(Code::output_failed, doing + " " + path.string() + ": " + std::strerror(errno));
}

std::string hash_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  Sha256 hash;
  std::vector<char> piece(1 << 20);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0)
    hash.add(std::as_bytes(std::span(piece.data(), static_cast<std::size_t>(in.gcount()))));
  return hash.hex();
}

// File systems whose journal or log tree takes the names of a file to the disk with its bytes, and names in the order in
// which they were given (docs/decisions/020).
bool names_follow_files(const fs::path& folder) {
  constexpr std::array<long, 3> ext4_xfs_btrfs{0xEF53, 0x58465342, 0x9123683E};
  struct ::statfs about {};
  return ::statfs(folder.c_str(), &about) == 0 &&
         std::find(ext4_xfs_btrfs.begin(), ext4_xfs_btrfs.end(), static_cast<long>(about.f_type)) != ext4_xfs_btrfs.end();
}

constexpr std::size_t hash_digits = 64;

// "<hash>.<bytes>.<anything>"; nothing for a name of a file that was not kept.
std::optional<KeptName> kept_name(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.size() <= hash_digits || name.find_first_not_of("0123456789abcdef") != hash_digits) return std::nullopt;
  KeptName out{path, name.substr(0, hash_digits), 0};
  const char* end = name.data() + name.size();
  const auto [behind, error] = std::from_chars(name.data() + hash_digits + 1, end, out.bytes);
  if (error != std::errc{} || behind == end || *behind != '.') return std::nullopt;
  return out;
}

}  // namespace

void sync_folder(const fs::path& folder) {
  const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) fail("opening the folder", folder);
  const bool good = ::fsync(handle) == 0;
  const int problem = errno;
  ::close(handle);
  errno = problem;
  if (!good) fail("syncing the folder", folder);
}

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
  bool made = false;
  try {
    for (const char* folder : {"staging", "quarantine", "blobs"}) made = fs::create_directories(root_ / folder) || made;
  } catch (const fs::filesystem_error& error) {
    throw Error(Code::output_failed, "making the store in " + root_.string() + ": " + error.code().message());
  }
  if (made) sync_folder(root_);
  names_follow_files_ = names_follow_files(root_ / "staging");
}

StagedFile Blobs::stage() const { return StagedFile(root_ / "staging"); }

fs::path Blobs::path_of(const std::string& sha256) const {
  return root_ / "blobs" / sha256.substr(0, 2) / sha256.substr(2);
}

// All names first, and only then the syncs: a journal that writes one of them writes all of them. A place is given last,
// so that it never stands for bytes that a power cut takes.
void Blobs::keep(std::span<StagedFile* const> files) {
  for (StagedFile* file : files) {
    const fs::path name = root_ / "staging" / (file->close() + '.' + std::to_string(file->size_) + '.' + file->path_.filename().string());
    if (::rename(file->path_.c_str(), name.c_str()) != 0) fail("storing", name);
    file->path_ = name;
    ::sync_file_range(file->handle_, 0, 0, SYNC_FILE_RANGE_WRITE);
  }
  for (StagedFile* file : files)
    if (::fsync(file->handle_) != 0) fail("syncing", file->path_);
  if (!names_follow_files_) sync_staging();
  for (StagedFile* file : files) place(file->path_, file->sha256_);
}

void Blobs::place(const fs::path& from, const std::string& sha256) {
  const fs::path place = path_of(sha256);
  if (::link(from.c_str(), place.c_str()) == 0 || errno == EEXIST) return;
  if (errno != ENOENT || (::mkdir(place.parent_path().c_str(), S_IRWXU) != 0 && errno != EEXIST)) fail("storing", place);
  if (::link(from.c_str(), place.c_str()) != 0 && errno != EEXIST) fail("storing", place);
}

fs::path Blobs::leave(StagedFile& file) noexcept { return std::exchange(file.path_, {}); }

void Blobs::release(std::span<const fs::path> names) {
  if (!names_follow_files_) {
    std::set<fs::path> folders{root_ / "blobs"};
    for (const fs::path& name : names)
      if (const auto kept = kept_name(name)) folders.insert(path_of(kept->sha256).parent_path());
    for (const fs::path& folder : folders) sync_folder(folder);
  }
  for (const fs::path& name : names) ::unlink(name.c_str());
}

void Blobs::sync_staging() const { sync_folder(root_ / "staging"); }

void Blobs::remove(const std::string& sha256) noexcept { ::unlink(path_of(sha256).c_str()); }

void Blobs::quarantine(StagedFile& file, const std::string& why) {
  const fs::path place = root_ / "quarantine" / file.close();
  if (::rename(file.path_.c_str(), place.c_str()) != 0) fail("moving to quarantine", place);
  file.path_.clear();
  ::fchmod(file.handle_, S_IRUSR);
  std::ofstream(place.string() + ".txt") << why << '\n';
}

std::vector<KeptName> Blobs::recovered() {
  std::vector<KeptName> kept;
  for (const auto& entry : fs::directory_iterator(root_ / "staging")) {
    const auto name = kept_name(entry.path());
    std::error_code ignored;
    if (name && entry.is_regular_file()) kept.push_back(*name);
    else fs::remove(entry.path(), ignored);
  }
  std::sort(kept.begin(), kept.end(), [](const KeptName& a, const KeptName& b) { return a.path < b.path; });
  return kept;
}

bool Blobs::whole(const KeptName& name) {
  std::error_code problem;
  const auto bytes = fs::file_size(name.path, problem);
  return !problem && bytes == static_cast<std::uintmax_t>(name.bytes) && hash_of(name.path) == name.sha256;
}

}  // namespace penta::engine
