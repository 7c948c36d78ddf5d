// Inverse: what a library encoded here comes back; and how fragments become frames.
#include <charls/charls.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>

#include "core/error.h"
#include "core/image.h"
#include "core/random.h"
#include "io/dicom/dicom.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {
namespace {

constexpr int columns = 33, rows = 21;
using Bytes = std::vector<std::byte>;

const std::string jpegls = "1.2.840.10008.1.2.4.80", jpegls_near = "1.2.840.10008.1.2.4.81",
                  deflated = "1.2.840.10008.1.2.8.1", rle = "1.2.840.10008.1.2.5";

std::vector<std::uint16_t> noise(int count, int bits, std::uint64_t seed = 5) {
  Random random(seed);
  std::vector<std::uint16_t> out;
  for (int i = 0; i < count; ++i)
    out.push_back(static_cast<std::uint16_t>((static_cast<std::uint32_t>(i) + random.bits() % 8) % (1U << bits)));
  return out;
}

template <class T>
Bytes encode_jpegls(const std::vector<std::uint16_t>& values, int bits, int components = 1,
                    charls::interleave_mode mode = charls::interleave_mode::none, int near_lossless = 0) {
  const std::vector<T> samples(values.begin(), values.end());
  charls::jpegls_encoder encoder;
  encoder.frame_info({columns, rows, bits, components}).interleave_mode(mode).near_lossless(near_lossless);
  Bytes out(encoder.estimated_destination_size() + 1024);
  encoder.destination(out.data(), out.size());
  out.resize(encoder.encode(samples.data(), samples.size() * sizeof(T)));
  return out;
}

Bytes deflate_frame(std::span<const std::byte> frame) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes out(deflateBound(&stream, frame.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(frame.data()));
  stream.avail_in = static_cast<uInt>(frame.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Made picture(int bits, int samples = 1) {
  Made made(us_class, "US", columns, rows, bits <= 8 ? 8 : 16);
  made.word(tag::bits_stored, static_cast<std::uint16_t>(bits)).word(tag::high_bit, static_cast<std::uint16_t>(bits - 1));
  if (samples == 3) made.word(tag::samples_per_pixel, 3).word(tag::planar, 0).text(tag::photometric, "RGB");
  return made;
}

Image read_made(const Bytes& bytes) { return std::get<Image>(read_bytes(bytes, "made")); }

std::vector<std::uint16_t> grey_of(const Image& image, std::size_t frame = 0) {
  std::vector<std::uint16_t> out;
  std::visit([&](const auto& pixels) {
    using T = typename std::decay_t<decltype(pixels)>::value_type;
    if constexpr (!std::is_same_v<T, Rgb8>)
      for (const T value : pixels) out.push_back(static_cast<std::uint16_t>(value));
  }, image.frames().at(frame).pixels);
  return out;
}

class JpegLsBits : public ::testing::TestWithParam<int> {};

TEST_P(JpegLsBits, InverseOfEveryDepth) {
  const int bits = GetParam();
  const auto values = noise(columns * rows, bits);
  const Bytes frame = bits <= 8 ? encode_jpegls<std::uint8_t>(values, bits) : encode_jpegls<std::uint16_t>(values, bits);
  EXPECT_EQ(grey_of(read_made(picture(bits).encapsulated(jpegls, {frame}))), values);
}

INSTANTIATE_TEST_SUITE_P(Depths, JpegLsBits, ::testing::Range(2, 17));

class JpegLsColour : public ::testing::TestWithParam<charls::interleave_mode> {};

TEST_P(JpegLsColour, InverseOfEachInterleaveMode) {
  const auto mode = GetParam();
  const auto values = noise(columns * rows * 3, 8);
  std::vector<std::uint16_t> ordered = values;
  if (mode == charls::interleave_mode::none)
    for (std::size_t i = 0; i < values.size(); ++i) ordered[i % 3 * columns * rows + i / 3] = values[i];
  const Image image = read_made(
      picture(8, 3).encapsulated(jpegls, {encode_jpegls<std::uint8_t>(ordered, 8, 3, mode)}));
  const auto& pixels = std::get<std::vector<Rgb8>>(image.frames().at(0).pixels);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    ASSERT_TRUE(pixels[i].red == values[3 * i] && pixels[i].green == values[3 * i + 1] &&
                pixels[i].blue == values[3 * i + 2]) << i;
}

INSTANTIATE_TEST_SUITE_P(Modes, JpegLsColour,
                         ::testing::Values(charls::interleave_mode::none, charls::interleave_mode::line,
                                           charls::interleave_mode::sample));

TEST(JpegLs, NearLosslessIsWithinItsBound) {
  const auto values = noise(columns * rows, 12);
  const auto frame = encode_jpegls<std::uint16_t>(values, 12, 1, charls::interleave_mode::none, 3);
  const auto out = grey_of(read_made(picture(12).encapsulated(jpegls_near, {frame})));
  for (std::size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], values[i], 3);
}

TEST(JpegLs, AnotherSizeThanTheHeaderSaysIsRefused) {
  const auto frame = encode_jpegls<std::uint8_t>(noise(columns * rows, 8), 8);
  Made made = picture(8);
  made.word(tag::rows, rows + 1);
  EXPECT_THROW(static_cast<void>(read_made(made.encapsulated(jpegls, {frame}))), Error);
  EXPECT_THROW(static_cast<void>(read_made(picture(8).encapsulated(jpegls, {Bytes(frame.begin(), frame.begin() + 40)}))),
               Error);
}

TEST(DeflatedImageFrame, InverseOfTwoFrames) {
  const auto first = noise(columns * rows, 12, 1), second = noise(columns * rows, 12, 2);
  Made made = picture(12);
  made.text(tag::number_of_frames, "2");
  const Image image = read_made(made.encapsulated(
      deflated, {deflate_frame(std::as_bytes(std::span(first))), deflate_frame(std::as_bytes(std::span(second)))}));
  EXPECT_EQ(grey_of(image, 0), first);
  EXPECT_EQ(grey_of(image, 1), second);
}

// PS3.5 8.2: compressed frames of single bits start at a byte of their own.
TEST(DeflatedImageFrame, InverseOfSingleBits) {
  Bytes packed((columns * rows + 7) / 8);
  for (std::size_t i = 0; i < packed.size(); ++i) packed[i] = static_cast<std::byte>(i * 37);
  Made made = picture(8);
  made.word(tag::bits_allocated, 1).word(tag::bits_stored, 1).word(tag::high_bit, 0).text(tag::number_of_frames, "2");
  const Bytes frame = deflate_frame(packed);
  const auto out = grey_of(read_made(made.encapsulated(deflated, {frame, frame})), 1);
  for (std::size_t i = 0; i < out.size(); ++i)
    ASSERT_EQ(out[i], std::to_integer<unsigned>(packed[i / 8]) >> (i % 8) & 1U) << i;
}

TEST(DeflatedImageFrame, AFrameThatGrowsPastItsSizeIsRefused) {
  const Bytes zeros(1 << 20);
  EXPECT_THROW(static_cast<void>(read_made(picture(12).encapsulated(deflated, {deflate_frame(zeros)}))), Error);
  const Bytes few(100);
  EXPECT_THROW(static_cast<void>(read_made(picture(12).encapsulated(deflated, {deflate_frame(few)}))), Error);
}

// A data set that inflates past 64 MiB and 200 times its packed size stops there.
TEST(Deflated, ADataSetThatGrowsWithoutEndIsRefused) {
  const Bytes bomb = deflate_frame(Bytes(std::size_t{65} << 20));
  Bytes file = picture(8).encapsulated("1.2.840.10008.1.2.1.99", {Bytes(2)});
  file.resize(132 + 8 + 22);  // up to the end of the meta header
  file.insert(file.end(), bomb.begin(), bomb.end());
  try {
    static_cast<void>(read_made(file));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("grows past the limit"), std::string::npos) << error.what();
  }
}

// Fragments: three frames, the second in two fragments.
struct Cine {
  std::vector<std::vector<std::uint16_t>> values;
  std::vector<Bytes> frames, fragments;
};

Cine cine_of_three() {
  Cine cine;
  for (std::uint64_t f = 0; f < 3; ++f) {
    cine.values.push_back(noise(columns * rows, 8, f + 1));
    Bytes frame = encode_jpegls<std::uint8_t>(cine.values.back(), 8);
    if (frame.size() % 2 != 0) frame.push_back(std::byte{0});
    cine.frames.push_back(frame);
  }
  const auto middle = cine.frames[1].begin() + 64;
  cine.fragments = {cine.frames[0], Bytes(cine.frames[1].begin(), middle), Bytes(middle, cine.frames[1].end()),
                    cine.frames[2]};
  return cine;
}

std::vector<std::uint32_t> offsets_of(const Cine& cine) {
  const std::size_t second = 8 + cine.frames[0].size(), third = second + 8 + 8 + cine.frames[1].size();
  return {0, static_cast<std::uint32_t>(second), static_cast<std::uint32_t>(third)};
}

void expect_cine(const Cine& cine, const Bytes& file) {
  const Image image = read_made(file);
  ASSERT_EQ(image.frames().size(), 3U);
  for (std::size_t f = 0; f < 3; ++f) EXPECT_EQ(grey_of(image, f), cine.values[f]) << f;
}

Made three_frames() {
  Made made = picture(8);
  made.text(tag::number_of_frames, "3");
  return made;
}

TEST(Fragments, WithoutATableFramesStartAtTheirMarkers) {
  const Cine cine = cine_of_three();
  expect_cine(cine, three_frames().encapsulated(jpegls, cine.fragments));
}

TEST(Fragments, WithABasicOffsetTable) {
  const Cine cine = cine_of_three();
  expect_cine(cine, three_frames().encapsulated(jpegls, cine.fragments, offsets_of(cine)));
}

TEST(Fragments, AWrongBasicOffsetTableIsNotFollowed) {
  const Cine cine = cine_of_three();
  expect_cine(cine, three_frames().encapsulated(jpegls, cine.fragments, {0, 3, 4}));
}

// RLE and deflated frames have no marker, so that only a table says where the frames start.
TEST(Fragments, WithAnExtendedOffsetTable) {
  Cine cine = cine_of_three();
  std::vector<Bytes> fragments;
  for (std::size_t f = 0; f < 3; ++f) {
    const std::vector<std::uint8_t> bytes(cine.values[f].begin(), cine.values[f].end());
    cine.frames[f] = deflate_frame(std::as_bytes(std::span(bytes)));
    if (cine.frames[f].size() % 2 != 0) cine.frames[f].push_back(std::byte{0});
  }
  const auto middle = cine.frames[1].begin() + 20;
  fragments = {cine.frames[0], Bytes(cine.frames[1].begin(), middle), Bytes(middle, cine.frames[1].end()), cine.frames[2]};
  Made made = three_frames();
  const auto offsets = offsets_of(cine);
  made.numbers64({0x7FE0, 0x0001}, {offsets[0], offsets[1], offsets[2]});
  expect_cine(cine, made.encapsulated(deflated, fragments));
  expect_cine(cine, three_frames().encapsulated(deflated, fragments, offsets));  // the basic one
  EXPECT_THROW(static_cast<void>(read_made(three_frames().encapsulated(deflated, fragments))), Error);
}

TEST(Fragments, OfOneFrameAreJoined) {
  const Cine cine = cine_of_three();
  Made made = picture(8);
  const Image image = read_made(made.encapsulated(jpegls, {cine.fragments[1], cine.fragments[2]}));
  EXPECT_EQ(grey_of(image), cine.values[1]);
}

// A sequence delimiter inside a fragment is data.
TEST(Fragments, ADelimiterInTheirBytesDoesNotEndThem) {
  std::vector<std::uint8_t> values(columns * rows + 1);
  const std::array<std::uint8_t, 8> delimiter{0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0};
  std::copy(delimiter.begin(), delimiter.end(), values.begin() + 40);
  const auto* raw = reinterpret_cast<const std::byte*>(values.data());
  // Stored, not squeezed, so that the bytes of the delimiter are there.
  Bytes frame{std::byte{1}};
  const auto length = static_cast<std::uint16_t>(columns * rows);
  const auto inverse = static_cast<std::uint16_t>(~length);
  for (const std::uint16_t word : {length, inverse}) {
    frame.push_back(static_cast<std::byte>(word & 0xFF));
    frame.push_back(static_cast<std::byte>(word >> 8));
  }
  frame.insert(frame.end(), raw, raw + length);
  const auto out = grey_of(read_made(picture(8).encapsulated(deflated, {frame})));
  EXPECT_TRUE(std::equal(out.begin(), out.end(), values.begin()));
}

TEST(TransferSyntax, VideoAndJpegXlAreRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> refused{{"1.2.840.10008.1.2.4.100", "MPEG2"},
                                                                 {"1.2.840.10008.1.2.4.102", "H.264"},
                                                                 {"1.2.840.10008.1.2.4.107", "HEVC"},
                                                                 {"1.2.840.10008.1.2.4.110", "JPEG XL"}};
  for (const auto& [uid, name] : refused) try {
      static_cast<void>(read_made(picture(8).encapsulated(uid, {Bytes(64)})));
      FAIL() << uid;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::bad_input);
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace penta::io::dicom
