#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penta::nn::nnunet {

/// One file of a zip. Sizes in bytes; `data` is where its packed bytes start.
struct ZipEntry {
  std::string name;
  bool deflated = false;
  std::uint32_t crc32 = 0;
  std::uint64_t packed = 0, size = 0, header = 0, data = 0;
};

/// A zip file (PKWARE APPNOTE 6.3.9, with zip64) as torch.save writes it, over bytes that the caller keeps.
class ZipArchive {
 public:
  /// Throws Error{bad_input} that names `name` and the entry: no zip, cut, encrypted, packed in a way other than stored
  /// or deflated, out of the file, or over another entry.
  ZipArchive(std::span<const std::byte> bytes, std::string name);

  [[nodiscard]] const std::vector<ZipEntry>& entries() const noexcept { return entries_; }
  [[nodiscard]] const ZipEntry* find(std::string_view name) const noexcept;
  /// The unpacked bytes: of a stored entry the archive's own, of a deflated one those that `room` then holds. Throws
  /// Error{bad_input} that names an entry whose size or CRC-32 is not the declared one.
  [[nodiscard]] std::span<const std::byte> unpack(const ZipEntry& entry, std::vector<std::byte>& room) const;

 private:
  std::span<const std::byte> bytes_;
  std::string name_;
  std::vector<ZipEntry> entries_;
};

}  // namespace penta::nn::nnunet
