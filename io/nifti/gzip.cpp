#include "io/nifti/gzip.h"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "core/error.h"
#include "core/parallel.h"

namespace penta::io::nifti {

namespace {

constexpr int gzip_window_bits = 15 + 16;
// Deflate packs at most 258 bytes into 2 bits (RFC 1951 3.2.5), 1032 to 1.
constexpr std::uint64_t deflate_ratio_max = 1032;
// An empty label map packs 1000 to 1, so the lower limit leaves one of 512 x 512 x 2000 voxels alone.
constexpr std::uint64_t ratio_max = 200, ratio_from_bytes = 512ULL << 20U;
constexpr std::uint64_t left_over_max = 256ULL << 20U;

struct DecompressorRelease {
  void operator()(libdeflate_decompressor* d) const noexcept { libdeflate_free_decompressor(d); }
};
struct CompressorRelease {
  void operator()(libdeflate_compressor* c) const noexcept { libdeflate_free_compressor(c); }
};

/// zlib's stream, ended when it goes.
class Inflater {
 public:
  explicit Inflater(std::span<const std::byte> input) : left_(input) {
    ready_ = inflateInit2(&stream_, gzip_window_bits) == Z_OK;
  }
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Fills `out` as far as there is data; returns how many bytes it wrote.
  std::size_t fill(std::span<std::byte> out) {
    std::size_t done = 0;
    while (ready_ && done < out.size()) {
      feed();
      const std::size_t room = std::min<std::size_t>(out.size() - done, std::numeric_limits<uInt>::max());
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + done);
      stream_.avail_out = static_cast<uInt>(room);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      done += room - stream_.avail_out;
      at_end_ = status == Z_STREAM_END;
      if (at_end_ ? !next_member() : status != Z_OK) break;
    }
    return done;
  }
  /// Reads on to the end of the member, whose CRC zlib checks; false when there is none or it differs, or where it goes
  /// on too long.
  bool finish() {
    std::vector<std::byte> rest(1U << 16U);
    for (std::uint64_t passed = 0; !at_end_ && passed < left_over_max; passed += rest.size())
      if (fill(rest) < rest.size()) break;
    return at_end_;
  }

 private:
  void feed() {
    if (stream_.avail_in > 0) return;
    const std::size_t count = std::min<std::size_t>(left_.size(), std::numeric_limits<uInt>::max());
    // zlib never writes through next_in; its type lacks the const.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(left_.data()));
    stream_.avail_in = static_cast<uInt>(count);
    left_ = left_.subspan(count);
  }
  bool next_member() {
    feed();
    return stream_.avail_in >= 2 && stream_.next_in[0] == 0x1F && stream_.next_in[1] == 0x8B &&
           inflateReset(&stream_) == Z_OK;
  }

  z_stream stream_{};
  std::span<const std::byte> left_;
  bool ready_ = false, at_end_ = false;
};

using Decompressor = std::unique_ptr<libdeflate_decompressor, DecompressorRelease>;

Behind behind(std::span<const std::byte> rest) noexcept {
  if (rest.empty()) return Behind::nothing;
  if (is_gzip(rest)) return Behind::more_data;
  const bool zeros = std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; });
  return zeros ? Behind::padding : Behind::other_bytes;
}

/// Filled when whole members gave exactly the bytes wanted; nothing sends the caller to zlib, which can stop midway.
std::optional<Behind> gunzip_whole(std::span<const std::byte> bytes, std::span<std::byte> out) {
  const Decompressor inflater(libdeflate_alloc_decompressor());
  if (!inflater) return std::nullopt;
  while (!out.empty() && is_gzip(bytes)) {
    std::size_t taken = 0, given = 0;
    if (libdeflate_gzip_decompress_ex(inflater.get(), bytes.data(), bytes.size(), out.data(), out.size(), &taken,
                                      &given) != LIBDEFLATE_SUCCESS)
      return std::nullopt;
    bytes = bytes.subspan(taken);
    out = out.subspan(given);
  }
  return out.empty() ? std::optional(behind(bytes)) : std::nullopt;
}

// A member of ours: the fixed header with FEXTRA, and the subfield "PS" with the member's packed size.
constexpr std::array<std::uint8_t, 16> member_head{0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 4, 255, 8, 0, 'P', 'S', 4, 0};
constexpr std::size_t member_head_bytes = 20, member_tail_bytes = 8;
constexpr std::size_t member_bytes = 2U << 20U;

