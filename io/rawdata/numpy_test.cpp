#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/test_data.h"
#include "io/formats.h"
#include "io/rawdata/rawdata.h"

namespace penta::io::rawdata {
namespace {

using Bytes = std::vector<std::byte>;

const ReadBeside nothing_beside = [](const std::string& file) -> Bytes {
  throw Error(Code::bad_input, "no file '" + file + "'");
};

void add(Bytes& out, const void* data, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(data);
  out.insert(out.end(), first, first + size);
}

/// An .npy as numpy.lib.format says: magic, version, length, dictionary, elements.
template <class T>
Bytes npy(const std::string& descr, const std::string& shape, const std::vector<T>& values, bool fortran = false,
          int version = 1) {
  const std::string text =
      "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }\n";
  Bytes out;
  add(out, "\x93NUMPY", 6);
  const std::array<std::uint8_t, 2> two{static_cast<std::uint8_t>(version), 0};
  add(out, two.data(), 2);
  const auto length = static_cast<std::uint32_t>(text.size());
  add(out, &length, version == 1 ? 2 : 4);
  add(out, text.data(), text.size());
  add(out, values.data(), values.size() * sizeof(T));
  return out;
}

Image image(const Bytes& bytes) { return std::get<Image>(read_npy(bytes, "a.npy", nothing_beside)); }
const auto& pixels_u8(const Image& i, std::size_t f = 0) {
  return std::get<std::vector<std::uint8_t>>(i.frames().at(f).pixels);
}
const auto& pixels_f32(const Image& i, std::size_t f = 0) {
  return std::get<std::vector<float>>(i.frames().at(f).pixels);
}

std::string fault(const Bytes& bytes) {
  try {
    (void)read_npy(bytes, "a.npy", nothing_beside);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::bad_input);
    return error.what();
  }
  return "";
}

TEST(Npy, InverseOfHandMadeBytes) {
  const std::vector<std::uint8_t> values{0, 1, 2, 3, 4, 5};
  for (const int version : {1, 2, 3}) {
    const Image read = image(npy("|u1", "(2, 3)", values, false, version));
    EXPECT_EQ(read.frames().size(), 1U);
    EXPECT_EQ(read.frames()[0].width, 3);
    EXPECT_EQ(read.frames()[0].height, 2);
    EXPECT_FALSE(read.frames()[0].spacing_mm);
    EXPECT_EQ(pixels_u8(read), values);
    ASSERT_FALSE(read.remarks.empty());
    EXPECT_EQ(read.remarks[0].code, "orientation_unknown");
  }
}

TEST(Npy, InverseFortranOrderNamesTheSamePixels) {
  // [[0, 1, 2], [3, 4, 5]], first axis fastest.
  const Image read = image(npy<std::uint8_t>("|u1", "(2, 3)", {0, 3, 1, 4, 2, 5}, true));
  EXPECT_EQ(pixels_u8(read), (std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5}));
  const Image frames = image(npy<std::uint8_t>("|u1", "(2, 1, 2)", {0, 2, 1, 3}, true));
  EXPECT_EQ(frames.axis, SequenceAxis::frame);
  EXPECT_EQ(pixels_u8(frames, 0), (std::vector<std::uint8_t>{0, 1}));
  EXPECT_EQ(pixels_u8(frames, 1), (std::vector<std::uint8_t>{2, 3}));
}

