#include "io/dicom/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/error.h"

namespace penta::io::dicom {

namespace {

using Status = struct ::stat;

FileStamp stamp_in(const Status& status) noexcept {
  return {status.st_size, std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

}  // namespace

File::File(const std::filesystem::path& path, std::string name) : name_(std::move(name)) {
  // Without O_NONBLOCK opening a pipe waits for a writer.
  handle_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (handle_ < 0) {
    const bool folder = std::filesystem::is_directory(path);
    throw Error(Code::bad_input, "reading " + name_ + (folder ? ": not a regular file" : ": the file cannot be opened"));
  }
  Status status{};
  if (::fstat(handle_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(handle_);
    throw Error(Code::bad_input, "reading " + name_ + ": not a regular file");
  }
  stamp_ = stamp_in(status);
}

File::~File() { ::close(handle_); }

void File::read(std::int64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ::ssize_t got = ::pread(handle_, out.data(), std::min<std::size_t>(out.size(), 1U << 30), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw Error(Code::bad_input, "reading " + name_ + ": the file cannot be read");
    out = out.subspan(static_cast<std::size_t>(got));
    offset += got;
  }
}

std::optional<FileStamp> stamp_of(const std::filesystem::path& path) noexcept {
  Status status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return stamp_in(status);
}

}  // namespace penta::io::dicom
