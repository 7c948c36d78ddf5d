#include "modality/us/screen.h"

#include <gtest/gtest.h>

#include <cmath>


namespace penta {
namespace {

/// Tissue-like noise in a sector, black beside it.
std::vector<Rgb8> tissue(std::int64_t width, std::int64_t height) {
  std::vector<Rgb8> pixels(static_cast<std::size_t>(width * height));
  std::uint32_t state = 1;
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      state = state * 1664525U + 1013904223U;
      if (std::abs(static_cast<double>(x) - 150) > 20 + 0.4 * static_cast<double>(y)) continue;
      const auto v = static_cast<std::uint8_t>(30 + (state >> 24) % 110);
      pixels[static_cast<std::size_t>(x + width * y)] = {v, v, v};
    }
  return pixels;
}

Frame2d frame_of(std::vector<Rgb8> pixels) {
  Frame2d frame;
  frame.width = 300;
  frame.height = 200;
  frame.pixels = std::move(pixels);
  return frame;
}

void dot(std::vector<Rgb8>& pixels, std::int64_t x, std::int64_t y, Rgb8 colour) { pixels[static_cast<std::size_t>(x + 300 * y)] = colour; }

TEST(UsScreen, PhantomTissueHasNothingDrawnOnIt) {
  const us::Screen screen = us::screen_of(frame_of(tissue(300, 200)));
  EXPECT_TRUE(screen.text_lines.empty());
  EXPECT_TRUE(screen.callipers.empty());
  EXPECT_FALSE(screen.colour_flow);
  EXPECT_FALSE(screen.tinted);
}

TEST(UsScreen, PhantomLettersAndCrossesAreFoundWhereTheyWereDrawn) {
  auto pixels = tissue(300, 200);
  const Rgb8 white{255, 255, 255};
  for (int letter = 0; letter < 6; ++letter)  // six letters H
    for (int k = 0; k < 9; ++k) {
      dot(pixels, 10 + 8 * letter, 10 + k, white);
      dot(pixels, 14 + 8 * letter, 10 + k, white);
      if (k < 5) dot(pixels, 10 + 8 * letter + k, 14, white);
    }
  for (int k = -6; k <= 6; ++k) {
    dot(pixels, 30 + k, 100, white);
    dot(pixels, 30, 100 + k, white);
    dot(pixels, 270 + k, 60 + k, white);
    dot(pixels, 270 + k, 60 - k, white);
  }
  const us::Screen screen = us::screen_of(frame_of(std::move(pixels)));
  ASSERT_EQ(screen.text_lines.size(), 1U);
  EXPECT_EQ(screen.text_lines[0].x0, 10);
  EXPECT_EQ(screen.text_lines[0].x1, 54);
  EXPECT_EQ(screen.text_lines[0].y1, 18);
  ASSERT_EQ(screen.callipers.size(), 2U);
  EXPECT_EQ(screen.callipers[1].y0, 94);
}

TEST(UsScreen, PhantomFlowIsManyTonesAndATintIsAllOver) {
  auto flow = tissue(300, 200);
  for (std::int64_t y = 80; y < 110; ++y)
    for (std::int64_t x = 130; x < 170; ++x)
      dot(flow, x, y, x < 150 ? Rgb8{static_cast<std::uint8_t>(100 + 5 * (x - 130)), static_cast<std::uint8_t>(4 * (y - 80)), 0}
                              : Rgb8{0, static_cast<std::uint8_t>(4 * (y - 80)), static_cast<std::uint8_t>(100 + 5 * (x - 150))});
  EXPECT_TRUE(us::screen_of(frame_of(flow)).colour_flow);
  auto tinted = tissue(300, 200);
  for (Rgb8& p : tinted) p.blue = static_cast<std::uint8_t>(p.blue / 3);
  const us::Screen screen = us::screen_of(frame_of(std::move(tinted)));
  EXPECT_TRUE(screen.tinted);
  EXPECT_FALSE(screen.colour_flow);
}

}  // namespace
}  // namespace penta
