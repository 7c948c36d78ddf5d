#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "core/hash.h"
#include "core/test_data.h"
#include "nn/bundle.h"
#include "tasks/network_method.h"

namespace penta {
namespace {

namespace fs = std::filesystem;

/// Bundles whose networks are known in closed form: the logit of a pixel (or of the mean) v in 0..1 is 10 v - 5.
class NetworkMethods : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("penta_network_test_" + std::to_string(::getpid()));
    const std::string tail = R"(, "mirror": ["x"], "threshold": 0.5)";
    write("us.bright", "bright_pixels.onnx", "segmentation", R"("classes": ["bright"]})" + tail + R"(, "keep": "largest_component_filled")");
    write("us.view", "bright_picture.onnx", "recognition", R"("classes": ["bright"]})" + tail + R"(, "temperature": 2)");
    write("us.raw", "bright_picture.onnx", "classification", R"("classes": ["bright"]})" + tail);
    write("us.hidden", "bright_pixels.onnx", "segmentation", R"("classes": ["bright"]})" + tail + R"(, "used_by": ["segmentation/us.x"])");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& id, const std::string& network, const std::string& task, const std::string& output) const {
    const fs::path source = repository_root() / "nn/testdata" / network;
    std::ifstream in(source, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    fs::create_directories(root_ / id);
    std::ofstream(root_ / id / "model.onnx", std::ios::binary) << bytes;
    std::ofstream(root_ / id / "card.json")
        << R"({"id": ")" << id << R"(", "task": ")" << task << R"(", "title": "t", "modalities": ["US"], "network": {"sha256": ")"
        << sha256_hex(std::as_bytes(std::span(bytes.data(), bytes.size())))
        << R"(", "input": {"dims": 2, "pad_multiple": 4, "normalise": {"kind": "unit", "scale": 255}}, "output": {)" << output << "}}";
  }

  static Answer run(const Method& method, const Image& image) {
    const std::vector<Input> inputs{{"image", &image}};
    const Params params(method.card(), {});
    Workspace workspace;
    Control control;
    return method.run({inputs, {}, params, workspace, control});
  }

  static const Method& at(const std::vector<MethodPtr>& methods, const std::string& id) {
    for (const MethodPtr& method : methods)
      if (method->card().id == id) return *method;
    throw Error(Code::wrong_use, id);
  }

  fs::path root_;
};

Frame2d frame(std::vector<std::uint8_t> pixels, std::int64_t width) {
  Frame2d f;
  f.width = width;
  f.height = static_cast<std::int64_t>(pixels.size()) / width;
  f.pixels = std::move(pixels);
  return f;
}

TEST_F(NetworkMethods, PhantomBrightPixelsOfACineLargestFilled) {
  const nn::ModelStore store({root_});
  const auto methods = make_network_methods(store);
  EXPECT_EQ(methods.size(), 3U);
  Image cine;
  const std::uint8_t o = 10, x = 250;
  cine.pixels = FrameSequence{frame({x, o, o, o, o, o,  //
                                     o, o, x, x, x, o,  //
                                     o, o, x, o, x, o,  //
                                     o, o, x, x, x, o}, 6),
                              frame(std::vector<std::uint8_t>(24, o), 6)};
  const Answer answer = run(at(methods, "us.bright"), cine);
  const auto& map = std::get<LabelMap>(answer.artifacts.at(0).value);
  EXPECT_TRUE(map.planar);
  ASSERT_EQ(map.grid().size(), (Size3{6, 4, 2}));
  ASSERT_EQ(map.segments.size(), 1U);
  EXPECT_EQ(map.segments[0].name, "bright");
  std::vector<std::uint16_t> expected(48, 0);
  for (const std::size_t i : {8U, 9U, 10U, 14U, 15U, 16U, 20U, 21U, 22U}) expected[i] = 1;
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), map.layers[0].voxels().begin()));
}

TEST_F(NetworkMethods, PhantomScoresAreTheMeanOverFrames) {
  const nn::ModelStore store({root_});
  const auto methods = make_network_methods(store);
  Image cine;
  cine.pixels = FrameSequence{frame(std::vector<std::uint8_t>(16, 255), 4), frame(std::vector<std::uint8_t>(16, 0), 4),
                              frame(std::vector<std::uint8_t>(16, 255), 4)};
  const Answer answer = run(at(methods, "us.view"), cine);
  const auto& scores = std::get<Scores>(answer.artifacts.at(0).value);
  ASSERT_EQ(scores.size(), 2U);
  const double p = 1 / (1 + std::exp(-2.5));
  EXPECT_EQ(scores[0].label, "bright");
  EXPECT_NEAR(scores[0].probability.value(), (2 * p + (1 - p)) / 3, 1e-6);
  EXPECT_NEAR(scores[1].probability.value(), (p + 2 * (1 - p)) / 3, 1e-6);
  const Answer raw = run(at(methods, "us.raw"), cine);
  EXPECT_FALSE(std::get<Scores>(raw.artifacts.at(0).value)[0].probability.has_value());
}

