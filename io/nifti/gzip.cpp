#include "io/nifti/gzip.h"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "core/error.h"

namespace penta::io::nifti {

namespace {

constexpr int gzip_window_bits = 15 + 16;
// Deflate packs at most 258 bytes into 2 bits (RFC 1951 3.2.5), 1032 to 1.
constexpr std::uint64_t deflate_ratio_max = 1032;

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
  /// Reads on to the end of the member, whose CRC zlib checks; false when there is none or it differs.
  bool finish() {
    std::vector<std::byte> rest(1U << 16U);
    while (!at_end_)
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

/// True when whole members gave exactly the bytes wanted; false sends the caller to zlib, which can stop midway.
bool gunzip_whole(std::span<const std::byte> bytes, std::span<std::byte> out) {
  const std::unique_ptr<libdeflate_decompressor, DecompressorRelease> inflater(libdeflate_alloc_decompressor());
  if (!inflater) return false;
  while (!out.empty() && is_gzip(bytes)) {
    std::size_t taken = 0, given = 0;
    if (libdeflate_gzip_decompress_ex(inflater.get(), bytes.data(), bytes.size(), out.data(), out.size(), &taken,
                                      &given) != LIBDEFLATE_SUCCESS)
      return false;
    bytes = bytes.subspan(taken);
    out = out.subspan(given);
  }
  return out.empty();
}

void check_ratio(std::uint64_t count, std::span<const std::byte> bytes, const std::string& name) {
  if (count > deflate_ratio_max * bytes.size())
    throw Error(Code::bad_input, "reading '" + name + "': the header announces " + std::to_string(count) +
                                     " bytes, more than deflate can hold in " + std::to_string(bytes.size()));
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

std::vector<std::byte> gunzip(std::span<const std::byte> bytes, std::uint64_t count, const std::string& name) {
  check_ratio(count, bytes, name);
  std::vector<std::byte> out(count);
  if (gunzip_whole(bytes, out)) return out;
  Inflater inflater(bytes);
  const std::size_t got = inflater.fill(out);
  if (got < out.size() || !inflater.finish())
    throw Error(Code::bad_input, "reading '" + name + "': the gzip data is damaged or cut off after " +
                                     std::to_string(got) + " of " + std::to_string(count) + " bytes");
  return out;
}

std::vector<std::byte> gzip(std::span<const std::byte> bytes) {
  return packed(bytes, libdeflate_gzip_compress_bound, libdeflate_gzip_compress);
}

std::vector<std::byte> unzip_zlib(std::span<const std::byte> bytes, std::uint64_t count, const std::string& name) {
  check_ratio(count, bytes, name);
  std::vector<std::byte> out(count);
  const std::unique_ptr<libdeflate_decompressor, DecompressorRelease> inflater(libdeflate_alloc_decompressor());
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
