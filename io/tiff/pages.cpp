#include "io/tiff/pages.h"

#include <algorithm>
#include <cstring>

namespace penta::io::tiff {

namespace {

constexpr std::uint64_t block_bytes_max = 1ULL << 30U;

std::string photometric_name(std::uint16_t photometric) {
  switch (photometric) {
    case PHOTOMETRIC_SEPARATED:
      return "CMYK";
    case PHOTOMETRIC_YCBCR:
      return "YCbCr without JPEG";
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_ICCLAB:
    case PHOTOMETRIC_ITULAB:
      return "CIELAB";
    default:
      return "photometric interpretation " + std::to_string(photometric);
  }
}

void check(const PageHead& h, const Memory& file) {
  const bool grey = h.photometric == PHOTOMETRIC_MINISBLACK || h.photometric == PHOTOMETRIC_MINISWHITE;
  if (!grey && h.photometric != PHOTOMETRIC_RGB && h.photometric != PHOTOMETRIC_PALETTE)
    file.fail(photometric_name(h.photometric) + " is not read (grey, RGB and palette are)");
  const std::string bits = std::to_string(h.bits) + " bits a sample";
  if (h.bits != 1 && h.bits != 2 && h.bits != 4 && h.bits != 8 && h.bits != 16 && h.bits != 32 && h.bits != 64)
    file.fail(bits + " are not read");
  if (h.format != SAMPLEFORMAT_UINT && h.format != SAMPLEFORMAT_INT && h.format != SAMPLEFORMAT_IEEEFP &&
      h.format != SAMPLEFORMAT_VOID)
    file.fail("sample format " + std::to_string(h.format) + " (complex) is not read");
  if (h.format == SAMPLEFORMAT_IEEEFP && h.bits < 32) file.fail("floats of " + bits + " are not read");
  const int wanted = h.photometric == PHOTOMETRIC_RGB ? 3 : 1;
  if (h.samples != wanted && h.samples != wanted + 1)
    file.fail(std::to_string(h.samples) + " samples a pixel are not read (1 or 3, and alpha, are)");
  if (wanted == 3 && h.bits != 8 && h.bits != 16) file.fail("RGB of " + bits + " is not read");
  if (h.bits < 8 && h.samples != 1) file.fail("several samples of " + bits + " are not read");
  if (h.photometric == PHOTOMETRIC_PALETTE && (h.bits > 8 || h.format == SAMPLEFORMAT_IEEEFP))
    file.fail("palettes of " + bits + " are not read");
  if (TIFFIsCODECConfigured(h.compression) == 0)
    file.fail("compression " + std::to_string(h.compression) + " is not read by this libtiff");
}

/// Where a strip or tile goes.
struct Block {
  std::uint32_t x = 0, y = 0, width = 0, height = 0;  ///< the part that lies in the page
  std::size_t row_bytes = 0;                          ///< of the block as stored
  int first_sample = 0, samples = 1;                  ///< which samples it holds
};

class Page {
 public:
  Page(const PageHead& head, PagePixels& out) : head_(head), out_(out) {}

  void place(const Block& block, const std::vector<std::byte>& data) {
    const std::size_t pixel = static_cast<std::size_t>(out_.sample_bytes) * head_.samples;
    for (std::uint32_t y = 0; y < block.height; ++y) {
      const std::byte* from = data.data() + y * block.row_bytes;
      std::byte* to = out_.bytes.data() + (static_cast<std::size_t>(block.y + y) * head_.width + block.x) * pixel;
      if (head_.bits < 8)
        spread(from, to, block.width);
      else if (block.samples == head_.samples)
        std::memcpy(to, from, block.width * pixel);
      else
        interleave(from, to + static_cast<std::size_t>(block.first_sample * out_.sample_bytes), block.width, pixel);
    }
  }

 private:
  void spread(const std::byte* from, std::byte* to, std::uint32_t width) const {
    const unsigned bits = head_.bits, mask = (1U << bits) - 1;
    for (std::uint32_t x = 0; x < width; ++x) {
      const unsigned at = x * bits, byte = std::to_integer<unsigned>(from[at / 8]);
      to[x] = static_cast<std::byte>((byte >> (8 - bits - at % 8)) & mask);
    }
  }
  void interleave(const std::byte* from, std::byte* to, std::uint32_t width, std::size_t pixel) const {
    const auto one = static_cast<std::size_t>(out_.sample_bytes);
    for (std::uint32_t x = 0; x < width; ++x) std::memcpy(to + x * pixel, from + x * one, one);
  }

