#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/test_data.h"
#include "nn/bundle.h"
#include "nn/engine.h"
#include "nn/logits.h"
#include "nn/preprocess.h"
#include "nn/sliding_window.h"

namespace penta::nn {
namespace {

namespace fs = std::filesystem;

std::string file_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Network tiny() {
  const std::string bytes = file_text(repository_root() / "nn/testdata/tiny.onnx");
  return Network::load(std::as_bytes(std::span(bytes.data(), bytes.size())), "tiny");
}

Tensor sine(std::vector<std::int64_t> shape) {
  std::int64_t count = 1;
  for (const std::int64_t n : shape) count *= n;
  Tensor x{std::move(shape), {}};
  for (std::int64_t i = 0; i < count; ++i) x.values.push_back(static_cast<float>(std::sin(0.37 * static_cast<double>(i))));
  return x;
}

// Peer: onnxruntime 1.x, float32, on the same file and input (tools of the recipe in train/).
TEST(Engine, PublishedValuesOfOnnxruntime) {
  const Tensor y = tiny().run(sine({1, 1, 6, 7, 8}));
  ASSERT_EQ(y.shape, (std::vector<std::int64_t>{1, 3, 6, 7, 8}));
  const std::vector<std::pair<std::size_t, float>> expected{{0, 0.0009262728F},  {143, -0.120974F}, {287, -0.09727387F},
                                                            {431, 0.3070282F},   {575, -0.6949733F}, {719, 0.3989724F},
                                                            {863, 0.164905F},    {1007, 0.2379096F}};
  for (const auto& [at, value] : expected) EXPECT_NEAR(y.values[at], value, 1e-5) << at;
}

TEST(Engine, TwinOneThreadAndAll) {
  const Network net = tiny();
  const Tensor x = sine({1, 1, 24, 40, 32});
  const Tensor all = net.run(x);
  const ThreadLimit limit(1);
  EXPECT_EQ(net.run(x).values, all.values);
  EXPECT_EQ(tiny().run(x).values, all.values);
}

TEST(Engine, RefusesCorruptBytesAndWrongShapes) {
  const std::string bytes = "this is no network";
  try {
    (void)Network::load(std::as_bytes(std::span(bytes.data(), bytes.size())), "broken");
    FAIL();
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::model_missing);
    EXPECT_NE(std::string(fault.what()).find("broken"), std::string::npos);
    EXPECT_EQ(std::string(fault.what()).find('\n'), std::string::npos);
  }
  EXPECT_THROW((void)tiny().run(sine({1, 2, 6, 7, 8})), Error);
  EXPECT_THROW((void)tiny().run({{1, 1, 2, 2, 2}, {0.F}}), Error);
}

// Published: numpy 1.26, np.percentile([3, 1, 4, 1, 5, 9, 2, 6], q).
TEST(Preprocess, PublishedPercentiles) {
  const std::vector<float> v{3, 1, 4, 1, 5, 9, 2, 6};
  EXPECT_NEAR(percentile(v, 0), 1, 1e-12);
  EXPECT_NEAR(percentile(v, 0.5), 1, 1e-12);
  EXPECT_NEAR(percentile(v, 50), 3.5, 1e-12);
  EXPECT_NEAR(percentile(v, 99.5), 8.895, 1e-12);
  EXPECT_NEAR(percentile(v, 100), 9, 1e-12);
}

// Published: numpy, ((np.clip(v, *np.percentile(v, [10, 90])) - mean) / std) and the like.
TEST(Preprocess, PublishedNormalisations) {
  using Kind = Normalise::Kind;
  const std::vector<float> v{3, 1, 4, 1, 5, 9, 2, 6};
  const auto after = [&](const Normalise& how) {
    std::vector<float> out = v;
    normalise(out, how);
    return out;
  };
  const std::vector<float> z = after({Kind::zscore, 0, 100, 1});
  EXPECT_NEAR(z[0], -0.34035165, 1e-6);
  EXPECT_NEAR(z[5], 1.99348822, 1e-6);
  const std::vector<float> p = after({Kind::percentile_zscore, 10, 90, 1});
  EXPECT_NEAR(p[0], -0.29196163, 1e-6);
  EXPECT_NEAR(p[5], 1.56705937, 1e-6);
  EXPECT_NEAR(after({Kind::minmax, 0, 100, 1})[0], 0.25, 1e-7);
  EXPECT_NEAR(after({Kind::unit, 0, 100, 255})[5], 9.0 / 255, 1e-7);
  EXPECT_NEAR(after({Kind::window, 2, 6, 1})[5], 1, 1e-7);
  EXPECT_NEAR(after({Kind::window, 2, 6, 1})[0], 0.25, 1e-7);
  EXPECT_NEAR(after({Kind::percentile_unit, 10, 90, 1})[2], 0.50847458, 1e-6);
}

TEST(Preprocess, PadsAtTheHighEnds) {
  Volume<float> image(Grid({3, 2, 1}, {1, 1, 1}));
  for (std::size_t i = 0; i < 6; ++i) image.voxels()[i] = static_cast<float>(i);
  InputSpec spec;
  spec.dims = 2;
  spec.pad_multiple = 4;
  const Tensor x = to_tensor(image.view(), spec);
  EXPECT_EQ(x.shape, (std::vector<std::int64_t>{1, 1, 4, 4}));
  EXPECT_EQ(x.values, (std::vector<float>{0, 1, 2, 2, 3, 4, 5, 5, 3, 4, 5, 5, 3, 4, 5, 5}));
  spec.padding = Padding::zero;
  EXPECT_EQ(to_tensor(image.view(), spec).values, (std::vector<float>{0, 1, 2, 0, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Preprocess, ResamplesToTheNetworksSpacingAndTurns) {
  Volume<float> image(Grid({4, 4, 4}, {2, 2, 2}));
  image.at(3, 0, 0) = 64;
  InputSpec spec;
  spec.orientation = "RAS";
  spec.spacing_mm = Vector3{4, 4, 4};
  spec.resampling = Resampling::area;
  const Volume<float> out = prepared(image.view(), spec);
  EXPECT_EQ(out.grid().size(), (Size3{2, 2, 2}));
  EXPECT_FLOAT_EQ(out.at(0, 1, 0), 8);  // +x of the image is the patient's left, -y the front
}

NetworkSpec plain_spec() {
  NetworkSpec spec;
  spec.classes = {"background", "a", "b"};
  return spec;
}

Volume<float> sine_volume(const Size3& size) {
  Volume<float> image(Grid(size, {1, 1, 1}));
  const Tensor x = sine({1, 1, size[2], size[1], size[0]});
  std::copy(x.values.begin(), x.values.end(), image.voxels().begin());
  return image;
}

TEST(Logits, InverseMirroredInputGivesMirroredAnswerWhenAllMirrorsAreAveraged) {
  const Network net = tiny();
  NetworkSpec spec = plain_spec();
  spec.mirror = {0, 2};
  const Volume<float> image = sine_volume({8, 7, 6});
  Volume<float> mirrored = image.clone();
  for (std::int64_t line = 0; line < 42; ++line)
    std::reverse(mirrored.voxels().begin() + line * 8, mirrored.voxels().begin() + (line + 1) * 8);
  const Logits a = infer(net, image.view(), spec), b = infer(net, mirrored.view(), spec);
  for (std::int64_t c = 0; c < 3; ++c)
    for (std::int64_t line = 0; line < 42; ++line)
      for (std::int64_t x = 0; x < 8; ++x)
        EXPECT_NEAR(a.of_class(c)[x + 8 * line], b.of_class(c)[7 - x + 8 * line], 1e-5);
}

TEST(Logits, TwinLabelsOnTheSameGridAreTheArgmax) {
  const Network net = tiny();
  const Volume<float> image = sine_volume({8, 7, 6});
  const Logits logits = infer(net, image.view(), plain_spec());
  const Volume<std::uint16_t> labels = labels_on(logits, image.grid());
  for (std::int64_t i = 0; i < image.grid().count(); ++i) {
    int best = 0;
    for (int c = 1; c < 3; ++c)
      if (logits.of_class(c)[i] > logits.of_class(best)[i]) best = c;
    EXPECT_EQ(labels.voxels()[static_cast<std::size_t>(i)], best);
  }
  EXPECT_EQ(labels_on(logits, Grid({2, 2, 2}, {1, 1, 1}, {50, 0, 0})).voxels()[0], 0);
}

TEST(SlidingWindow, PhantomConstantAndCover) {
  EXPECT_EQ(window_starts(10, 16), (std::vector<std::int64_t>{0}));
  EXPECT_EQ(window_starts(20, 8), (std::vector<std::int64_t>{0, 4, 8, 12}));
  EXPECT_EQ(window_starts(21, 8).back(), 13);
  const Volume<float> image = sine_volume({21, 9, 13});
  // A "network" that gives its own input: the weighted mean must give it back.
  const auto view = std::as_const(image).view();
  const Logits out = sliding_window(std::span(&view, 1), {8, 8, 8}, 0.5, [](std::span<const VolumeView<const float>> channels) {
    const auto window = channels.front();
    return Logits{window.grid, 1, std::vector<float>(window.voxels.begin(), window.voxels.end())};
  });
  ASSERT_EQ(out.classes, 1);
  for (std::size_t i = 0; i < out.values.size(); ++i) EXPECT_NEAR(out.values[i], image.voxels()[i], 1e-5);
}

TEST(Softmax, PublishedValues) {
  const std::vector<double> p = softmax({1, 2, 3}, 1);
  EXPECT_NEAR(p[2], 0.66524096, 1e-8);
  EXPECT_NEAR(softmax({0}, 2)[0], 0.5, 1e-12);
  EXPECT_NEAR(softmax({2}, 2)[0], 1 / (1 + std::exp(-1)), 1e-12);
  EXPECT_NEAR(logit_of(0.8), std::log(4), 1e-6);
}

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(repository_root() / "models"))
    if (fs::exists(entry.path() / "parity.json") && fs::exists(entry.path() / "card.json")) folders.push_back(entry.path());
  return folders;
}

// Peer: values that onnxruntime gave for each of our models when it was exported.
TEST(Models, PublishedParity) {
  const ModelStore store({repository_root() / "models"});
  for (const fs::path& folder : model_folders()) {
    const Json parity = Json::parse(file_text(folder / "parity.json"));
    std::vector<std::int64_t> shape;
    for (const Json& n : parity.at("shape").items()) shape.push_back(n.integer());
    const Tensor y = store.network(store.need(folder.filename().string())).run(sine(shape));
    for (const Json& pair : parity.at("expected").items())
      EXPECT_NEAR(y.values.at(static_cast<std::size_t>(pair.items().at(0).integer())), pair.items().at(1).number(), 1e-3)
          << folder;
  }
}

TEST(Models, TwinOneThreadAndAll) {
  const ModelStore store({repository_root() / "models"});
  for (const fs::path& folder : model_folders()) {
    const Bundle& bundle = store.need(folder.filename().string());
    const Json parity = Json::parse(file_text(folder / "parity.json"));
    std::vector<std::int64_t> shape;
    for (const Json& n : parity.at("shape").items()) shape.push_back(n.integer());
    const Tensor x = sine(shape);
    const Tensor all = store.network(bundle).run(x);
    const ThreadLimit limit(1);
    EXPECT_EQ(store.network(bundle).run(x).values, all.values) << folder;
    // Compiled by one thread, too: for two of them, as that takes its time.
    if (bundle.id == "us.fetal_head" || bundle.id == "mr.hippocampus") {
      EXPECT_EQ(ModelStore({folder}).network(bundle).run(x).values, all.values) << folder;
    }
  }
}

// Twin: a network whose compiled form lies on disk, and one compiled anew; a damaged file is as none.
TEST(Models, TwinCompiledOnDisk) {
  const fs::path cache = fs::temp_directory_path() / ("penta_cache_test_" + std::to_string(::getpid()));
  const char* before = std::getenv("PENTA_CACHE");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("PENTA_CACHE", cache.c_str(), 1);
  const std::string bytes = file_text(repository_root() / "nn/testdata/judge.onnx");
  const auto load = [&] { return Network::load(std::as_bytes(std::span(bytes.data(), bytes.size())), "judge", Precision::f32, "judge"); };
  const std::vector<std::string> outputs{"logits", "cam"};
  const Tensor x = sine({1, 1, 5, 7});
  const std::vector<Tensor> fresh = load().run(x, outputs), again = load().run(x, outputs);
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(cache))
    if (entry.is_regular_file()) files.push_back(entry.path());
  EXPECT_EQ(files.size(), 1U);
  for (const fs::path& file : files) fs::resize_file(file, fs::file_size(file) / 2);
  const Network network = load();
  const std::vector<Tensor> damaged = network.run(x, outputs);
  EXPECT_TRUE(network.has_output("ood"));
  EXPECT_FALSE(network.has_output("other"));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(again[i].shape, fresh[i].shape);
    EXPECT_EQ(again[i].values, fresh[i].values);
    EXPECT_EQ(damaged[i].values, fresh[i].values);
  }
  if (before == nullptr) ::unsetenv("PENTA_CACHE");
  else ::setenv("PENTA_CACHE", kept.c_str(), 1);
  fs::remove_all(cache);
}

