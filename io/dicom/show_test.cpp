#include "io/dicom/show.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "io/dicom/made_test.h"

namespace penta::io::dicom {
namespace {

constexpr Tag centre{0x0028, 0x1050}, width{0x0028, 0x1051}, function{0x0028, 0x1056};

ShownFrame shown(const Made& made, std::int64_t frame = 1, const char* syntax = "1.2.840.10008.1.2.1") {
  const TestFolder folder;
  return ShownFile(folder.put("a.dcm", made.bytes(syntax))).frame(frame);
}

std::vector<float> values(const ShownFrame& frame) { return std::get<std::vector<float>>(frame.pixels); }

// Three frames whose values are their numbers, lying from the head to the feet: a volume has them the other way round.
Made downwards() {
  Made made(enhanced_ct_class, "CT", 2, 2);
  made.text(tag::number_of_frames, "3").pixels({1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3});
  DcmItem& shared = new_item(made.data(), tag::shared_groups);
  set_text(new_item(shared, {0x0020, 0x9116}), tag::image_orientation, "1\\0\\0\\0\\1\\0");
  for (int i = 0; i < 3; ++i) {
    DcmItem& own = new_item(made.data(), tag::per_frame_groups);
    set_text(new_item(own, {0x0020, 0x9113}), tag::image_position, "0\\0\\" + std::to_string(-5 * i));
    DcmItem& rescale = new_item(own, {0x0028, 0x9145});
    set_text(rescale, tag::rescale_slope, std::to_string(i + 1));
    set_text(rescale, tag::rescale_intercept, "-10");
    DcmItem& voi = new_item(own, {0x0028, 0x9132});
    set_text(voi, centre, std::to_string(100 + i));
    set_text(voi, width, "50");
  }
  return made;
}

// Phantom: frame N of the file is frame N, with its own rescale and window, wherever it lies.
TEST(ShownFile, FrameNIsFrameN) {
  const Made made = downwards();
  for (int n = 1; n <= 3; ++n) {
    const ShownFrame frame = shown(made, n);
    EXPECT_EQ(values(frame), std::vector<float>(4, static_cast<float>(n * n - 10)));
    EXPECT_EQ(frame.voi.centre, 99 + n);
    EXPECT_EQ(frame.voi.kind, Voi::Kind::linear);
  }
  for (const int n : {0, 4, -1}) EXPECT_THROW(static_cast<void>(shown(made, n)), Error);
}

// Phantom: signed values of 12 bits, a table of the modality's, MONOCHROME1, Synthetic Data.
TEST(ShownFile, ValuesAreThoseOfTheModality) {
  Made made(ct_class, "CT", 2, 1);
  made.word(tag::bits_stored, 12).word(tag::high_bit, 11).word(tag::pixel_representation, 1).pixels({0xFFF, 0x7FF});
  made.text(tag::rescale_slope, "2").text(tag::rescale_intercept, "-1024").text(tag::rescale_type, "HU");
  EXPECT_EQ(values(shown(made)), (std::vector<float>{-1026, 3070}));
  EXPECT_FALSE(shown(made).inverted);
  made.text(tag::photometric, "MONOCHROME1");
  made.data().putAndInsertString(DcmTag(0x0008, 0x001C, EVR_CS), "YES");
  EXPECT_TRUE(shown(made).inverted);
  EXPECT_TRUE(shown(made).synthetic);
  Made table(ct_class, "CT", 3, 1);
  table.pixels({4, 5, 9});
  DcmItem& item = new_item(table.data(), {0x0028, 0x3000});
  set_words(item, {0x0028, 0x3002}, {3, 4, 16});
  set_words(item, {0x0028, 0x3006}, {70, 80, 90});
  EXPECT_EQ(values(shown(table)), (std::vector<float>{70, 80, 90}));
}

// Published: PS3.3 C.11.2.1.2.1 (its own example: centre 2048, width 4096, and width 1), .3.1, .3.2.
TEST(Voi, FollowsItsFunction) {
  Voi voi{Voi::Kind::linear, 2048, 4096, 0, {}};
  EXPECT_EQ(voi.grey(0), 0);
  EXPECT_EQ(voi.grey(4095), 1);
  EXPECT_NEAR(voi.grey(2048) * 255, 127.53, 0.01);
  voi.centre = 0, voi.width = 1;
  EXPECT_EQ(voi.grey(-1), 0);
  EXPECT_EQ(voi.grey(0), 1);
  voi = {Voi::Kind::linear_exact, 10, 20, 0, {}};
  EXPECT_EQ(voi.grey(0), 0);
  EXPECT_EQ(voi.grey(5), 0.25);
  EXPECT_EQ(voi.grey(20), 1);
  voi.kind = Voi::Kind::sigmoid;
  EXPECT_EQ(voi.grey(10), 0.5);
  EXPECT_NEAR(voi.grey(15), 1 / (1 + std::exp(-1)), 1e-12);
  EXPECT_EQ(voi.grey(std::nan("")), 0);
}

TEST(Voi, ComesFromTheFile) {
  Made made(mr_class, "MR", 2, 1);
  made.pixels({5, 6});
  EXPECT_EQ(shown(made).voi.kind, Voi::Kind::none);
  DcmItem& item = new_item(made.data(), {0x0028, 0x3010});
  set_words(item, {0x0028, 0x3002}, {3, 5, 8});
  set_words(item, {0x0028, 0x3006}, {0, 51, 255});
  const Voi table = shown(made).voi;
  EXPECT_EQ(table.kind, Voi::Kind::table);
  EXPECT_EQ(table.grey(1), 0);
  EXPECT_FLOAT_EQ(static_cast<float>(table.grey(6)), 0.2F);
  EXPECT_EQ(table.grey(100), 1);
  made.text(centre, "300\\40").text(width, "600\\400").text(function, "SIGMOID");
  EXPECT_EQ(shown(made).voi.kind, Voi::Kind::sigmoid);
  EXPECT_EQ(shown(made).voi.centre, 300);
  made.text(width, "0");  // makes no sense: the table is left
  EXPECT_EQ(shown(made).voi.kind, Voi::Kind::table);
}

// Phantom: a palette, and frames of YBR_FULL by plane.
TEST(ShownFile, ColoursAreColours) {
  Made palette(us_class, "US", 2, 1, 8);
  palette.text(tag::photometric, "PALETTE COLOR").pixels8({0, 1});
  for (const std::uint16_t colour : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{3}}) {
    palette.words({0x0028, static_cast<std::uint16_t>(0x1100 + colour)}, {2, 0, 16});
    palette.words({0x0028, static_cast<std::uint16_t>(0x1200 + colour)}, {0, static_cast<std::uint16_t>(colour * 0x1000)});
  }
  EXPECT_EQ(std::get<std::vector<Rgb8>>(shown(palette).pixels), (std::vector<Rgb8>{{0, 0, 0}, {16, 32, 48}}));
  Made ybr(us_class, "US", 1, 1, 8);
  ybr.word(tag::samples_per_pixel, 3).word(tag::planar, 1).text(tag::photometric, "YBR_FULL").text(tag::number_of_frames, "2");
  ybr.pixels8({200, 128, 128, 50, 128, 128});
  EXPECT_EQ(std::get<std::vector<Rgb8>>(shown(ybr, 1).pixels), (std::vector<Rgb8>{{200, 200, 200}}));
  EXPECT_EQ(std::get<std::vector<Rgb8>>(shown(ybr, 2).pixels), (std::vector<Rgb8>{{50, 50, 50}}));
}

// Twin: a compressed frame shows what the same one shows uncompressed.
TEST(ShownFile, TransferSyntaxesShowTheSame) {
  Made made(ct_class, "CT", 8, 8);
  std::vector<std::uint16_t> pixels(64);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint16_t>(i * 977);
  made.pixels(pixels);
  const auto plain = values(shown(made));
  EXPECT_EQ(plain[3], 3 * 977);
  for (const char* syntax : {"1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70"})
    EXPECT_EQ(values(shown(made, 1, syntax)), plain) << syntax;
}

}  // namespace
}  // namespace penta::io::dicom
