#include <algorithm>
#include <cmath>
#include <cstring>

#include "io/dicom/internal.h"

namespace penta::io::dicom {

namespace {

std::uint8_t byte_of(double value) noexcept { return static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0)); }

// PS3.3 C.7.6.3.1.2, YBR_FULL (after ITU-R BT.601 at full range).
Rgb8 rgb_of_ybr(double y, double cb, double cr) noexcept {
  return {byte_of(y + 1.402 * (cr - 128)), byte_of(y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128)),
          byte_of(y + 1.772 * (cb - 128))};
}

// Two pixels share their chroma: Y1 Y2 Cb Cr.
std::vector<Rgb8> rgb_of_422(const RawFrame& raw, std::size_t pixels) {
  std::vector<Rgb8> out(pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::size_t at = i / 2 * 4;
    out[i] = rgb_of_ybr(raw.bytes[at + i % 2], raw.bytes[at + 2], raw.bytes[at + 3]);
  }
  return out;
}

/// One colour's entries, expanded where they are segmented (PS3.3 C.7.9.2).
class Segments {
 public:
  explicit Segments(const std::vector<std::uint16_t>& words) : words_(words) {}

  std::vector<std::uint16_t> expand(std::size_t count) {
    run(0, words_.size(), count, false);
    return out_;
  }

 private:
  // `again`: the segments are those that an indirect one names, which may not be indirect themselves.
  void run(std::size_t at, std::size_t segments, std::size_t count, bool again) {
    const std::size_t end = words_.size();
    for (std::size_t done = 0; done < segments && at + 2 <= end && out_.size() < count; ++done) {
      const unsigned code = words_[at], length = words_[at + 1];
      if (code == 0 && at + 2 + length <= end) {
        out_.insert(out_.end(), words_.begin() + static_cast<std::ptrdiff_t>(at + 2),
                    words_.begin() + static_cast<std::ptrdiff_t>(at + 2 + length));
        at += 2 + length;
      } else if (code == 1 && at + 3 <= end && !out_.empty()) {
        const double from = out_.back(), to = words_[at + 2];
        for (unsigned i = 1; i <= length; ++i)
          out_.push_back(static_cast<std::uint16_t>(std::lround(from + (to - from) * i / length)));
        at += 3;
      } else if (code == 2 && at + 4 <= end && !again) {
        run((words_[at + 2] | static_cast<std::size_t>(words_[at + 3]) << 16) / 2, length, count, true);
        at += 4;
      } else {
        return;
      }
    }
  }

  const std::vector<std::uint16_t>& words_;
  std::vector<std::uint16_t> out_;
};

std::vector<std::uint16_t> entries_of(DcmItem& data, int colour, std::size_t count, int bits, const std::string& name) {
  const auto element = static_cast<std::uint16_t>(colour);
  std::vector<std::uint16_t> plain = words16(data, Tag{0x0028, static_cast<std::uint16_t>(0x1201 + element)});
  if (plain.empty()) {
    const auto words = words16(data, Tag{0x0028, static_cast<std::uint16_t>(0x1221 + element)});
    plain = Segments(words).expand(count);
  } else if (bits == 8 && plain.size() < count && plain.size() * 2 >= count) {
    // Two 8-bit entries a word (PS3.3 C.7.6.3.1.6).
    std::vector<std::uint16_t> bytes;
    for (const std::uint16_t word : plain) {
      bytes.push_back(word & 0xFF);
      bytes.push_back(static_cast<std::uint16_t>(word >> 8));
    }
    plain = std::move(bytes);
  }
  if (plain.size() < count)
    throw Error(Code::bad_input, "reading the palette of " + name + ": fewer entries than its descriptor says");
  plain.resize(count);
  return plain;
}

}  // namespace

std::vector<Rgb8> to_rgb(const RawFrame& raw, const Layout& layout, const std::string& name) {
  const auto pixels = static_cast<std::size_t>(layout.pixels());
  const std::string& kind = raw.photometric;
  const bool ybr = kind == "YBR_FULL" || kind == "YBR_FULL_422";
  if (kind != "RGB" && !ybr)
    throw Error(Code::bad_input,
                "reading the pixels of " + name + ": photometric interpretation " + kind + " is not read");
  const std::size_t width = static_cast<std::size_t>(raw.bits) / 8;
  if (raw.bytes.size() < pixels * 3 * width) {
    if (kind == "YBR_FULL_422" && raw.bits == 8 && raw.bytes.size() >= (pixels + 1) / 2 * 4)
      return rgb_of_422(raw, pixels);
    throw Error(Code::bad_input, "reading the pixels of " + name + ": truncated frame");
  }
  const int shift = std::max(layout.bits_stored - 8, 0);
  const auto sample = [&](std::size_t pixel, std::size_t channel) -> unsigned {
    const std::size_t at = raw.planar ? channel * pixels + pixel : pixel * 3 + channel;
    if (width == 1) return raw.bytes[at];
    std::uint32_t value = 0;
    std::memcpy(&value, raw.bytes.data() + at * width, width);
    return (value >> shift) & 0xFF;
  };
  std::vector<Rgb8> out(pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    const unsigned a = sample(i, 0), b = sample(i, 1), c = sample(i, 2);
    out[i] = ybr ? rgb_of_ybr(a, b, c)
                 : Rgb8{static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), static_cast<std::uint8_t>(c)};
  }
  return out;
}

std::pair<int, std::vector<Rgb8>> palette_of(DcmItem& data, const std::string& name) {
  const auto descriptor = numbers(data, Tag{0x0028, 0x1101});
  if (descriptor.size() != 3)
    throw Error(Code::bad_input, "reading the palette of " + name + ": its descriptor (0028,1101) is missing");
  // A count of 0 stands for 65536 (PS3.3 C.7.6.3.1.5); the first value may have been read as signed.
  const auto given = static_cast<std::int32_t>(std::clamp(descriptor[0], -65535.0, 65535.0));
  const auto stored = static_cast<std::uint16_t>(given);
  const std::size_t count = stored == 0 ? 65536 : stored;
  const int bits = static_cast<int>(descriptor[2]);
  std::array<std::vector<std::uint16_t>, 3> channels;
  std::uint16_t largest = 0;
  for (int c = 0; c < 3; ++c) {
    channels[static_cast<std::size_t>(c)] = entries_of(data, c, count, bits, name);
    for (const std::uint16_t value : channels[static_cast<std::size_t>(c)]) largest = std::max(largest, value);
  }
  // Entries of 16 bits fill the whole range; some writers put 8-bit values into 16-bit entries.
  const int shift = bits == 16 && largest > 255 ? 8 : 0;
  std::vector<Rgb8> palette(count);
  for (std::size_t i = 0; i < count; ++i)
    palette[i] = {static_cast<std::uint8_t>(channels[0][i] >> shift),
                  static_cast<std::uint8_t>(channels[1][i] >> shift),
                  static_cast<std::uint8_t>(channels[2][i] >> shift)};
  return {static_cast<int>(descriptor[1]), std::move(palette)};
}

}  // namespace penta::io::dicom