class Bundles : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("penta_nn_test_" + std::to_string(::getpid()));
    onnx_ = file_text(repository_root() / "nn/testdata/tiny.onnx");
    const auto data = std::as_bytes(std::span(onnx_.data(), onnx_.size()));
    write("any.tiny", card("any.tiny", sha256_hex(data), R"("licence_switch": true,)"), onnx_);
    write("any.wrong_hash", card("any.wrong_hash", std::string(64, '0'), ""), onnx_);
    write("any.broken", "{\"id\": 3", "");
    write("any.cut", card("any.cut", sha256_hex(data.first(300)), ""), onnx_.substr(0, 300));
  }
  void TearDown() override { fs::remove_all(root_); }

  static std::string card(const std::string& id, const std::string& hash, const std::string& more) {
    return R"({"id": ")" + id + R"(", "task": "segmentation", "title": "A test.", )" + more +
           R"("segments": [{"value": 2, "name": "second", "side": "left"}],
               "network": {"sha256": ")" + hash + R"(", "input": {"dims": 3, "size": null, "spacing_mm": [1, 2, 3],
               "normalise": {"kind": "percentile_zscore", "lower": 1, "upper": 99}}, "mirror": ["z", "x"],
               "output": {"classes": ["background", "first", "x"]}, "threshold": null}})";
  }
  void write(const std::string& name, const std::string& card_text, const std::string& onnx) const {
    fs::create_directories(root_ / name);
    std::ofstream(root_ / name / "card.json") << card_text;
    std::ofstream(root_ / name / "model.onnx", std::ios::binary) << onnx;
  }
  static std::string fault_of(const ModelStore& store, std::string_view id) {
    try {
      (void)store.network(store.need(id));
    } catch (const Error& fault) {
      EXPECT_EQ(fault.code(), Code::model_missing);
      return fault.what();
    }
    return "";
  }

  fs::path root_;
  std::string onnx_;
};

