#include "nn/nnunet/zip.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "core/error.h"

namespace penta::nn::nnunet {

namespace {

static_assert(std::endian::native == std::endian::little);

// More entries than any network has tensors, and the most that deflate can unpack from a byte (RFC 1951: 258 bytes in
// 2 bits).
constexpr std::uint64_t entries_max = 1U << 17U, expansion_max = 1032;
constexpr std::uint64_t bytes_max = std::uint64_t{1} << 36U;

class Fields {
 public:
  Fields(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  [[nodiscard]] std::span<const std::byte> part(std::uint64_t at, std::uint64_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) refuse("is cut or points out of itself");
    return bytes_.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(size));
  }
  template <class T>
  [[nodiscard]] T number(std::uint64_t at) const {
    T value{};
    std::memcpy(&value, part(at, sizeof(T)).data(), sizeof(T));
    return value;
  }
  [[nodiscard]] std::string text(std::uint64_t at, std::uint64_t size) const {
    const auto found = part(at, size);
    return {reinterpret_cast<const char*>(found.data()), found.size()};
  }
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(Code::bad_input, "reading the zip '" + name_ + "': it " + why);
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& name_;
};

struct Directory {
  std::uint64_t first = 0, size = 0, count = 0;
};

/// The end record (4.3.16) lies in the last 65557 bytes; the zip64 one (4.3.14) is found through its locator.
Directory directory_of(const Fields& zip, std::uint64_t size) {
  constexpr std::uint64_t record = 22;
  if (size < record) zip.refuse("is too short for one");
  const std::uint64_t lowest = size > record + 0xFFFF ? size - record - 0xFFFF : 0;
  std::uint64_t at = size - record;
  while (zip.number<std::uint32_t>(at) != 0x06054B50U) {
    if (at == lowest) zip.refuse("has no end record (is it an old torch file, or no zip?)");
    --at;
  }
  Directory found{zip.number<std::uint32_t>(at + 16), zip.number<std::uint32_t>(at + 12), zip.number<std::uint16_t>(at + 10)};
  if (at >= 20 && zip.number<std::uint32_t>(at - 20) == 0x07064B50U) {
    const auto far = zip.number<std::uint64_t>(at - 12);
    if (zip.number<std::uint32_t>(far) != 0x06064B50U) zip.refuse("has a zip64 locator that points to no zip64 end record");
    found = {zip.number<std::uint64_t>(far + 48), zip.number<std::uint64_t>(far + 40), zip.number<std::uint64_t>(far + 32)};
  }
  if (found.count > entries_max) zip.refuse("has more than " + std::to_string(entries_max) + " entries");
  (void)zip.part(found.first, found.size);
  return found;
}

/// Sizes and offset that do not fit in 32 bits stand in the extra field 0x0001 (4.5.3).
void read_zip64(const Fields& zip, std::uint64_t at, std::uint64_t size, ZipEntry& entry) {
  for (std::uint64_t here = at; here + 4 <= at + size;) {
    const auto kind = zip.number<std::uint16_t>(here);
    const std::uint64_t length = zip.number<std::uint16_t>(here + 2), end = here + 4 + length;
    if (end > at + size) zip.refuse("has an extra field that is cut, of '" + entry.name + "'");
    std::uint64_t value = here + 4;
    const auto take = [&](std::uint64_t& field) {
      if (kind != 1 || field != 0xFFFFFFFFU || value + 8 > end) return;
      field = zip.number<std::uint64_t>(value);
      value += 8;
    };
    take(entry.size);
    take(entry.packed);
    take(entry.header);
    here = end;
  }
}

ZipEntry entry_at(const Fields& zip, std::uint64_t& at) {
  if (zip.number<std::uint32_t>(at) != 0x02014B50U) zip.refuse("has a directory that is cut or wrong");
  ZipEntry entry;
  const auto flags = zip.number<std::uint16_t>(at + 8), method = zip.number<std::uint16_t>(at + 10);
  entry.crc32 = zip.number<std::uint32_t>(at + 16);
  entry.packed = zip.number<std::uint32_t>(at + 20);
  entry.size = zip.number<std::uint32_t>(at + 24);
  entry.header = zip.number<std::uint32_t>(at + 42);
  const std::uint64_t name = zip.number<std::uint16_t>(at + 28), extra = zip.number<std::uint16_t>(at + 30);
  entry.name = zip.text(at + 46, name);
  read_zip64(zip, at + 46 + name, extra, entry);
  at += 46 + name + extra + zip.number<std::uint16_t>(at + 32);
  const std::string which = "'" + entry.name + "'";
  if ((flags & 1U) != 0) zip.refuse("has an encrypted entry, " + which);
  if (method != 0 && method != 8) zip.refuse("has an entry packed by method " + std::to_string(method) + ", " + which);
  entry.deflated = method == 8;
  if (!entry.deflated && entry.packed != entry.size)
    zip.refuse("has a stored entry of " + std::to_string(entry.packed) + " bytes that says " + std::to_string(entry.size) + ", " + which);
  if (entry.size > bytes_max || entry.size > expansion_max * entry.packed)
    zip.refuse("has an entry that says more bytes than it can hold, " + which);
  if (zip.number<std::uint32_t>(entry.header) != 0x04034B50U) zip.refuse("has no local header where it says, of " + which);
  entry.data = entry.header + 30 + zip.number<std::uint16_t>(entry.header + 26) + zip.number<std::uint16_t>(entry.header + 28);
  (void)zip.part(entry.data, entry.packed);
  return entry;
}

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {
  const Fields zip(bytes_, name_);
  const Directory directory = directory_of(zip, bytes.size());
  std::uint64_t at = directory.first;
  for (std::uint64_t i = 0; i < directory.count; ++i) entries_.push_back(entry_at(zip, at));
  std::vector<const ZipEntry*> order;
  for (const ZipEntry& entry : entries_) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const ZipEntry* a, const ZipEntry* b) { return a->header < b->header; });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (order[i - 1]->data + order[i - 1]->packed > order[i]->header)
      zip.refuse("has entries that overlap, '" + order[i - 1]->name + "' and '" + order[i]->name + "'");
  if (!order.empty() && order.back()->data + order.back()->packed > directory.first)
    zip.refuse("has an entry that reaches into its directory, '" + order.back()->name + "'");
}

const ZipEntry* ZipArchive::find(std::string_view name) const noexcept {
  const auto it = std::find_if(entries_.begin(), entries_.end(), [&](const ZipEntry& e) { return e.name == name; });
  return it == entries_.end() ? nullptr : &*it;
}

std::span<const std::byte> ZipArchive::unpack(const ZipEntry& entry, std::vector<std::byte>& room) const {
  const Fields zip(bytes_, name_);
  std::span<const std::byte> out = zip.part(entry.data, entry.packed);
  if (entry.deflated) {
    room.resize(static_cast<std::size_t>(entry.size));
    const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> unpacker(
        libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
    std::size_t made = 0;
    const libdeflate_result result =
        libdeflate_deflate_decompress(unpacker.get(), out.data(), out.size(), room.data(), room.size(), &made);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE || (result == LIBDEFLATE_SUCCESS && made != room.size()))
      zip.refuse("has an entry whose size is not the declared one, '" + entry.name + "'");
    if (result != LIBDEFLATE_SUCCESS) zip.refuse("has an entry that cannot be unpacked, '" + entry.name + "'");
    out = room;
  }
  if (libdeflate_crc32(0, out.data(), out.size()) != entry.crc32)
    zip.refuse("has an entry whose CRC-32 is not the declared one, '" + entry.name + "'");
  return out;
}

}  // namespace penta::nn::nnunet
