#include "io/raster.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "io/metaimage/metaimage.h"
#include "io/nrrd/nrrd.h"

namespace penta::io {
namespace {

using Bytes = std::vector<std::byte>;

/// The two formats with a text header, which must keep the same truths.
struct TextFormat {
  const char* name;
  bool complex;
  Image (*read)(std::span<const std::byte>, const std::string&);
  LabelMap (*read_labels)(std::span<const std::byte>, const std::string&);
  Bytes (*write)(const Image&);
  Bytes (*write_labels)(const LabelMap&, int);
};
constexpr std::array formats{
    TextFormat{"NRRD", true, nrrd::read, nrrd::read_labels, nrrd::write, nrrd::write},
    TextFormat{"MetaImage", false, metaimage::read, metaimage::read_labels, metaimage::write, metaimage::write},
};

/// All axis permutations with two kinds of flips (right- and left-handed), and one oblique: 13.
std::vector<Matrix3> orientations() {
  std::vector<Matrix3> all;
  constexpr std::array<std::array<std::size_t, 3>, 6> orders{
      {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  for (const auto& order : orders)
    for (const double sign : {1.0, -1.0}) {
      Matrix3 m{};
      for (std::size_t c = 0; c < 3; ++c) m[order[c]][c] = c == 1 ? sign : 1.0;
      all.push_back(m);
    }
  const double a = 0.4, b = 0.7;
  all.push_back({{{std::cos(a), -std::sin(a) * std::cos(b), std::sin(a) * std::sin(b)},
                  {std::sin(a), std::cos(a) * std::cos(b), -std::cos(a) * std::sin(b)},
                  {0, std::sin(b), std::cos(b)}}});
  return all;
}

template <Voxel T>
Image noise(const Matrix3& direction, int count) {
  Random random(7);
  VolumeSequence volumes;
  for (int t = 0; t < count; ++t) {
    Volume<T> volume(Grid({3, 4, 5}, {0.7, 1.3, 2.5}, {-31.5, 12.25, 100.125}, direction));
    for (std::byte& b : std::as_writable_bytes(volume.voxels())) b = static_cast<std::byte>(random.bits() & 0x3FU);
    volumes.emplace_back(std::move(volume));
  }
  Image image;
  image.pixels = std::move(volumes);
  return image;
}

template <Voxel T>
void expect_inverse(const TextFormat& format, const Matrix3& direction, int count) {
  const Image image = noise<T>(direction, count);
  const Image back = format.read(format.write(image), "x");
  const auto& first = std::get<VolumeSequence>(image.pixels);
  const auto& second = std::get<VolumeSequence>(back.pixels);
  ASSERT_EQ(second.size(), first.size());
  EXPECT_EQ(back.axis, count > 1 ? SequenceAxis::time : SequenceAxis::none);
  for (std::size_t t = 0; t < first.size(); ++t) {
    const auto a = std::as_bytes(std::get<Volume<T>>(first[t]).voxels());
    const auto b = std::as_bytes(std::get<Volume<T>>(second[t]).voxels());
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    EXPECT_TRUE(grid_of(first[t]).same_as(grid_of(second[t]), 1e-9));
  }
  EXPECT_TRUE(back.remarks.empty());
}

TEST(TextHeaderFormats, InverseOfWriteIsReadInEveryOrientationAndType) {
  for (const TextFormat& format : formats)
    for (const Matrix3& direction : orientations())
      for (const int count : {1, 2}) {
        SCOPED_TRACE(format.name);
        expect_inverse<std::uint8_t>(format, direction, count);
        expect_inverse<std::int16_t>(format, direction, count);
        expect_inverse<std::uint16_t>(format, direction, count);
        expect_inverse<std::int32_t>(format, direction, count);
        expect_inverse<float>(format, direction, count);
        expect_inverse<Rgb8>(format, direction, count);
        if (format.complex) expect_inverse<std::complex<float>>(format, direction, count);
      }
}

TEST(TextHeaderFormats, WrittenBytesAreTheSameEachTime) {
  for (const TextFormat& format : formats)
    EXPECT_EQ(format.write(noise<float>(orientations()[3], 1)), format.write(noise<float>(orientations()[3], 1)));
}

TEST(TextHeaderFormats, InverseOfLabels) {
  for (const TextFormat& format : formats)
    for (const bool planar : {false, true})
      for (const std::uint16_t high : {std::uint16_t{255}, std::uint16_t{40000}}) {
        LabelMap labels;
        labels.planar = planar;
        labels.layers.emplace_back(planar ? Grid({4, 3, 2}, {1, 1, 1}) : Grid({4, 3, 2}, {1, 2, 3}, {4, 5, 6}));
        labels.layers[0].at(1, 2, 1) = high;
        labels.layers[0].at(2, 0, 0) = 1;
        const LabelMap back = format.read_labels(format.write_labels(labels, 0), "x");
        EXPECT_EQ(back.planar, planar);
        EXPECT_TRUE(back.grid().same_as(labels.grid()));
        const auto a = std::as_const(labels).layers[0].voxels(), b = std::as_const(back).layers[0].voxels();
        EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
        EXPECT_EQ(back.segments.size(), 2U);
      }
}

TEST(TextHeaderFormats, FramesKeepTheirPixelsAndSize) {
  for (const TextFormat& format : formats) {
    Image image;
    FrameSequence frames(3);
    for (Frame2d& frame : frames) {
      frame.width = 4, frame.height = 2;
      frame.spacing_mm = {0.25, 0.5};
      frame.pixels = std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8};
    }
    image.pixels = std::move(frames);
    const Image back = format.read(format.write(image), "x");
    const auto& volumes = std::get<VolumeSequence>(back.pixels);
    ASSERT_EQ(volumes.size(), 3U);
    EXPECT_EQ(grid_of(volumes[2]).spacing_mm(), (Vector3{0.25, 0.5, 1}));
    EXPECT_EQ(std::get<Volume<std::uint8_t>>(volumes[2]).at(3, 1, 0), 8);
    ASSERT_EQ(back.remarks.empty(), false);  // frames have no place in a patient
  }
}

TEST(TextHeaderFormats, WhatTheyCannotHoldIsRefused) {
  Image slices;
  slices.pixels = SliceStack{};
  for (const TextFormat& format : formats) EXPECT_THROW((void)format.write(slices), Error);
}

// Every cut of a good file is refused, and by Error alone.
TEST(TextHeaderFormats, EveryTruncationIsRefused) {
  for (const TextFormat& format : formats) {
    const Bytes good = format.write(noise<std::int16_t>(orientations()[12], 2));
    for (std::size_t count = 0; count < good.size(); ++count)
      EXPECT_THROW((void)format.read(std::span(good).first(count), "x"), Error) << format.name << " " << count;
  }
}

}  // namespace
}  // namespace penta::io
