#include "io/nrrd/bzip2.h"

#include <bzlib.h>

#include <algorithm>

#include "core/error.h"

namespace penta::io::nrrd {

namespace {

constexpr std::uint64_t free_bytes = 512ULL << 20U, ratio_max = 200, piece_bytes = 1ULL << 30U;

/// libbz2's stream, ended when it goes.
class Inflater {
 public:
  Inflater() { ready_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK; }
  ~Inflater() {
    if (ready_) BZ2_bzDecompressEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Fills `out` as far as there is data; returns how many bytes it wrote.
  std::uint64_t fill(std::span<const std::byte> in, std::span<std::byte> out) {
    std::uint64_t done = 0;
    int status = BZ_OK;
    while (ready_ && status == BZ_OK && done < out.size()) {
      if (stream_.avail_in == 0 && !in.empty()) {
        const std::size_t take = std::min<std::size_t>(in.size(), piece_bytes);
        // libbz2 never writes through next_in; its type lacks the const.
        stream_.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(in.data()));
        stream_.avail_in = static_cast<unsigned>(take);
        in = in.subspan(take);
      }
      const std::uint64_t room = std::min<std::uint64_t>(out.size() - done, piece_bytes);
      stream_.next_out = reinterpret_cast<char*>(out.data() + done);
      stream_.avail_out = static_cast<unsigned>(room);
      const unsigned before = stream_.avail_in;
      status = BZ2_bzDecompress(&stream_);
      const std::uint64_t got = room - stream_.avail_out;
      done += got;
      if (got == 0 && before == stream_.avail_in && in.empty()) break;
    }
    return done;
  }

 private:
  bz_stream stream_{};
  bool ready_ = false;
};

}  // namespace

std::vector<std::byte> bunzip2(std::span<const std::byte> bytes, std::uint64_t count, const std::string& doing) {
  if (count > free_bytes && count / ratio_max > bytes.size())
    throw Error(Code::bad_input, doing + "the voxels are more than 200 times the bzip2 data");
  std::vector<std::byte> out(count);
  const std::uint64_t got = Inflater().fill(bytes, out);
  if (got < count)
    throw Error(Code::bad_input, doing + "the bzip2 data is damaged or cut off after " + std::to_string(got) + " of " +
                                     std::to_string(count) + " bytes");
  return out;
}

}  // namespace penta::io::nrrd
