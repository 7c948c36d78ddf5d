#include "engine/jobs/render_frame.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "core/error.h"
#include "core/test_data.h"
#include "engine/store/store_test.h"
#include "io/dicom/dicom.h"
#include "io/dicom/write_image.h"
#include "io/png/png.h"
#include "render/window.h"

namespace penta::engine {
namespace {

constexpr std::int64_t side = 96;

// A CT of three slices: each a ramp from -200 HU on, one HU a pixel, and the slice's number times 1000 more.
Image ramps(bool synthetic) {
  Image image;
  Volume<std::int16_t> volume(Grid({side, side, 3}, {1, 1, 2}));
  for (std::size_t i = 0; i < volume.voxels().size(); ++i)
    volume.voxels()[i] = static_cast<std::int16_t>(static_cast<std::int64_t>(i) % (side * side) % 512 - 200 + static_cast<std::int64_t>(i) / (side * side) * 1000);
  VolumeSequence volumes;
  volumes.push_back(std::move(volume));
  image.pixels = std::move(volumes);
  image.acquisition.modality = "CT";
  image.acquisition.synthetic = synthetic;
  image.unit = "HU";
  return image;
}

class Rendering : public testing::Test {
 protected:
  std::filesystem::path put(const Image& image, io::dicom::ImageForm form) {
    const auto written = io::dicom::write_derived_image(image, {.form = form}, {"test.ramp", "1", "0", "seed", "20260102030405", false});
    const auto path = folder_.path() / "image.dcm";
    const auto& bytes = written.instances.front().bytes;
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  static std::vector<Rgb8> pixels(const RenderRequest& request, std::int64_t& width) {
    const Image image = io::png::read(rendered_picture(request), "picture");
    const Frame2d& frame = std::get<FrameSequence>(image.pixels).front();
    width = frame.width;
    if (const auto* colours = std::get_if<std::vector<Rgb8>>(&frame.pixels)) return *colours;
    std::vector<Rgb8> out;
    for (const float value : frame.grey()) out.push_back({static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value)});
    return out;
  }

  TestFolder folder_;
};

// Phantom and twin: grey of the window (PS3.3 C.11.2.1.2.1), frame by frame, beside render's own within one level.
TEST_F(Rendering, GreyIsThatOfTheWindow) {
  const Image image = ramps(false);
  RenderRequest request;
  request.path = put(image, io::dicom::ImageForm::enhanced);
  for (int frame = 1; frame <= 3; ++frame) {
    request.frame = frame;
    request.window_centre = (frame - 1) * 1000.0 + 28;
    request.window_width = 257;  // so that one HU is one level
    std::int64_t width = 0;
    const auto made = pixels(request, width);
    ASSERT_EQ(made.size(), static_cast<std::size_t>(side * side));
    const render::Window window{request.window_centre, request.window_width};
    for (std::size_t i = 0; i < made.size(); ++i) {
      const double value = static_cast<double>(i % 512) - 200 + (frame - 1) * 1000.0;
      const double grey = std::clamp((value - (request.window_centre - 0.5)) / 256 + 0.5, 0.0, 1.0) * 255;
      ASSERT_NEAR(made[i].red, grey, 0.51) << i;
      ASSERT_NEAR(made[i].red, window.level(static_cast<float>(value)), 1) << i;
      ASSERT_EQ(made[i].red, made[i].blue);
    }
  }
  request.frame = 4;
  EXPECT_THROW(static_cast<void>(rendered_picture(request)), Error);
}

// Phantom: without a window CT is seen in the soft tissue's; a smaller picture has the means.
TEST_F(Rendering, FitsInItsViewport) {
  RenderRequest request;
  request.path = put(ramps(false), io::dicom::ImageForm::enhanced);
  std::int64_t width = 0;
  const auto whole = pixels(request, width);
  request.width = side / 2;
  request.height = side * 9;
  const auto small = pixels(request, width);
  EXPECT_EQ(width, side / 2);
  ASSERT_EQ(small.size(), whole.size() / 4);
  const int sum = whole[0].red + whole[1].red + whole[side].red + whole[side + 1].red;
  EXPECT_NEAR(small[0].red, sum / 4.0, 0.51);
  request.width = side * 2;
  EXPECT_EQ(pixels(request, width).size(), whole.size() * 4);
  request.media_type = "image/jpeg";
  request.quality = 95;
  request.width = request.height = 0;
  const auto jpeg = pixels(request, width);
  double worst = 0, total = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(jpeg[i].red) - whole[i].red));
    total += std::abs(static_cast<double>(jpeg[i].red) - whole[i].red);
  }
  EXPECT_LT(total / static_cast<double>(whole.size()), 4) << worst;
  request.media_type = "image/gif";
  EXPECT_THROW(static_cast<void>(rendered_picture(request)), Error);
}

// What is synthetic says so in the picture, and nothing else changes.
TEST_F(Rendering, SyntheticIsStamped) {
  RenderRequest request;
  request.window_centre = 5000;  // all black
  request.window_width = 10;
  std::int64_t width = 0;
  request.path = put(ramps(true), io::dicom::ImageForm::single_frame);
  const auto stamped = pixels(request, width);
  const auto is_black = [](const Rgb8& pixel) { return pixel == Rgb8{}; };
  EXPECT_FALSE(std::all_of(stamped.begin(), stamped.begin() + side * 24, is_black));
  EXPECT_TRUE(std::all_of(stamped.begin() + side * 48, stamped.end(), is_black));
}

// Twin, on a real CT: the values that the reader makes a volume of, in the file's own window.
TEST_F(Rendering, ARealSliceLooksAsRenderSeesIt) {
  const auto path = test_data("dicom/pydicom/test_files/CT_small.dcm");
  if (!path) GTEST_SKIP() << "data not here";
  RenderRequest request;
  request.path = *path;
  request.window_centre = 40;
  request.window_width = 400;
  std::int64_t width = 0;
  const auto made = pixels(request, width);
  const std::array<std::filesystem::path, 1> files{*path};
  const io::dicom::Catalogue found = io::dicom::scan(files);
  const io::Content content = io::dicom::read(found.series.front());
  const auto& image = std::get<Image>(content);
  std::vector<float> values;
  if (const auto* volumes = std::get_if<VolumeSequence>(&image.pixels)) {
    const Volume<float> volume = to_float(volumes->front());
    values.assign(volume.voxels().begin(), volume.voxels().end());
  } else {
    values = std::get<SliceStack>(image.pixels).slices.front().pixels;
  }
  ASSERT_EQ(values.size(), made.size());
  const render::Window window{40, 400};
  for (std::size_t i = 0; i < made.size(); ++i) ASSERT_NEAR(made[i].red, window.level(values[i]), 1) << i;
}

}  // namespace
}  // namespace penta::engine
