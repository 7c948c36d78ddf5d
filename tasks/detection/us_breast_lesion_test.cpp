#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/hash.h"
#include "core/test_data.h"
#include "nn/bundle.h"
#include "tasks/method.h"

namespace penta {

MethodPtr make_detection_us_breast_lesion(const nn::ModelStore& models);

namespace {

namespace fs = std::filesystem;

/// A bundle us.breast_lesion whose network is known in closed form: the logit of a pixel v in 0..1 is 10 v - 5.
class UsBreastLesion : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("penta_breast_test_" + std::to_string(::getpid()));
    std::ifstream in(repository_root() / "nn/testdata/bright_pixels.onnx",
                     std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    fs::create_directories(root_ / "us.breast_lesion");
    std::ofstream(root_ / "us.breast_lesion/model.onnx", std::ios::binary) << bytes;
    std::ofstream(root_ / "us.breast_lesion/card.json")
        << R"({"id": "us.breast_lesion", "task": "segmentation", "title": "t", "modalities": ["US"], "network": {"sha256": ")"
        << sha256_hex(std::as_bytes(std::span(bytes.data(), bytes.size())))
        << R"(", "input": {"dims": 2, "pad_multiple": 4, "normalise": {"kind": "unit", "scale": 255}},)"
        << R"( "output": {"classes": ["breast lesion"]}, "mirror": [], "threshold": 0.5}})";
  }
  void TearDown() override { fs::remove_all(root_); }

  Answer run(const Image& image, const std::map<std::string, std::string>& settings) const {
    const nn::ModelStore models({root_});
    const auto method = make_detection_us_breast_lesion(models);
    const Params params(method->card(), settings);
    Workspace workspace;
    Control control;
    const std::vector<Input> inputs{{"image", &image}};
    return method->run({inputs, {}, params, workspace, control});
  }

  fs::path root_;
};

/// Two frames of 60 x 40: in the first a block of 12 x 6 of grey 178.5 (v = 0.7) and one of 8 x 8 of 255, and a lone
/// bright pixel; in the second nothing.
Image blocks() {
  Frame2d frame;
  frame.width = 60;
  frame.height = 40;
  std::vector<float> pixels(60 * 40, 20.F);
  const auto fill = [&](std::size_t x0, std::size_t y0, std::size_t w, std::size_t h, float v) {
    for (std::size_t y = y0; y < y0 + h; ++y)
      for (std::size_t x = x0; x < x0 + w; ++x) pixels[y * 60 + x] = v;
  };
  Frame2d empty = frame;
  empty.pixels = pixels;
  fill(5, 20, 12, 6, 178.5F);
  fill(40, 10, 8, 8, 255.F);
  fill(55, 35, 1, 1, 255.F);
  frame.pixels = pixels;
  Image image;
  image.pixels = FrameSequence{std::move(frame), std::move(empty)};
  image.acquisition.modality = "US";
  return image;
}

TEST_F(UsBreastLesion, BoxesAndScoresOfTwoBlocksPhantom) {
  const Answer answer = run(blocks(), {{"share_min", "0.001"}});
  const auto& found = std::get<Findings>(answer.artifacts.at(0).value);
  ASSERT_EQ(found.size(), 2U);  // the lone pixel is less than 2.4 pixels
  EXPECT_NEAR(found[0].score, 1 / (1 + std::exp(-5.0)), 1e-5);
  EXPECT_NEAR(found[1].score, 1 / (1 + std::exp(-2.0)), 1e-5);
  EXPECT_DOUBLE_EQ(found[0].box[0], 39.5);
  EXPECT_DOUBLE_EQ(found[0].box[1], 9.5);
  EXPECT_DOUBLE_EQ(found[0].box[3], 47.5);
  EXPECT_DOUBLE_EQ(found[0].box[4], 17.5);
  EXPECT_DOUBLE_EQ(found[1].centre.x, 10.5);
  EXPECT_DOUBLE_EQ(found[1].centre.y, 22.5);
  EXPECT_DOUBLE_EQ(found[1].size, 12);
  EXPECT_TRUE(found[0].in_pixels);
  EXPECT_EQ(found[0].frame, 0);
  EXPECT_EQ(found[0].label, "breast lesion");
}

TEST_F(UsBreastLesion, ParametersLeaveOutAndAnEmptyFrameSaysSo) {
  EXPECT_EQ(std::get<Findings>(run(blocks(), {{"share_min", "0"}}).artifacts.at(0).value).size(), 3U);
  EXPECT_EQ(std::get<Findings>(run(blocks(), {{"score_min", "0.95"}}).artifacts.at(0).value).size(), 1U);
  EXPECT_EQ(std::get<Findings>(run(blocks(), {{"most", "1"}}).artifacts.at(0).value).size(), 1U);
  Image image = blocks();
  auto& frames = std::get<FrameSequence>(image.pixels);
  frames.erase(frames.begin());
  const Answer answer = run(image, {});
  EXPECT_TRUE(std::get<Findings>(answer.artifacts.at(0).value).empty());
  EXPECT_EQ(answer.remarks.at(0).code, "nothing_found");
}

}  // namespace
}  // namespace penta