TEST_F(Bundles, AreListedReadAndRefused) {
  const ModelStore store({root_, "/nowhere"});
  ASSERT_EQ(store.bundles().size(), 4U);
  const Bundle& bundle = store.need("any.tiny");
  EXPECT_EQ(bundle.network.mirror, (std::vector<int>{0, 2}));
  EXPECT_EQ(bundle.network.segments.at(1).name, "second");
  EXPECT_EQ(bundle.network.segments.at(1).side, Side::left);
  EXPECT_EQ(bundle.network.input.spacing_mm, (Vector3{1, 2, 3}));
  EXPECT_EQ(&store.network(bundle), &store.network(bundle));
  EXPECT_NE(fault_of(store, "any.wrong_hash").find(std::string(64, '0')), std::string::npos);
  EXPECT_NE(fault_of(store, "any.wrong_hash").find("model.onnx"), std::string::npos);
  EXPECT_NE(fault_of(store, "any.broken").find("card.json"), std::string::npos);
  EXPECT_NE(fault_of(store, "any.cut").find("any.cut"), std::string::npos);
  EXPECT_NE(fault_of(store, "any.absent").find("/nowhere"), std::string::npos);
  EXPECT_EQ(ModelStore({root_}, true).find("any.tiny"), nullptr);
}

TEST(Bundle, RefusesWhatMakesNoSense) {
  const std::string start = R"({"id": "a", "task": "segmentation", "title": "t", "network": {"sha256": "", )";
  const std::string output = R"("output": {"classes": ["b", "c"]})";
  EXPECT_NO_THROW((void)bundle_from(start + R"("input": {}, )" + output + "}}"));
  for (const char* wrong : {R"("input": {"dims": 4}, )", R"("input": {"spacing_mm": [0, 1, 1]}, )",
                            R"("input": {"spacing_mm": [1, 1]}, )", R"("input": {"normalise": {"kind": "magic"}}, )",
                            R"("input": {}, "file": "../secret", )", R"("input": {}, "mirror": ["w"], )", ""})
    EXPECT_THROW((void)bundle_from(start + wrong + output + "}}"), Error) << wrong;
  EXPECT_THROW((void)bundle_from(start + R"("input": {}, "output": {"classes": []}}})"), Error);
}

}  // namespace
}  // namespace penta::nn