TEST_F(NetworkMethods, RefusesAVolumeForPictures) {
  const nn::ModelStore store({root_});
  const auto methods = make_network_methods(store);
  Image image;
  VolumeSequence sequence;
  sequence.emplace_back(Volume<float>(Grid({4, 4, 4}, {1, 1, 1})));
  image.pixels = std::move(sequence);
  EXPECT_THROW((void)run(at(methods, "us.bright"), image), Error);
}

// Twin: pixels that are NaN or infinite are as those of the smallest value; a picture without any value is refused.
TEST_F(NetworkMethods, NonFinitePixelsAreReplacedAndSaidTwin) {
  const nn::ModelStore store({root_});
  const auto methods = make_network_methods(store);
  std::vector<float> values(24, 10.F);
  for (const std::size_t i : {8U, 9U, 14U}) values[i] = 250;
  Frame2d picture;
  picture.width = 6;
  picture.height = 4;
  picture.pixels = values;
  Image plain, holed, empty;
  plain.pixels = FrameSequence{picture};
  values[0] = std::numeric_limits<float>::quiet_NaN();
  values[23] = std::numeric_limits<float>::infinity();
  picture.pixels = values;
  holed.pixels = FrameSequence{picture};
  picture.pixels = std::vector<float>(24, values[0]);
  empty.pixels = FrameSequence{picture};
  const Answer a = run(at(methods, "us.bright"), plain), b = run(at(methods, "us.bright"), holed);
  const auto &in_a = std::get<LabelMap>(a.artifacts.at(0).value).layers[0], &in_b = std::get<LabelMap>(b.artifacts.at(0).value).layers[0];
  EXPECT_EQ(std::count(in_a.voxels().begin(), in_a.voxels().end(), 1), 3);
  EXPECT_TRUE(std::equal(in_a.voxels().begin(), in_a.voxels().end(), in_b.voxels().begin()));
  EXPECT_TRUE(a.remarks.empty());
  for (const auto* id : {"us.bright", "us.view"}) {
    const Answer answer = run(at(methods, id), holed);
    ASSERT_EQ(answer.remarks.size(), 1U) << id;
    EXPECT_EQ(answer.remarks[0].code, "non_finite_voxels");
    EXPECT_EQ(answer.remarks[0].text.substr(0, 8), "2 voxels");
    EXPECT_THROW((void)run(at(methods, id), empty), Error);
  }
}

// Whoever makes a form of the JSON sees what the method has, with the names that it takes.
TEST_F(NetworkMethods, TwinTheJsonOfACardIsTheWholeCard) {
  const nn::ModelStore store({root_});
  const auto methods = make_network_methods(store);
  for (const MethodPtr& method : methods) {
    const Card& card = method->card();
    const Card again = card_from_json(card.whole);
    ASSERT_EQ(again.inputs.size(), 1U) << card.id;
    EXPECT_EQ(again.inputs[0].role, card.inputs[0].role);
    EXPECT_EQ(again.inputs[0].text, card.inputs[0].text);
    ASSERT_EQ(again.outputs.size(), 1U) << card.id;
    EXPECT_EQ(again.outputs[0].kind, card.outputs[0].kind);
    ASSERT_EQ(again.parameters.size(), 1U) << card.id;
    EXPECT_EQ(again.parameters[0].name, card.parameters[0].name);
    EXPECT_EQ(again.parameters[0].choices, card.parameters[0].choices);
    EXPECT_EQ(again.parameters[0].default_value.dump(), card.parameters[0].default_value.dump());
  }
}

/// A bundle whose `network` says more than SetUp's: the whole member is given, but for its hash.
void write_card(const fs::path& folder, const std::string& network, const std::string& head, const std::string& rest) {
  const fs::path source = repository_root() / "nn/testdata" / network;
  std::ifstream in(source, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  fs::create_directories(folder);
  std::ofstream(folder / "model.onnx", std::ios::binary) << bytes;
  std::ofstream(folder / "card.json") << "{" << head << R"(, "title": "t", "network": {"sha256": ")"
                                      << sha256_hex(std::as_bytes(std::span(bytes.data(), bytes.size()))) << "\", " << rest << "}}";
}