std::uint32_t u32_at(const std::byte* at) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(at[i]) << 8 * i;
  return value;
}
void put_u32(std::byte* at, std::uint32_t value) noexcept {
  for (std::size_t i = 0; i < 4; ++i) at[i] = static_cast<std::byte>(value >> 8 * i);
}

struct Member {
  std::span<const std::byte> packed;
  std::span<std::byte> out;
};

/// The members where all are ours and give exactly `out`, else none.
std::vector<Member> members_of(std::span<const std::byte> bytes, std::span<std::byte> out) {
  std::vector<Member> members;
  while (!bytes.empty()) {
    if (bytes.size() < member_head_bytes + member_tail_bytes ||
        std::memcmp(bytes.data(), member_head.data(), member_head.size()) != 0)
      return {};
    const std::size_t packed = u32_at(bytes.data() + member_head.size());
    if (packed < member_head_bytes + member_tail_bytes || packed > bytes.size()) return {};
    const std::size_t given = u32_at(bytes.data() + packed - 4);
    if (given > out.size()) return {};
    members.push_back({bytes.first(packed), out.first(given)});
    bytes = bytes.subspan(packed);
    out = out.subspan(given);
  }
  return out.empty() ? members : std::vector<Member>{};
}

bool gunzip_members(std::span<const Member> members) {
  std::atomic<bool> good = true;
  parallel_for(static_cast<std::int64_t>(members.size()), 1, [&](std::int64_t first, std::int64_t last) {
    const Decompressor inflater(libdeflate_alloc_decompressor());
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last) && good; ++i) {
      const Member& m = members[i];
      if (!inflater || libdeflate_gzip_decompress(inflater.get(), m.packed.data(), m.packed.size(), m.out.data(),
                                                  m.out.size(), nullptr) != LIBDEFLATE_SUCCESS)
        good = false;
    }
  });
  return good;
}

std::size_t deflate_at(int level, std::span<const std::byte> bytes, std::span<std::byte> out) {
  const std::unique_ptr<libdeflate_compressor, CompressorRelease> deflater(libdeflate_alloc_compressor(level));
  if (!deflater) throw Error(Code::out_of_memory, "packing voxels: no memory for the compressor");
  return libdeflate_deflate_compress(deflater.get(), bytes.data(), bytes.size(), out.data(), out.size());
}

std::vector<std::byte> member_of(std::span<const std::byte> bytes) {
  const std::size_t room = libdeflate_deflate_compress_bound(nullptr, bytes.size());
  const auto scratch = std::make_unique_for_overwrite<std::byte[]>(room);
  const std::span<std::byte> body(scratch.get(), room);
  // Noise packs as well at level 1 as at 6, in a third of the time; long runs (labels, air) gain much from 6 and cost
  // little there.
  std::size_t packed = deflate_at(1, bytes, body);
  if (packed < bytes.size() / 24) packed = deflate_at(6, bytes, body);
  if (packed == 0) throw Error(Code::internal, "packing voxels failed");
  const std::size_t size = member_head_bytes + packed + member_tail_bytes;
  std::vector<std::byte> out(size);
  std::memcpy(out.data(), member_head.data(), member_head.size());
  put_u32(out.data() + member_head.size(), static_cast<std::uint32_t>(size));
  std::memcpy(out.data() + member_head_bytes, body.data(), packed);
  put_u32(out.data() + size - 8, libdeflate_crc32(0, bytes.data(), bytes.size()));
  put_u32(out.data() + size - 4, static_cast<std::uint32_t>(bytes.size()));
  return out;
}

/// `pack` is libdeflate's for one container, `bound` its bound.
template <class Bound, class Pack>
std::vector<std::byte> packed(std::span<const std::byte> bytes, Bound bound, Pack pack) {
  constexpr int level = 4;  // on noise-like images higher levels cost twice the time for 1 % of the size
  const std::unique_ptr<libdeflate_compressor, CompressorRelease> deflater(libdeflate_alloc_compressor(level));
  if (!deflater) throw Error(Code::out_of_memory, "packing voxels: no memory for the compressor");
  std::vector<std::byte> out(bound(deflater.get(), bytes.size()));
  out.resize(pack(deflater.get(), bytes.data(), bytes.size(), out.data(), out.size()));
  if (out.empty()) throw Error(Code::internal, "packing voxels failed");
  return out;
}

}  // namespace