  const PageHead& head_;
  PagePixels& out_;
};

std::vector<std::byte> block_buffer(tmsize_t bytes, const Memory& file) {
  if (bytes <= 0 || static_cast<std::uint64_t>(bytes) > block_bytes_max)
    file.fail("a strip or tile has no fitting size");
  return std::vector<std::byte>(static_cast<std::size_t>(bytes));
}

void read_strips(const PageHead& head, const Memory& file, Page& page) {
  ::TIFF* tiff = file.handle();
  const bool apart = head.planar == PLANARCONFIG_SEPARATE && head.samples > 1;
  std::uint32_t rows = head.height;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows);
  rows = std::clamp<std::uint32_t>(rows, 1, head.height);
  const auto row_bytes = static_cast<std::size_t>(std::max<tmsize_t>(TIFFScanlineSize(tiff), 0));
  std::vector<std::byte> buffer = block_buffer(TIFFStripSize(tiff), file);
  for (int sample = 0; sample < (apart ? head.samples : 1); ++sample) {
    for (std::uint32_t y = 0; y < head.height; y += std::min(rows, head.height - y)) {
      const std::uint32_t height = std::min(rows, head.height - y);
      if (row_bytes * height > buffer.size()) file.fail("a strip is smaller than its rows");
      const std::uint32_t strip = TIFFComputeStrip(tiff, y, static_cast<std::uint16_t>(sample));
      const tmsize_t got = TIFFReadEncodedStrip(tiff, strip, buffer.data(), static_cast<tmsize_t>(row_bytes * height));
      if (got < static_cast<tmsize_t>(row_bytes * height))
        file.fail("the strip that starts at row " + std::to_string(y) + " is damaged or cut off");
      page.place({0, y, head.width, height, row_bytes, sample, apart ? 1 : head.samples}, buffer);
    }
  }
}

void read_tiles(const PageHead& head, const Memory& file, Page& page) {
  ::TIFF* tiff = file.handle();
  const bool apart = head.planar == PLANARCONFIG_SEPARATE && head.samples > 1;
  std::uint32_t width = 0, height = 0;
  TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &width);
  TIFFGetField(tiff, TIFFTAG_TILELENGTH, &height);
  if (width == 0 || height == 0) file.fail("tiles without a size");
  const auto row_bytes = static_cast<std::size_t>(std::max<tmsize_t>(TIFFTileRowSize(tiff), 0));
  std::vector<std::byte> buffer = block_buffer(TIFFTileSize(tiff), file);
  if (row_bytes * height > buffer.size()) file.fail("a tile is smaller than its rows");
  for (int sample = 0; sample < (apart ? head.samples : 1); ++sample)
    for (std::uint64_t y = 0; y < head.height; y += height)
      for (std::uint64_t x = 0; x < head.width; x += width) {
        const auto x0 = static_cast<std::uint32_t>(x), y0 = static_cast<std::uint32_t>(y);
        const std::uint32_t tile = TIFFComputeTile(tiff, x0, y0, 0, static_cast<std::uint16_t>(sample));
        if (TIFFReadEncodedTile(tiff, tile, buffer.data(), static_cast<tmsize_t>(buffer.size())) <
            static_cast<tmsize_t>(row_bytes * height))
          file.fail("the tile at " + std::to_string(x) + ", " + std::to_string(y) + " is damaged or cut off");
        page.place({x0, y0, std::min(width, head.width - x0), std::min(height, head.height - y0), row_bytes, sample,
                    apart ? 1 : head.samples},
                   buffer);
      }
}

std::vector<std::array<std::uint16_t, 3>> palette_of(const PageHead& head, const Memory& file) {
  std::uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
  if (TIFFGetField(file.handle(), TIFFTAG_COLORMAP, &red, &green, &blue) == 0)
    file.fail("a palette page without ColorMap");
  std::vector<std::array<std::uint16_t, 3>> palette;
  for (std::size_t i = 0; i < (std::size_t{1} << head.bits); ++i) palette.push_back({red[i], green[i], blue[i]});
  // Old writers gave 8-bit entries (libtiff's tools look for them so, too).
  const bool narrow = std::all_of(palette.begin(), palette.end(), [](const auto& c) {
    return std::all_of(c.begin(), c.end(), [](std::uint16_t v) { return v < 256; });
  });
  if (narrow)
    for (auto& colour : palette)
      for (std::uint16_t& v : colour) v = static_cast<std::uint16_t>(v * 257);
  return palette;
}

}  // namespace

PageHead head_of(const Memory& file) {
  ::TIFF* tiff = file.handle();
  PageHead h;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &h.width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &h.height);
  if (h.width == 0 || h.height == 0) file.fail("a page without width or height");
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &h.compression);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &h.samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &h.planar);
  if (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &h.photometric) == 0)
    h.photometric = h.samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
  if (h.compression == COMPRESSION_JPEG && h.photometric == PHOTOMETRIC_YCBCR && h.samples == 3 &&
      h.planar == PLANARCONFIG_CONTIG) {
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    h.photometric = PHOTOMETRIC_RGB;
  }
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &h.bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &h.format);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &h.orientation);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_RESOLUTIONUNIT, &h.resolution_unit);
  if (TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &h.resolution) == 0) h.resolution = 0;
  std::uint32_t kind = 0;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SUBFILETYPE, &kind);
  h.reduced = (kind & FILETYPE_REDUCEDIMAGE) != 0;
  h.tiled = TIFFIsTiled(tiff) != 0;
  char* text = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_IMAGEDESCRIPTION, &text) != 0 && text != nullptr) h.description = text;
  return h;
}

std::uint64_t unpacked_bytes(const PageHead& head, const Memory& file) {
  check(head, file);
  // 2^32 * 2^32 * 4 * 8 would not fit, but a page of 2^17 by 2^17 is refused before.
  if (static_cast<std::uint64_t>(head.width) * head.height > (1ULL << 34U))
    file.fail(std::to_string(head.width) + " x " + std::to_string(head.height) + " pixels are more than 8 GiB");
  return static_cast<std::uint64_t>(head.width) * head.height * head.samples * std::max(1, head.bits / 8);
}

PagePixels pixels_of(const PageHead& head, const Memory& file) {
  PagePixels out;
  out.sample_bytes = std::max(1, head.bits / 8);
  out.bytes.resize(unpacked_bytes(head, file));
  if (head.photometric == PHOTOMETRIC_PALETTE) out.palette = palette_of(head, file);
  Page page(head, out);
  if (head.tiled)
    read_tiles(head, file, page);
  else
    read_strips(head, file, page);
  return out;
}

}  // namespace penta::io::tiff
