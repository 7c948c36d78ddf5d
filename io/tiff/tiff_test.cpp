#include "io/tiff/tiff.h"

#include <gtest/gtest.h>

#include <complex>
#include <cstring>

#include "core/error.h"

namespace penta::io::tiff {
namespace {

using Bytes = std::vector<std::byte>;

/// One IFD entry of type SHORT (3) or LONG (4), all values inside the four bytes or at an offset.
struct Entry {
  int tag, type;
  std::vector<std::uint32_t> values;
};

/// TIFF 6.0 by hand: header, pixels at 8, arrays, directories; little or big endian.
class Maker {
 public:
  explicit Maker(bool big) : big_(big) {
    for (const int c : big ? std::array{0x4D, 0x4D, 0, 42} : std::array{0x49, 0x49, 42, 0})
      out_.push_back(static_cast<std::byte>(c));
    number(0, 4);
  }
  std::uint32_t data(const std::vector<std::uint8_t>& bytes) {
    const auto at = static_cast<std::uint32_t>(out_.size());
    for (const std::uint8_t b : bytes) out_.push_back(static_cast<std::byte>(b));
    return at;
  }
  void page(std::vector<Entry> entries) {
    std::vector<std::uint32_t> offsets(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::size_t one = entries[i].type == 3 ? 2 : 4;
      if (entries[i].values.size() * one <= 4) continue;
      offsets[i] = static_cast<std::uint32_t>(out_.size());
      for (const std::uint32_t v : entries[i].values) number(v, one);
    }
    patch(link_, static_cast<std::uint32_t>(out_.size()));
    number(static_cast<std::uint32_t>(entries.size()), 2);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::size_t one = entries[i].type == 3 ? 2 : 4;
      number(static_cast<std::uint32_t>(entries[i].tag), 2);
      number(static_cast<std::uint32_t>(entries[i].type), 2);
      number(static_cast<std::uint32_t>(entries[i].values.size()), 4);
      const std::size_t start = out_.size();
      if (offsets[i] != 0)
        number(offsets[i], 4);
      else
        for (const std::uint32_t v : entries[i].values) number(v, one);
      out_.resize(start + 4);
    }
    link_ = out_.size();
    number(0, 4);
  }
  [[nodiscard]] const Bytes& bytes() const { return out_; }