TEST(Npy, InverseBothByteOrdersAndAllTypes) {
  EXPECT_EQ(pixels_f32(image(npy<std::uint8_t>(">i2", "(1, 2)", {0xFF, 0xFE, 1, 0}))), (std::vector<float>{-2, 256}));
  EXPECT_EQ(pixels_f32(image(npy<std::int8_t>("|i1", "(1, 2)", {-128, 127}))), (std::vector<float>{-128, 127}));
  EXPECT_EQ(pixels_f32(image(npy<double>("<f8", "(1, 2)", {0.5, -3}))), (std::vector<float>{0.5, -3}));
  EXPECT_EQ(pixels_f32(image(npy<std::uint64_t>("<u8", "(1, 1)", {70000}))), (std::vector<float>{70000}));
  EXPECT_EQ(pixels_u8(image(npy<std::uint8_t>("|b1", "(1, 2)", {0, 1}))), (std::vector<std::uint8_t>{0, 1}));
  // IEEE 754 binary16: 1, the smallest subnormal, -65504, infinity.
  const Image half = image(npy<std::uint16_t>("<f2", "(1, 4)", {0x3C00, 1, 0xFBFF, 0x7C00}));
  EXPECT_EQ(pixels_f32(half), (std::vector<float>{1, 0x1p-24F, -65504, INFINITY}));
  const Image colour = image(npy<std::uint8_t>("|u1", "(1, 2, 3)", {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(std::get<std::vector<Rgb8>>(colour.frames()[0].pixels)[1], (Rgb8{4, 5, 6}));
}

TEST(Npy, WhatFloat32CannotHoldIsSaid) {
  const Image read = image(npy<std::int32_t>("<i4", "(1, 2)", {16777217, 1}));
  EXPECT_EQ(read.remarks[0].code, "precision_lost");
  EXPECT_NE(read.remarks[0].text.find("1.0"), std::string::npos);
}

TEST(Npy, InverseComplexIsKSpace) {
  const std::vector<std::complex<double>> values{{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}, {11, 12}};
  const auto raw = std::get<RawData>(read_npy(npy("<c16", "(1, 2, 3)", values), "k.npy", nothing_beside));
  const auto& space = std::get<KSpace>(raw.value);
  EXPECT_EQ(space.shape, (std::vector<std::int64_t>{3, 2, 1, 1}));
  EXPECT_EQ(space.samples[4], (std::complex<float>{9, 10}));
}

TEST(Npy, BadInputNamesFileAndField) {
  const Bytes good = npy<std::uint8_t>("|u1", "(2, 3)", {0, 1, 2, 3, 4, 5});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(fault({good.begin(), good.begin() + static_cast<long>(size)}).empty());
  EXPECT_NE(fault(npy<std::uint8_t>("|O", "(1,)", {0})).find("'a.npy': descr '|O'"), std::string::npos);
  EXPECT_NE(fault(npy<std::uint8_t>("<f16", "(1, 1)", std::vector<std::uint8_t>(16))).find("descr '<f16'"),
            std::string::npos);
  EXPECT_NE(fault(npy<std::uint8_t>("<U4", "(1, 1)", std::vector<std::uint8_t>(16))).find("descr"), std::string::npos);
  EXPECT_NE(fault(npy<std::uint8_t>("|u1", "(4294967296, 4294967296)", {0})).find("8 GiB"), std::string::npos);
  EXPECT_NE(fault(npy<std::uint8_t>("|u1", "(3,)", {0, 1, 2})).find("shape (3)"), std::string::npos);
  EXPECT_NE(fault(npy<std::uint8_t>("|u1", "(1, 2)", {0, 1}, false, 4)).find("version 4.0"), std::string::npos);
}

std::optional<Content> read_there(const std::string& relative) {
  const auto path = test_data(relative);
  if (!path) return std::nullopt;
  const Bytes bytes = read_file(*path);
  return sniff_npz(bytes) ? read_npz(bytes, path->string(), nothing_beside)
                          : read_npy(bytes, path->string(), nothing_beside);
}

// Values by numpy 2.4: shape, sum, largest magnitude.
TEST(Npy, PublishedEightCoilKSpace) {
  const auto content = read_there("mr/sigpy-kspace/cartesian_ksp.npy");
  if (!content) GTEST_SKIP() << "data not here: mr/sigpy-kspace";
  const auto& space = std::get<KSpace>(std::get<RawData>(*content).value);
  EXPECT_EQ(space.shape, (std::vector<std::int64_t>{180, 230, 1, 8}));
  std::complex<double> sum;
  double largest = 0;
  std::size_t sampled = 0;
  for (const auto& s : space.samples) {
    sum += std::complex<double>(s);
    largest = std::max(largest, std::abs(std::complex<double>(s)));
    sampled += s != std::complex<float>{} ? 1U : 0U;
  }
  EXPECT_NEAR(sum.real(), -4.4213066, 1e-3);
  EXPECT_NEAR(sum.imag(), -119.56901, 1e-3);
  EXPECT_NEAR(largest, 15.848518, 1e-5);
  EXPECT_NEAR(static_cast<double>(sampled) / static_cast<double>(space.samples.size()), 0.124, 0.0005);  // SOURCE.md
}

TEST(Npz, PublishedMaskAndImage) {
  const auto mask = read_there("mr/pysap-data/example_mri_cartesian_mask_2d.npz");
  const auto reference = read_there("mr/pysap-data/example_mri_ref_image_2d_f32.npz");
  if (!mask || !reference) GTEST_SKIP() << "data not here: mr/pysap-data";
  EXPECT_EQ(std::get<Image>(*mask).shape_text(), "a picture of 512 x 512 pixels");
  const auto& grey = pixels_f32(std::get<Image>(*reference));
  double sum = 0;
  for (const float v : grey) sum += v;
  EXPECT_EQ(grey.size(), 512U * 512U);
  EXPECT_GT(sum, 0);
}

TEST(Npz, SeveralArraysAreRefusedByName) {
  const auto path = test_data("ct/adrenalmnist3d/adrenal_64.npz");
  if (!path) GTEST_SKIP() << "data not here: ct/adrenalmnist3d";
  const Bytes bytes = read_file(*path);
  EXPECT_TRUE(sniff_npz(bytes));
  try {
    (void)read_npz(bytes, "adrenal_64.npz", nothing_beside);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("train_images"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace penta::io::rawdata