// Worked by hand: nn/testdata/judge.onnx gives of a picture v (0..1) with mean m the logits 10 m - 5 and 5 - 10 m, ood 2 m
// and the maps v and 1 - v.
TEST_F(NetworkMethods, PhantomHeatMapAbstentionAndOcclusion) {
  write_card(root_ / "us.judge", "judge.onnx", R"("id": "us.judge", "task": "classification", "modalities": ["US"])",
             R"("input": {"dims": 2, "normalise": {"kind": "unit", "scale": 255}}, "output": {"classes": ["bright", "dark"],
                "names": {"logits": "logits", "ood": "ood", "cam": "cam"}}, "temperature": 1, "ood": {"threshold": 1.5}, "abstain_below": 0.6)");
  const nn::ModelStore store({root_});
  const auto methods = make_network_methods(store);
  const Method& method = at(methods, "us.judge");
  std::vector<std::uint8_t> pixels(64 * 64, 140);
  for (std::size_t y = 40; y < 56; ++y)
    for (std::size_t x = 8; x < 24; ++x) pixels[x + 64 * y] = 255;
  Image image;
  image.pixels = FrameSequence{frame(pixels, 64)};
  for (const char* how : {"auto", "occlusion"}) {
    const std::vector<Input> inputs{{"image", &image}};
    const Params params(method.card(), {{"heat_map", how}});
    Workspace workspace;
    Control control;
    const Answer answer = method.run({inputs, {}, params, workspace, control});
    ASSERT_EQ(answer.artifacts.size(), 3U) << how;
    EXPECT_EQ(answer.artifacts[1].role, "heat_map");
    const auto heat = std::get<Image>(answer.artifacts[1].value).frames().at(0).grey();
    EXPECT_EQ(heat[16 + 64 * 48], 255) << how;  // inside the bright square
    EXPECT_LT(heat[48 + 64 * 16], 160) << how;
    const auto& scores = std::get<Scores>(answer.artifacts[0].value);
    EXPECT_EQ(scores[0].label, "bright");
    EXPECT_TRUE(scores[0].probability.has_value());
    EXPECT_TRUE(answer.remarks.empty());
  }
  Image strange, unsure;
  strange.pixels = FrameSequence{frame(std::vector<std::uint8_t>(64, 250), 8)};
  unsure.pixels = FrameSequence{frame(std::vector<std::uint8_t>(64, 128), 8)};
  const Answer a = run(method, strange), b = run(method, unsure);
  ASSERT_EQ(a.remarks.size(), 1U);
  EXPECT_EQ(a.remarks[0].code, "out_of_distribution");
  EXPECT_FALSE(std::get<Scores>(a.artifacts[0].value)[0].probability.has_value());
  ASSERT_EQ(b.remarks.size(), 1U);
  EXPECT_EQ(b.remarks[0].code, "undecided");
}

Image volume_of(float value) {
  Volume<float> volume(Grid({6, 5, 4}, {1, 1, 1}));
  std::fill(volume.voxels().begin(), volume.voxels().end(), value);
  volume.at(2, 3, 1) = 4;
  Image image;
  VolumeSequence sequence;
  sequence.emplace_back(std::move(volume));
  image.pixels = std::move(sequence);
  return image;
}

// Worked by hand: nn/testdata/difference.onnx gives of channels a and b the logits 0 and 10 (a - b).
TEST_F(NetworkMethods, PhantomTwoChannelsByRoleAndAMissingOne) {
  write_card(root_ / "mr.pair", "difference.onnx", R"("id": "mr.pair", "task": "segmentation", "modalities": ["MR"])",
             R"("input": {"dims": 3, "channels": [{"role": "t1"}, {"role": "flair"}]}, "output": {"classes": ["background", "more"]})");
  const nn::ModelStore store({root_});
  const auto methods = make_network_methods(store);
  const Method& method = at(methods, "mr.pair");
  ASSERT_EQ(method.card().inputs.size(), 2U);
  EXPECT_EQ(method.card().inputs[1].role, "flair");
  const Image t1 = volume_of(1), flair = volume_of(2);
  const Params params(method.card(), {{"uncertainty", "true"}});
  Workspace workspace;
  Control control;
  const std::vector<Input> both{{"flair", &flair}, {"t1", &t1}}, swapped{{"flair", &t1}, {"t1", &flair}}, one{{"t1", &t1}};
  const auto ones = [](const Answer& answer) {
    const auto voxels = std::get<LabelMap>(answer.artifacts.at(0).value).layers.at(0).voxels();
    return std::count(voxels.begin(), voxels.end(), 1);
  };
  EXPECT_EQ(ones(method.run({both, {}, params, workspace, control})), 0);
  const Answer answer = method.run({swapped, {}, params, workspace, control});
  EXPECT_EQ(ones(answer), 6 * 5 * 4 - 1);
  const auto& doubt = std::get<Volume<float>>(std::get<Image>(answer.artifacts.at(1).value).volume());
  EXPECT_NEAR(doubt.at(0, 0, 0), 1 / (1 + std::exp(10.0)), 1e-6);
  EXPECT_NEAR(doubt.at(2, 3, 1), 0.5, 1e-6);
  try {
    (void)method.run({one, {}, params, workspace, control});
    FAIL();
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::bad_input);
    EXPECT_NE(std::string(fault.what()).find("'flair'"), std::string::npos);
  }
}

}  // namespace
}  // namespace penta