 private:
  void number(std::uint32_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      out_.push_back(static_cast<std::byte>(value >> (8 * (big_ ? size - 1 - i : i))));
  }
  void patch(std::size_t at, std::uint32_t value) {
    Bytes tail(out_.begin() + static_cast<long>(at) + 4, out_.end());
    out_.resize(at);
    number(value, 4);
    out_.insert(out_.end(), tail.begin(), tail.end());
  }
  bool big_;
  Bytes out_;
  std::size_t link_ = 4;
};

/// Tags in rising order, as TIFF wants them: width, height, bits, compression, photometric, strip, ...
std::vector<Entry> tags(std::uint32_t w, std::uint32_t h, std::uint32_t bits, std::uint32_t photometric,
                        std::uint32_t at, std::uint32_t bytes) {
  return {{256, 3, {w}},  {257, 3, {h}}, {258, 3, {bits}}, {259, 3, {1}},    {262, 3, {photometric}},
          {273, 4, {at}}, {277, 3, {1}}, {278, 3, {h}},    {279, 4, {bytes}}};
}

template <class T>
const std::vector<T>& pixels(const Image& image, std::size_t frame = 0) {
  return std::get<std::vector<T>>(image.frames().at(frame).pixels);
}
bool says(const Image& image, const std::string& code) {
  return std::any_of(image.remarks.begin(), image.remarks.end(), [&](const Remark& r) { return r.code == code; });
}

TEST(Tiff, InverseOfHandMadeBytesInBothByteOrders) {
  for (const bool big : {false, true}) {
    Maker maker(big);
    const std::uint32_t one = maker.data({0, 1, 2, 3, 4, 5});
    const std::uint32_t two =
        maker.data(big ? std::vector<std::uint8_t>{1, 0, 0, 7} : std::vector<std::uint8_t>{0, 1, 7, 0});
    maker.page(tags(3, 2, 8, 1, one, 6));
    const Image read8 = read(maker.bytes(), "a.tif");
    EXPECT_TRUE(sniff(maker.bytes()));
    EXPECT_EQ(pixels<std::uint8_t>(read8), (std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(read8.frames()[0].width, 3);
    EXPECT_FALSE(read8.frames()[0].spacing_mm);
    Maker wide(big);
    (void)wide.data({0, 0, 0, 0, 0, 0});
    EXPECT_EQ(wide.data(big ? std::vector<std::uint8_t>{1, 0, 0, 7} : std::vector<std::uint8_t>{0, 1, 7, 0}), two);
    wide.page(tags(2, 1, 16, 1, two, 4));
    EXPECT_EQ(pixels<std::uint16_t>(read(wide.bytes(), "a.tif")), (std::vector<std::uint16_t>{256, 7}));
  }
}

TEST(Tiff, WhiteIsZeroAndFewBits) {
  Maker white(false);
  white.page(tags(2, 1, 8, 0, white.data({0, 250}), 2));
  const Image inverted = read(white.bytes(), "a.tif");
  EXPECT_EQ(pixels<std::uint8_t>(inverted), (std::vector<std::uint8_t>{255, 5}));
  EXPECT_TRUE(says(inverted, "white_is_zero_inverted"));
  Maker bits(false);
  bits.page(tags(3, 2, 1, 1, bits.data({0b10100000, 0b01000000}), 2));
  EXPECT_EQ(pixels<std::uint8_t>(read(bits.bytes(), "a.tif")), (std::vector<std::uint8_t>{1, 0, 1, 0, 1, 0}));
}

TEST(Tiff, PaletteIsColourAndItsIndicesAreLabels) {
  Maker maker(false);
  std::vector<Entry> entries = tags(2, 1, 4, 3, maker.data({0x12}), 1);
  Entry map{320, 3, std::vector<std::uint32_t>(48, 0)};
  map.values[1] = 0xFFFF;       // index 1: red
  map.values[32 + 2] = 0x8000;  // index 2: half blue
  entries.push_back(map);
  maker.page(entries);
  EXPECT_EQ(pixels<Rgb8>(read(maker.bytes(), "a.tif")), (std::vector<Rgb8>{{255, 0, 0}, {0, 0, 128}}));
  const LabelMap labels = read_labels(maker.bytes(), "a.tif");
  EXPECT_TRUE(labels.planar);
  EXPECT_EQ(labels.layers[0].voxels()[0], 1);
  EXPECT_EQ(labels.layers[0].voxels()[1], 2);
}

TEST(Tiff, SamplesApartAndTilesAndAlpha) {
  Maker maker(false);
  const std::uint32_t red = maker.data({1, 2}), green = maker.data({3, 4}), blue = maker.data({5, 6});
  maker.page({{256, 3, {2}},
              {257, 3, {1}},
              {258, 3, {8, 8, 8}},
              {259, 3, {1}},
              {262, 3, {2}},
              {273, 4, {red, green, blue}},
              {277, 3, {3}},
              {278, 3, {1}},
              {279, 4, {2, 2, 2}},
              {284, 3, {2}}});
  EXPECT_EQ(pixels<Rgb8>(read(maker.bytes(), "a.tif")), (std::vector<Rgb8>{{1, 3, 5}, {2, 4, 6}}));
  Maker tiled(false);  // 17 x 1 pixels in two tiles of 16 x 16
  std::vector<std::uint8_t> first(256, 9), second(256, 9);
  for (std::uint8_t i = 0; i < 16; ++i) first[i] = i;
  second[0] = 16;
  const std::uint32_t a = tiled.data(first), b = tiled.data(second);
  tiled.page({{256, 3, {17}},
              {257, 3, {1}},
              {258, 3, {8}},
              {259, 3, {1}},
              {262, 3, {1}},
              {277, 3, {1}},
              {322, 3, {16}},
              {323, 3, {16}},
              {324, 4, {a, b}},
              {325, 4, {256, 256}}});
  const Image image = read(tiled.bytes(), "a.tif");
  for (std::uint8_t i = 0; i < 17; ++i) EXPECT_EQ(pixels<std::uint8_t>(image)[i], i);
  Maker alpha(false);
  const std::uint32_t grey = alpha.data({1, 255, 2, 0});
  alpha.page({{256, 3, {2}},
              {257, 3, {1}},
              {258, 3, {8, 8}},
              {259, 3, {1}},
              {262, 3, {1}},
              {273, 4, {grey}},
              {277, 3, {2}},
              {278, 3, {1}},
              {279, 4, {4}},
              {338, 3, {2}}});
  EXPECT_EQ(pixels<std::uint8_t>(read(alpha.bytes(), "a.tif")), (std::vector<std::uint8_t>{1, 2}));
}

TEST(Tiff, PagesAreFramesAndOtherSizesAreSaid) {
  Maker maker(false);
  const std::uint32_t one = maker.data({1, 2}), two = maker.data({3, 4});
  maker.page(tags(2, 1, 8, 1, one, 2));
  maker.page(tags(2, 1, 8, 1, two, 2));
  maker.page(tags(1, 1, 8, 1, two, 1));
  std::vector<Entry> small = tags(1, 1, 8, 1, two, 1);
  small.insert(small.begin(), {254, 4, {1}});
  maker.page(small);
  const Image image = read(maker.bytes(), "a.tif");
  ASSERT_EQ(image.frames().size(), 2U);
  EXPECT_EQ(image.axis, SequenceAxis::frame);
  EXPECT_EQ(pixels<std::uint8_t>(image, 1), (std::vector<std::uint8_t>{3, 4}));
  EXPECT_TRUE(says(image, "pages_of_other_size"));
  EXPECT_TRUE(says(image, "pages_left_out"));
}

TEST(Tiff, ResolutionIsSaidAndNotTaken) {
  Maker maker(false);
  const std::uint32_t at = maker.data({1, 2});
  const std::uint32_t ratio = maker.data({72, 0, 0, 0, 1, 0, 0, 0});
  std::vector<Entry> entries = tags(2, 1, 8, 1, at, 2);
  entries.push_back({282, 5, {ratio}});  // RATIONAL: the offset stands in the entry
  entries.push_back({283, 5, {ratio}});
  entries.push_back({296, 3, {2}});
  maker.page(entries);
  const Image image = read(maker.bytes(), "a.tif");
  EXPECT_FALSE(image.frames()[0].spacing_mm);
  ASSERT_TRUE(says(image, "resolution_not_taken"));
  EXPECT_NE(image.remarks[0].text.find("72 pixels per inch"), std::string::npos);
}

template <class T>
void round_trip(const std::vector<T>& values) {
  Image image;
  FrameSequence frames;
  for (int f = 0; f < 2; ++f) {
    Frame2d frame;
    frame.width = 3;
    frame.height = static_cast<std::int64_t>(values.size()) / 3;
    frame.pixels = values;
    frame.spacing_mm = {0.2, 0.2};
    frames.push_back(std::move(frame));
  }
  image.pixels = std::move(frames);
  const Bytes bytes = write(image);
  EXPECT_EQ(bytes, write(image));
  const Image again = read(bytes, "a.tif");
  ASSERT_EQ(again.frames().size(), 2U);
  EXPECT_EQ(pixels<T>(again, 1), values);
  EXPECT_TRUE(says(again, "resolution_not_taken"));
}

TEST(Tiff, InverseWrittenAndRead) {
  round_trip<std::uint8_t>({0, 1, 2, 253, 254, 255});
  round_trip<std::uint16_t>({0, 1, 2, 65533, 65534, 65535});
  round_trip<float>({0, -1.5F, 1e30F, 0x1p-149F, 3, 4});
  round_trip<Rgb8>({{1, 2, 3}, {4, 5, 6}, {255, 0, 128}});
}

TEST(Tiff, InverseVolumeAsPages) {
  Image image;
  VolumeSequence volumes;
  Volume<std::int16_t> volume(Grid({2, 2, 3}, {1, 2, 3}));
  for (std::size_t i = 0; i < 12; ++i)
    volume.voxels()[i] = static_cast<std::int16_t>(1000 * static_cast<int>(i) - 6000);
  volumes.emplace_back(std::move(volume));
  image.pixels = std::move(volumes);
  const Image again = read(write(image), "a.tif");
  ASSERT_EQ(again.frames().size(), 3U);
  EXPECT_EQ(pixels<float>(again, 2), (std::vector<float>{2000, 3000, 4000, 5000}));
  Image complex;
  VolumeSequence one;
  one.emplace_back(Volume<std::complex<float>>(Grid({1, 1, 1}, {1, 1, 1})));
  complex.pixels = std::move(one);
  EXPECT_THROW((void)write(complex), Error);
}

TEST(Tiff, InverseLabels) {
  LabelMap labels;
  labels.planar = true;
  labels.layers.emplace_back(Grid({2, 1, 2}, {1, 1, 1}));
  const std::array<std::uint16_t, 4> values{0, 3, 300, 65535};
  std::copy(values.begin(), values.end(), labels.layers[0].voxels().begin());
  const LabelMap again = read_labels(write(labels), "a.tif");
  EXPECT_TRUE(std::equal(values.begin(), values.end(), again.layers[0].voxels().begin()));
  EXPECT_EQ(again.segments.size(), 3U);
}

std::string fault(const Bytes& bytes) {
  try {
    (void)read(bytes, "a.tif");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::bad_input);
    return error.what();
  }
  return "";
}

TEST(Tiff, BadInputNamesFileAndReason) {
  Maker maker(false);
  const std::uint32_t at = maker.data({1, 2, 3, 4, 5, 6});
  maker.page(tags(3, 2, 8, 1, at, 6));
  const Bytes good = maker.bytes();
  EXPECT_EQ(fault(good), "");
  EXPECT_NE(fault({good.begin(), good.begin() + 40}).find("reading TIFF 'a.tif'"), std::string::npos);
  Maker cmyk(false);
  cmyk.page(tags(3, 2, 8, 5, cmyk.data({1, 2, 3, 4, 5, 6}), 6));
  EXPECT_NE(fault(cmyk.bytes()).find("CMYK"), std::string::npos);
  Maker bomb(false);  // 65535 x 65535 floats in six bytes
  bomb.page(tags(65535, 65535, 32, 1, bomb.data({1, 2, 3, 4, 5, 6}), 6));
  EXPECT_NE(fault(bomb.bytes()), "");
  Maker cut(false);
  cut.page(tags(300, 300, 8, 1, cut.data({1, 2, 3, 4, 5, 6}), 6));
  EXPECT_NE(fault(cut.bytes()).find("damaged or cut off"), std::string::npos);
}

TEST(Tiff, DicomWithATiffPreambleIsNoTiff) {
  Bytes bytes(140);
  std::memcpy(bytes.data(), "II*\0", 4);
  std::memcpy(bytes.data() + 128, "DICM", 4);
  EXPECT_FALSE(sniff(bytes));
}

}  // namespace
}  // namespace penta::io::tiff
