#include "io/rawdata/zip.h"

#include <libdeflate.h>

#include <algorithm>
#include <memory>

#include "core/error.h"

namespace penta::io::rawdata {

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t bytes_max = 8ULL << 30U, free_bytes = 512ULL << 20U, ratio_max = 200;
constexpr std::uint32_t end_mark = 0x06054B50, entry_mark = 0x02014B50, local_mark = 0x04034B50;
constexpr std::size_t end_bytes = 22, entry_bytes = 46, local_bytes = 30, members_max = 4096;

[[noreturn]] void fail(const std::string& doing, const std::string& what) {
  throw Error(Code::bad_input, doing + what);
}

/// `count` bytes, least significant first; `offset` + `count` must lie inside.
std::uint64_t load(Bytes bytes, std::size_t offset, std::size_t count) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value |= std::to_integer<std::uint64_t>(bytes[offset + i]) << (8 * i);
  return value;
}

std::size_t find_end(Bytes file, const std::string& doing) {
  // A comment of up to 65535 bytes may follow the record.
  const std::size_t last = file.size() < end_bytes ? 0 : file.size() - end_bytes;
  for (std::size_t back = 0; file.size() >= end_bytes && back <= std::min<std::size_t>(last, 65535); ++back)
    if (load(file, last - back, 4) == end_mark) return last - back;
  fail(doing, "the end of the ZIP is missing: the file is cut off");
}

/// Sizes that stand as 0xFFFFFFFF are in the extra field 1 (APPNOTE.TXT 4.5.3), in this order.
void take_zip64(Bytes extra, ZipMember& member) {
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const std::uint64_t id = load(extra, at, 2), size = load(extra, at + 2, 2);
    at += 4;
    if (size > extra.size() - at) return;
    if (id == 1) {
      std::size_t inside = 0;
      for (std::uint64_t* field : {&member.bytes, &member.packed_bytes, &member.header_at}) {
        if (*field != 0xFFFFFFFF || inside + 8 > size) continue;
        *field = load(extra, at + inside, 8);
        inside += 8;
      }
      return;
    }
    at += size;
  }
}

struct Release {
  void operator()(libdeflate_decompressor* d) const noexcept { libdeflate_free_decompressor(d); }
};

}  // namespace

std::vector<ZipMember> zip_members(Bytes file, const std::string& doing) {
  const std::size_t end = find_end(file, doing);
  const std::uint64_t count = load(file, end + 10, 2);
  std::uint64_t at = load(file, end + 16, 4);
  if (count > members_max) fail(doing, "more than 4096 members in the ZIP");
  std::vector<ZipMember> members;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (at > file.size() || file.size() - at < entry_bytes || load(file, at, 4) != entry_mark)
      fail(doing, "the directory of the ZIP is damaged at member " + std::to_string(i + 1));
    const std::uint64_t name = load(file, at + 28, 2), extra = load(file, at + 30, 2), comment = load(file, at + 32, 2);
    if (file.size() - at - entry_bytes < name + extra + comment) fail(doing, "the directory of the ZIP is cut off");
    ZipMember member;
    if ((load(file, at + 8, 2) & 1U) != 0) fail(doing, "the ZIP is encrypted");
    member.method = static_cast<int>(load(file, at + 10, 2));
    member.crc32 = static_cast<std::uint32_t>(load(file, at + 16, 4));
    member.packed_bytes = load(file, at + 20, 4);
    member.bytes = load(file, at + 24, 4);
    member.header_at = load(file, at + 42, 4);
    member.name.assign(reinterpret_cast<const char*>(file.data()) + at + entry_bytes, name);
    take_zip64(file.subspan(at + entry_bytes + name, extra), member);
    members.push_back(std::move(member));
    at += entry_bytes + name + extra + comment;
  }
  return members;
}

std::vector<std::byte> unzip(Bytes file, const ZipMember& member, const std::string& doing) {
  const std::string which = "member '" + member.name.substr(0, 80) + "' ";
  if (member.header_at > file.size() || file.size() - member.header_at < local_bytes ||
      load(file, member.header_at, 4) != local_mark)
    fail(doing, which + "is not where the ZIP says");
  const std::uint64_t start =
      member.header_at + local_bytes + load(file, member.header_at + 26, 2) + load(file, member.header_at + 28, 2);
  if (start > file.size() || file.size() - start < member.packed_bytes) fail(doing, which + "is cut off");
  if (member.bytes > bytes_max) fail(doing, which + "has more than 8 GiB");
  if (member.bytes > free_bytes && member.bytes / ratio_max > member.packed_bytes)
    fail(doing, which + "unpacks to more than 200 times its size");
  const Bytes packed = file.subspan(start, member.packed_bytes);
  if (member.method == 0 ? member.bytes != member.packed_bytes : member.bytes / 1032 > member.packed_bytes)
    fail(doing, which + "is damaged: its sizes disagree");
  std::vector<std::byte> out(member.bytes);
  if (member.method == 0) {
    std::copy(packed.begin(), packed.end(), out.begin());
  } else if (member.method == 8) {
    const std::unique_ptr<libdeflate_decompressor, Release> inflater(libdeflate_alloc_decompressor());
    std::size_t given = 0;
    if (!inflater ||
        libdeflate_deflate_decompress(inflater.get(), packed.data(), packed.size(), out.data(), out.size(), &given) !=
            LIBDEFLATE_SUCCESS ||
        given != out.size())
      fail(doing, which + "is damaged");
  } else {
    fail(doing, which + "is packed by method " + std::to_string(member.method) + ", which is not read");
  }
  if (libdeflate_crc32(0, out.data(), out.size()) != member.crc32) fail(doing, which + "is damaged: its CRC differs");
  return out;
}

}  // namespace penta::io::rawdata
