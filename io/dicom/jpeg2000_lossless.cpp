#include "io/dicom/jpeg2000_lossless.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "io/dicom/jpeg2000_blocks.h"
#include "io/dicom/jpeg2000_packets.h"
#include "io/dicom/jpeg2000_wavelet.h"

namespace penta::io::dicom {

namespace {

using j2k::Header;

constexpr std::size_t most_samples = std::size_t{1} << 26;       ///< larger pictures are left to OpenJPEG
constexpr std::size_t most_samples_kept = std::size_t{1} << 22;  ///< memory for more is given back after each

// Marker segments (T.800, Annex A).
class Markers {
 public:
  explicit Markers(std::span<const std::byte> stream)
      : bytes_(reinterpret_cast<const std::uint8_t*>(stream.data()), stream.size()) {}

  /// The header, and the packets of the one tile in `packets`.
  [[nodiscard]] std::optional<Header> read(std::span<const std::uint8_t>& packets) {
    if (bytes_.size() < 4 || word(0) != 0xFF4F || word(2) != 0xFF51) return std::nullopt;
    Header header;
    bool size = false, style = false, steps = false, tile = false;
    std::size_t end = 0;
    for (std::size_t at = 2; at + 4 <= bytes_.size();) {
      const std::uint32_t marker = word(at);
      if (marker == 0xFF93) {  // SOD
        if (!size || !style || !steps || !tile) return std::nullopt;
        if (end == 0) end = end_of_stream();
        if (end < at + 2 || end + 2 > bytes_.size() || word(end) != 0xFFD9) return std::nullopt;
        packets = bytes_.subspan(at + 2, end - at - 2);
        return header;
      }
      const std::size_t length = word(at + 2), next = at + 2 + length;
      if (length < 2 || next > bytes_.size()) return std::nullopt;
      if (marker == 0xFF51 && !size) size = read_size(at, length, header);
      else if (marker == 0xFF52 && size && !style && !tile) style = read_style(at, length, header);
      else if (marker == 0xFF5C && style && !steps && !tile) steps = read_steps(at, length, header);
      else if (marker == 0xFF90 && steps && !tile) tile = read_tile(at, length, end);
      else if (marker != 0xFF64 && marker != 0xFF55 && marker != 0xFF57 && marker != 0xFF58) return std::nullopt;
      // COM, TLM, PLM and PLT say nothing that is needed.
      if (!size || (marker == 0xFF52 && !style) || (marker == 0xFF5C && !steps) || (marker == 0xFF90 && !tile))
        return std::nullopt;
      at = next;
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::uint32_t byte(std::size_t i) const { return bytes_[i]; }
  [[nodiscard]] std::uint32_t word(std::size_t i) const { return byte(i) << 8 | byte(i + 1); }
  [[nodiscard]] std::uint32_t wide(std::size_t i) const { return word(i) << 16 | word(i + 2); }

  [[nodiscard]] bool read_size(std::size_t at, std::size_t length, Header& header) const {
    if (length != 41 || (word(at + 4) & 0xC000) != 0 || word(at + 38) != 1) return false;  // parts 2 and 15; channels
    header.columns = wide(at + 6), header.rows = wide(at + 10);
    const bool from_zero = wide(at + 14) == 0 && wide(at + 18) == 0 && wide(at + 30) == 0 && wide(at + 34) == 0;
    const bool one_tile = wide(at + 22) >= header.columns && wide(at + 26) >= header.rows;
    header.precision = static_cast<int>(byte(at + 40) & 0x7F) + 1, header.is_signed = byte(at + 40) >> 7 != 0;
    return from_zero && one_tile && header.precision <= 16 && byte(at + 41) == 1 && byte(at + 42) == 1 &&
           header.columns > 0 && header.rows > 0 && header.columns <= 32768 && header.rows <= 32768 &&
           header.columns * header.rows <= most_samples;
  }

  [[nodiscard]] bool read_style(std::size_t at, std::size_t length, Header& header) const {
    if (length != 12) return false;
    const std::uint32_t flags = byte(at + 4), order = byte(at + 5), across = byte(at + 10), down = byte(at + 11);
    header.start_markers = (flags & 2) != 0, header.end_markers = (flags & 4) != 0;
    header.resolution_first = order != 0;  // of one channel and one precinct a resolution, all others are the same
    header.layers = static_cast<int>(word(at + 6));
    header.levels = static_cast<int>(byte(at + 9));
    header.block_columns = std::size_t{4} << (across & 7), header.block_rows = std::size_t{4} << (down & 7);
    const bool blocks = across >= 2 && across <= 4 && down >= 2 && down <= 4;
    return (flags & ~6U) == 0 && order <= 4 && header.layers > 0 && byte(at + 8) == 0 && header.levels <= 15 &&
           blocks && byte(at + 12) == 0 && byte(at + 13) == 1;
  }

  [[nodiscard]] bool read_steps(std::size_t at, std::size_t length, Header& header) const {
    const auto bands = static_cast<std::size_t>(3 * header.levels + 1);
    if (length != bands + 3 || (byte(at + 4) & 31) != 0) return false;
    header.guard_bits = static_cast<int>(byte(at + 4) >> 5);
    for (std::size_t i = 0; i < bands; ++i) {
      header.exponents.push_back(static_cast<int>(byte(at + 5 + i) >> 3));
      if (header.guard_bits + header.exponents.back() - 1 > 30) return false;
    }
    return true;
  }

  [[nodiscard]] bool read_tile(std::size_t at, std::size_t length, std::size_t& end) const {
    if (length != 10 || word(at + 4) != 0 || byte(at + 10) != 0 || byte(at + 11) > 1) return false;
    const std::size_t size = wide(at + 6);
    end = size == 0 ? 0 : at + size;  // without a size it goes on to the end
    return size == 0 || size >= 14;
  }

  // The marker EOC; DICOM fills a fragment up to an even size.
  [[nodiscard]] std::size_t end_of_stream() const {
    const std::size_t size = bytes_.size();
    return word(size - 2) == 0xFFD9 ? size - 2 : size - 3;
  }

  std::span<const std::uint8_t> bytes_;
};

struct Room {
  j2k::BlockDecoder decoder;
  j2k::Plane plane;
  std::vector<std::uint8_t> joined;
};

void decode_blocks(const j2k::Resolutions& resolutions, Room& room) {
  for (const auto& bands : resolutions)
    for (const j2k::BandBlocks& band : bands)
      for (const j2k::Block& block : band.blocks) {
        std::int32_t* to = room.plane.samples.data() + (band.y + block.y) * room.plane.columns + band.x + block.x;
        if (!block.included) {
          for (std::size_t y = 0; y < block.rows; ++y) std::fill_n(to + y * room.plane.columns, block.columns, 0);
          continue;
        }
        std::span<const std::uint8_t> bytes;
        if (block.parts.size() == 1) bytes = block.parts.front();
        if (block.parts.size() > 1) {
          room.joined.clear();
          for (const auto& part : block.parts) room.joined.insert(room.joined.end(), part.begin(), part.end());
          bytes = room.joined;
        }
        room.decoder.decode(bytes, band.band, block.planes, block.columns, block.rows, to, room.plane.columns);
      }
}

// Undoes the level shift (T.800, G.1), holds to the range and gives the low bits the sign that was asked for.
std::vector<std::uint8_t> words_of(const Header& header, const std::vector<std::int32_t>& samples, bool is_signed) {
  const std::int32_t half = 1 << (header.precision - 1), shift = header.is_signed ? 0 : half;
  const std::int32_t least = -half, most = half - 1;
  const int spare = is_signed ? 32 - header.precision : 0;
  const std::size_t count = header.columns * header.rows;
  std::vector<std::uint8_t> out(count * 2);
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<std::uint32_t>(std::clamp(samples[i], least, most) + shift);
    const auto sample = static_cast<std::uint16_t>(static_cast<std::int32_t>(value << spare) >> spare);
    std::memcpy(out.data() + 2 * i, &sample, 2);
  }
  return out;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> decode_jpeg2000_lossless(std::span<const std::byte> stream,
                                                                  std::int64_t columns, std::int64_t rows,
                                                                  bool is_signed) {
  std::span<const std::uint8_t> packets;
  const auto header = Markers(stream).read(packets);
  if (!header || std::cmp_not_equal(header->columns, columns) || std::cmp_not_equal(header->rows, rows))
    return std::nullopt;
  j2k::Resolutions resolutions = j2k::resolutions_of(*header);
  if (!j2k::read_packets(*header, packets, resolutions)) return std::nullopt;
  thread_local Room room;  // of the last frame on this thread: fresh memory costs a page fault every 4 KiB
  room.plane.columns = header->columns, room.plane.rows = header->rows;
  const std::size_t count = header->columns * header->rows;
  room.plane.samples.resize(count);
  room.plane.other.resize(count);
  decode_blocks(resolutions, room);
  j2k::undo_wavelet(room.plane, header->levels);
  auto out = words_of(*header, room.plane.samples, is_signed);
  if (count > most_samples_kept) room.plane = {};
  return out;
}

}  // namespace penta::io::dicom