bool is_gzip(std::span<const std::byte> bytes) noexcept {
  return bytes.size() >= 18 && bytes[0] == std::byte{0x1F} && bytes[1] == std::byte{0x8B} && bytes[2] == std::byte{8};
}

std::vector<std::byte> gunzip_head(std::span<const std::byte> bytes, std::size_t count) {
  std::vector<std::byte> head(count);
  head.resize(Inflater(bytes).fill(head));
  return head;
}

void check_expansion(std::uint64_t count, std::uint64_t packed, const std::string& name) {
  const bool impossible = count / deflate_ratio_max > packed;
  const bool bomb = count > ratio_from_bytes && count / ratio_max > packed;
  if (!impossible && !bomb) return;
  throw Error(Code::bad_input, "reading '" + name + "': the header announces " + std::to_string(count) + " bytes, " +
                                   (impossible ? "more than deflate can hold in "
                                               : "more than the limit of 200 times the packed size, ") +
                                   std::to_string(packed));
}

Behind gunzip_into(std::span<const std::byte> bytes, std::span<std::byte> out, const std::string& name) {
  check_expansion(out.size(), bytes.size(), name);
  if (const std::vector<Member> members = members_of(bytes, out); members.size() > 1)
    if (gunzip_members(members)) return Behind::nothing;
  if (const std::optional<Behind> found = gunzip_whole(bytes, out)) return *found;
  Inflater inflater(bytes);
  const std::size_t got = inflater.fill(out);
  if (got < out.size() || !inflater.finish())
    throw Error(Code::bad_input, "reading '" + name + "': the gzip data is damaged or cut off after " +
                                     std::to_string(got) + " of " + std::to_string(out.size()) + " bytes");
  return Behind::more_data;
}

std::vector<std::byte> gunzip(std::span<const std::byte> bytes, std::uint64_t count, const std::string& name) {
  check_expansion(count, bytes.size(), name);
  std::vector<std::byte> out(count);
  (void)gunzip_into(bytes, out, name);
  return out;
}

std::vector<std::byte> gzip(std::span<const std::byte> bytes) {
  return packed(bytes, libdeflate_gzip_compress_bound, libdeflate_gzip_compress);
}

std::vector<std::byte> gzip_members(std::span<const std::span<const std::byte>> pieces) {
  std::vector<std::span<const std::byte>> parts;
  for (std::span<const std::byte> rest : pieces)
    for (; !rest.empty(); rest = rest.subspan(parts.back().size()))
      parts.push_back(rest.first(std::min(rest.size(), member_bytes)));
  std::vector<std::vector<std::byte>> members(parts.size());
  parallel_for(static_cast<std::int64_t>(parts.size()), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
      members[i] = member_of(parts[i]);
  });
  std::size_t size = 0;
  for (const auto& member : members) size += member.size();
  std::vector<std::byte> out;
  out.reserve(size);
  for (const auto& member : members) out.insert(out.end(), member.begin(), member.end());
  return out;
}

std::vector<std::byte> unzip_zlib(std::span<const std::byte> bytes, std::uint64_t count, const std::string& name) {
  check_expansion(count, bytes.size(), name);
  std::vector<std::byte> out(count);
  const Decompressor inflater(libdeflate_alloc_decompressor());
  if (!inflater) throw Error(Code::out_of_memory, "reading '" + name + "': no memory for the decompressor");
  std::size_t taken = 0, given = 0;
  if (libdeflate_zlib_decompress_ex(inflater.get(), bytes.data(), bytes.size(), out.data(), out.size(), &taken,
                                    &given) != LIBDEFLATE_SUCCESS ||
      given != count)
    throw Error(Code::bad_input, "reading '" + name + "': the zlib data is damaged, cut off, or not of " +
                                     std::to_string(count) + " bytes");
  return out;
}

std::vector<std::byte> zip_zlib(std::span<const std::byte> bytes) {
  return packed(bytes, libdeflate_zlib_compress_bound, libdeflate_zlib_compress);
}

}  // namespace penta::io::nifti
