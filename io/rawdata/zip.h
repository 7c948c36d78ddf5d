#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace penta::io::rawdata {

/// One member of a ZIP, by its central directory (APPNOTE.TXT 4.3.12).
struct ZipMember {
  std::string name;
  int method = 0;  ///< 0 stored, 8 deflate
  std::uint32_t crc32 = 0;
  std::uint64_t packed_bytes = 0, bytes = 0, header_at = 0;
};

/// All members; ZIP64 sizes are read. Throws Error{bad_input} that starts with `doing`.
[[nodiscard]] std::vector<ZipMember> zip_members(std::span<const std::byte> file, const std::string& doing);

/// The member's bytes, CRC checked. Throws Error{bad_input}: a method other than stored and deflate, encryption,
/// damage, more than 8 GiB, or more than 200 times what is packed where that is over 512 MiB.
[[nodiscard]] std::vector<std::byte> unzip(std::span<const std::byte> file, const ZipMember& member,
                                           const std::string& doing);

}  // namespace penta::io::rawdata
