#include "io/rawdata/write_npy.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "io/rawdata/rawdata.h"

namespace penta::io::rawdata {
namespace {

const ReadBeside nothing = [](const std::string&) -> std::vector<std::byte> { throw Error(Code::bad_input, "none"); };

// inverse: k-space comes back sample by sample, coils first.
TEST(WriteNpy, InverseOfReadingKSpace) {
  KSpace k;
  k.shape = {3, 2, 1, 4};
  for (int i = 0; i < 24; ++i) k.samples.emplace_back(static_cast<float>(i), -0.5F * static_cast<float>(i));
  RawData raw;
  raw.value = k;
  const Content back = read_npy(write_npy(raw), "k.npy", nothing);
  const auto& read = std::get<KSpace>(std::get<RawData>(back).value);
  EXPECT_EQ(read.shape, k.shape);
  EXPECT_EQ(read.samples, k.samples);
}

// inverse: a colour picture and a row of grey frames.
TEST(WriteNpy, InverseOfReadingFrames) {
  Image image;
  Frame2d frame;
  frame.width = 3;
  frame.height = 2;
  frame.pixels = std::vector<Rgb8>{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}, {13, 14, 15}, {16, 17, 18}};
  FrameSequence frames;
  frames.push_back(frame);
  image.pixels = std::move(frames);
  const Content back = read_npy(write_npy(image), "p.npy", nothing);
  EXPECT_EQ(std::get<Image>(back).frames().front().pixels, frame.pixels);
}

// published: numpy.lib.format 1.0 has the data on a multiple of 64 bytes, and the header ends with a line feed.
TEST(WriteNpy, PublishedLayout) {
  RawData raw;
  Sinogram sinogram;
  sinogram.bins = 2;
  sinogram.views = 1;
  sinogram.planes = 1;
  sinogram.values = {1.5F, 2.5F};
  raw.value = sinogram;
  const std::vector<std::byte> bytes = write_npy(raw);
  ASSERT_EQ(bytes.size() % 64, 8U);
  EXPECT_EQ(bytes[bytes.size() - 9], std::byte{'\n'});
}

TEST(WriteNpy, VolumesThatDifferAreRefused) {
  Image image;
  VolumeSequence volumes;
  volumes.emplace_back(Volume<float>(Grid({2, 2, 2}, {1, 1, 1})));
  volumes.emplace_back(Volume<float>(Grid({2, 2, 3}, {1, 1, 1})));
  image.pixels = std::move(volumes);
  EXPECT_THROW((void)write_npy(image), Error);
}

}  // namespace
}  // namespace penta::io::rawdata
