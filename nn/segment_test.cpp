#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <openvino/op/ops.hpp>
#include <openvino/openvino.hpp>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "nn/head.h"
#include "nn/logits.h"
#include "nn/model_access.h"
#include "nn/painter.h"
#include "nn/preprocess.h"
#include "nn/segment.h"
#include "nn/slab.h"
#include "nn/sliding_window.h"

namespace penta::nn {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<ov::Node> constant(const ov::Shape& shape, double frequency, double scale) {
  std::vector<float> values(ov::shape_size(shape));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(scale * std::sin(frequency * static_cast<double>(i + 1)));
  return ov::op::v0::Constant::create(ov::element::f32, shape, values);
}

/// 3 x 3 (x 3) convolution to 4 features, ReLU, 1 x 1 (x 1) convolution to `classes`, bias.
std::shared_ptr<ov::Model> small_model(std::size_t dims, std::size_t channels, std::size_t classes) {
  ov::PartialShape shape(std::vector<ov::Dimension>(dims + 2, -1));
  shape[1] = static_cast<std::int64_t>(channels);
  const auto input = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, shape);
  const ov::Strides ones(dims, 1);
  const ov::CoordinateDiff same(dims, 1), none(dims, 0);
  ov::Shape first(dims + 2, 3), last(dims + 2, 1), bias(dims + 2, 1);
  first[0] = 4;
  first[1] = channels;
  last[0] = classes;
  last[1] = 4;
  bias[1] = classes;
  const auto conv = std::make_shared<ov::op::v1::Convolution>(input, constant(first, 1.7, 0.3), ones, same, same, ones);
  const auto relu = std::make_shared<ov::op::v0::Relu>(conv);
  const auto head = std::make_shared<ov::op::v1::Convolution>(relu, constant(last, 2.3, 1), ones, none, none, ones);
  // As OpenVINO's reader of ONNX makes it.
  const auto wanted = ov::op::v0::Constant::create(ov::element::i64, {bias.size()}, std::vector<std::int64_t>(bias.begin(), bias.end()));
  const auto shaped = std::make_shared<ov::op::v1::Reshape>(constant({classes}, 0.9, 0.1), wanted, false);
  const auto added = std::make_shared<ov::op::v1::Add>(head, shaped);
  return std::make_shared<ov::Model>(ov::OutputVector{added}, ov::ParameterVector{input}, "small");
}

/// A folder of bundles with networks made here, stored as OpenVINO's IR.
class Segment : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("penta_segment_test_" + std::to_string(::getpid()));
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  static std::string text(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string store(const std::string& id, const std::string& file, std::size_t dims, std::size_t channels, std::size_t classes) const {
    fs::create_directories(root_ / id);
    const fs::path xml = root_ / id / (file + ".xml");
    ov::serialize(small_model(dims, channels, classes), xml.string());
    const std::string bytes = text(xml) + text(fs::path(xml).replace_extension(".bin"));
    return sha256_hex(std::as_bytes(std::span(bytes.data(), bytes.size())));
  }

  /// A bundle of one network; `words` are those of `input`, `more` those beside it.
  void bundle(const std::string& id, std::size_t classes, const std::string& words, const std::string& more = "",
              std::size_t dims = 3, std::size_t channels = 1) const {
    const std::string hash = store(id, "model", dims, channels, classes);
    std::string names;
    for (std::size_t c = 0; c < classes; ++c) names += (c > 0 ? ", \"c" : "\"c") + std::to_string(c) + "\"";
    std::ofstream(root_ / id / "card.json")
        << R"({"id": ")" << id << R"(", "task": "segmentation", "title": "t", "network": {"file": "model.xml", "sha256": ")" << hash
        << R"(", "input": {)" << words << R"(}, "output": {"classes": [)" << names << "]}" << more << "}}";
  }

  static Volume<float> image(const Size3& size, Vector3 spacing = {1, 1, 1}) {
    Volume<float> volume(Grid(size, spacing));
    for (std::int64_t z = 0; z < size[2]; ++z)
      for (std::int64_t y = 0; y < size[1]; ++y)
        for (std::int64_t x = 0; x < size[0]; ++x)
          volume.at(x, y, z) = static_cast<float>(std::sin(0.31 * static_cast<double>(x)) + std::cos(0.23 * static_cast<double>(y * z)));
    return volume;
  }

  /// The plain way: all logits, then the best of each voxel.
  static Volume<std::uint16_t> plain(const ModelStore& models, const Bundle& bundle, std::span<const VolumeView<const float>> channels) {
    const std::vector<Volume<float>> seen = prepared(channels, bundle.network.input);
    const Logits logits = infer(models.network(bundle), views_of(seen), bundle.network);
    return labels_on(logits, channels.front().grid, threshold_of(bundle.network));
  }

  static std::int64_t differing(const Volume<std::uint16_t>& a, const Volume<std::uint16_t>& b) {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < a.voxels().size(); ++i) count += a.voxels()[i] != b.voxels()[i] ? 1 : 0;
    return count;
  }

  void expect_twin(const std::string& id, const Volume<float>& volume) const {
    const ModelStore models({root_});
    const Bundle& bundle = models.need(id);
    const auto view = volume.view();
    SegmentExtra cost;
    const Volume<std::uint16_t> streamed = segment(models, bundle, std::span(&view, 1), Control{}, &cost);
    const Volume<std::uint16_t> all = plain(models, bundle, std::span(&view, 1));
    // Voxels between two labels may fall either way by rounding.
    EXPECT_LE(differing(streamed, all), volume.grid().count() / 20000) << id;
    EXPECT_GT(*std::max_element(all.voxels().begin(), all.voxels().end()), 0) << id;
    {
      const ThreadLimit one(1);
      EXPECT_EQ(differing(streamed, segment(models, bundle, std::span(&view, 1), Control{})), 0) << id;
    }
  }

  fs::path root_;
};

TEST_F(Segment, TwinStreamedAndPlain) {
  bundle("any.whole", 3, "");
  bundle("any.windows", 3, R"("patch": [16, 12, 10])", R"(, "mirror": ["x", "z"])");
  bundle("any.features", 9, R"("patch": [16, 12, 10], "overlap": 0.25)", R"(, "mirror": ["y"])");
  bundle("any.padded", 9, R"("patch": [16, 64, 10], "pad": "zero_centred")");
  bundle("any.multiple", 9, R"("pad_multiple": 16)");
  bundle("any.spacing", 9, R"("orientation": "RAS", "spacing_mm": [1.7, 1.3, 2.1], "patch": [16, 12, 10])");
  bundle("any.axes", 9, R"("axes": "xzy", "spacing_mm": [1.7, 1.3, 0.8], "resample": "cubic", "patch": [16, 12, 10])");
  bundle("any.single", 1, R"("patch": [16, 12, 10])");
  bundle("any.crop", 9, R"("crop": {"kind": "above", "level": 0.5}, "patch": [16, 12, 10])");
  bundle("any.slices", 9, R"("network_dims": 2, "patch": [16, 12, 1])", "", 2);
  for (const char* id : {"any.whole", "any.windows", "any.features", "any.padded", "any.multiple", "any.spacing", "any.axes",
                         "any.single", "any.crop"})
    expect_twin(id, image({30, 16, 20}));
  for (const char* id : {"any.windows", "any.spacing", "any.axes"}) expect_twin(id, image({18, 27, 21}, {1.1, 0.9, 1.4}));
  expect_twin("any.slices", image({24, 16, 11}));
}

// Twin: sums of the slab, and those over the whole volume.
TEST_F(Segment, TwinSlabAndSlidingWindow) {
  for (const Size3& size : {Size3{40, 12, 14}, Size3{12, 40, 14}, Size3{14, 12, 40}}) {
    const Volume<float> volume = image(size);
    InputSpec spec;
    spec.patch = Size3{10, 8, 10};
    const auto view = volume.view();
    const Logits all = sliding_window(std::span(&view, 1), *spec.patch, spec.overlap, [](std::span<const VolumeView<const float>> w) {
      Logits out{w[0].grid, 1, {}};
      for (std::size_t i = 0; i < w[0].voxels.size(); ++i) out.values.push_back(w[0].voxels[i] * static_cast<float>(i % 7));
      return out;
    });
    const Tiling tiling = tiling_of(size, spec);
    Slab slab(tiling, 1);
    std::vector<float> lines(static_cast<std::size_t>(slab.line_voxels() * slab.lines())), window(800);
    std::vector<std::uint8_t> seen(lines.size());
    const std::size_t s = tiling.stream, a = tiling.a(), b = tiling.b();
    std::int64_t next = 0;
    for (const Tiling::Row& row : tiling.rows) {
      std::int64_t from = 0;
      for (const Tiling::Band& band : row.bands) {
        for (const Size3& first : band.firsts) {
          read_window(std::span(&view, 1), tiling, first, Padding::edge, 0, window);
          for (std::size_t i = 0; i < window.size(); ++i) window[i] *= static_cast<float>(i % 7);
          slab.count(first);
          slab.add(window, first, 0, 0, 1);
        }
        for (std::int64_t plane = next; plane < row.final_until; ++plane) {
          slab.read(plane, from, band.final_until, 1, lines, seen);
          for (std::int64_t j = from; j < band.final_until; ++j)
            for (std::int64_t i = 0; i < size[a]; ++i) {
              Size3 at{};
              at[s] = plane;
              at[a] = i;
              at[b] = j;
              ASSERT_NEAR(lines[static_cast<std::size_t>(i + size[a] * (j - from))],
                          all.values[static_cast<std::size_t>(volume.grid().offset(at[0], at[1], at[2]))], 1e-5);
            }
          slab.release(plane, from, kept_from(tiling, band));
        }
        from = kept_from(tiling, band);
      }
      EXPECT_EQ(from, size[b]);
      next = row.final_until;
    }
    EXPECT_EQ(next, size[tiling.stream]);
  }
}

/// Labels of features that are worked out of the window's own voxels, summed and painted band by band.
Volume<std::uint16_t> painted(const Tiling& tiling, VolumeView<const float> view, const Grid& output, const Head& head) {
  constexpr std::int64_t features = 3;
  Volume<std::uint16_t> labels(output);
  Painter painter(labels, view.grid, tiling.stream, {}, features, Decision{&head, head.classes, {}});
  Slab slab(tiling, features);
  std::vector<float> lines(static_cast<std::size_t>(features * slab.line_voxels() * slab.lines()));
  std::vector<std::uint8_t> seen(lines.size() / features);
  const auto voxels = static_cast<std::size_t>(tiling.tensor[0] * tiling.tensor[1] * tiling.tensor[2]);
  std::vector<float> window(voxels), made(features * voxels);
  std::int64_t next = 0;
  for (const Tiling::Row& row : tiling.rows) {
    std::int64_t from = 0, done = 0;
    for (const Tiling::Band& band : row.bands) {
      for (const Size3& first : band.firsts) {
        read_window(std::span(&view, 1), tiling, first, Padding::edge, 0, window);
        for (std::size_t i = 0; i < made.size(); ++i) made[i] = window[i % voxels] * std::sin(static_cast<float>(i % 101));
        slab.count(first);
        slab.add(made, first, 0, 0, features);
      }
      for (std::int64_t plane = next; plane < row.final_until; ++plane) {
        slab.read(plane, from, band.final_until, 1, lines, seen);
        painter.plane(plane, {from, band.final_until, done, lines, seen});
        slab.release(plane, from, kept_from(tiling, band));
      }
      from = kept_from(tiling, band);
      done = band.final_until;
    }
    next = row.final_until;
  }
  return labels;
}

// Twin: bands of lines, and each row of windows as one band of whole planes: the same bits.
TEST_F(Segment, TwinBandsAndWholePlanes) {
  Head head{7, 3, {}, {}};
  for (int i = 0; i < 21; ++i) head.weights.push_back(static_cast<float>(std::sin(2.1 * i)));
  for (int c = 0; c < 7; ++c) head.bias.push_back(static_cast<float>(0.05 * c));
  for (const Size3& size : {Size3{41, 23, 17}, Size3{23, 41, 17}, Size3{17, 23, 41}}) {
    const Volume<float> volume = image(size);
    InputSpec spec;
    spec.patch = Size3{10, 8, 10};
    const Tiling bands = tiling_of(size, spec);
    Tiling whole = bands;
    for (Tiling::Row& row : whole.rows) {
      ASSERT_GT(row.bands.size(), 1U);
      Tiling::Band all = std::move(row.bands.front());
      for (std::size_t i = 1; i < row.bands.size(); ++i)
        all.firsts.insert(all.firsts.end(), row.bands[i].firsts.begin(), row.bands[i].firsts.end());
      all.end = all.final_until = size[whole.b()];
      row.bands = {std::move(all)};
    }
    // Finer and turned over, so that lines lie between two and come in falling order.
    const Grid& own = volume.grid();
    const Grid output({size[0] * 2, size[1] * 2, size[2] * 2}, {0.5, 0.5, 0.5},
                      own.to_patient({static_cast<double>(size[0]) - 0.75, static_cast<double>(size[1]) - 0.75, -0.25}),
                      {-1, 0, 0, 0, -1, 0, 0, 0, 1});
    for (const Grid& grid : {own, output}) {
      const Volume<std::uint16_t> a = painted(bands, volume.view(), grid, head), b = painted(whole, volume.view(), grid, head);
      EXPECT_EQ(differing(a, b), 0);
      EXPECT_GT(*std::max_element(a.voxels().begin(), a.voxels().end()), 0);
    }
    EXPECT_LT(Slab(bands, 3).bytes(), Slab(whole, 3).bytes());
  }
}

TEST_F(Segment, MemoryDoesNotGrowWithClasses) {
  std::array<SegmentExtra, 2> costs{};
  const Volume<float> volume = image({24, 20, 60});
  const auto view = volume.view();
  const std::array<std::size_t, 2> classes{6, 117};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string id = "any.c" + std::to_string(i);
    bundle(id, classes[i], R"("patch": [16, 16, 16])");
    const ModelStore models({root_});
    (void)segment(models, models.need(id), std::span(&view, 1), Control{}, &costs[i]);
    EXPECT_EQ(costs[i].channels, 4);
  }
  EXPECT_EQ(costs[0].bytes, costs[1].bytes);
  // Of sums and weights half a window's depth whole, of the rest one band of windows; three planes of values.
  EXPECT_LE(costs[1].bytes, (24U * (9 * 20 + 7 * 17) * (4 + 1) + 24 * 20 * 3 * 4) * sizeof(float));
}

TEST_F(Segment, TwinIntegersAndFloats) {
  bundle("any.ct", 9, R"("spacing_mm": [1.5, 1.5, 1.5], "patch": [16, 12, 10],
      "normalise": {"kind": "ct", "lower": -150, "upper": 150, "mean": 5, "deviation": 60})");
  Volume<std::int16_t> volume(Grid({30, 26, 28}, {1, 1, 1.2}));
  const Volume<float> from = image({30, 26, 28});
  for (std::size_t i = 0; i < volume.voxels().size(); ++i) volume.voxels()[i] = static_cast<std::int16_t>(100 * from.voxels()[i]);
  const AnyVolume any(std::move(volume));
  const AnyVolume* const one = &any;
  const Volume<float> floats = to_float(any);
  const auto view = floats.view();
  const ModelStore models({root_});
  const Bundle& bundle = models.need("any.ct");
  EXPECT_LE(differing(segment(models, bundle, std::span(&one, 1), Control{}), segment(models, bundle, std::span(&view, 1), Control{})), 2);
}

// Twin: softmax of the plain way's logits, with the card's temperature.
TEST_F(Segment, TwinUncertainty) {
  bundle("any.doubt", 9, R"("patch": [16, 12, 10])", R"(, "temperature": 2)");
  const Volume<float> volume = image({24, 16, 20});
  const auto view = volume.view();
  const ModelStore models({root_});
  const Bundle& bundle = models.need("any.doubt");
  SegmentExtra extra;
  extra.want_uncertainty = true;
  (void)segment(models, bundle, std::span(&view, 1), Control{}, &extra);
  Logits logits = infer(models.network(bundle), view, bundle.network);
  for (float& v : logits.values) v /= 2;
  to_probabilities(logits);
  ASSERT_TRUE(extra.uncertainty.has_value());
  for (std::int64_t i = 0; i < volume.grid().count(); ++i) {
    float top = 0;
    for (std::int64_t c = 0; c < 9; ++c) top = std::max(top, logits.of_class(c)[i]);
    ASSERT_NEAR(extra.uncertainty->voxels()[static_cast<std::size_t>(i)], 1 - top, 1e-5);
  }
}

TEST_F(Segment, PhantomEmptyWindowsAreSkipped) {
  bundle("any.skip", 3, R"("patch": [8, 8, 8], "overlap": 0, "skip_empty": true)");
  Volume<float> volume(Grid({16, 8, 24}, {1, 1, 1}));
  volume.at(3, 3, 3) = 5;
  const auto view = std::as_const(volume).view();
  const ModelStore models({root_});
  SegmentExtra cost;
  const Volume<std::uint16_t> labels = segment(models, models.need("any.skip"), std::span(&view, 1), Control{}, &cost);
  EXPECT_EQ(cost.windows, 6);
  EXPECT_EQ(cost.skipped, 5);
  for (std::int64_t z = 8; z < 24; ++z) EXPECT_EQ(labels.at(1, 1, z), 0);
}

// Twin: an ensemble of the same network twice, and the network alone.
TEST_F(Segment, TwinEnsemble) {
  for (const std::size_t classes : {std::size_t{3}, std::size_t{9}}) {
    const std::string id = "any.pair" + std::to_string(classes), alone = "any.alone" + std::to_string(classes);
    bundle(alone, classes, R"("patch": [16, 12, 10])");
    bundle(id, classes, R"("patch": [16, 12, 10])");
    const std::string hash = store(id, "second", 3, 1, classes);
    std::string card = text(root_ / id / "card.json");
    const std::string file = R"("file": "model.xml", "sha256": ")";
    const std::size_t at = card.find(file);
    ASSERT_NE(at, std::string::npos);
    const std::string first = card.substr(at + file.size(), 64);
    card.replace(at, file.size() + 65, R"("files": ["model.xml", "second.xml"], "sha256": [")" + first + "\", \"" + hash + "\"]");
    std::ofstream(root_ / id / "card.json") << card;
    const Volume<float> volume = image({40, 20, 24});
    const auto view = volume.view();
    const ModelStore models({root_});
    EXPECT_LE(differing(segment(models, models.need(id), std::span(&view, 1), Control{}),
                        segment(models, models.need(alone), std::span(&view, 1), Control{})), 1);
  }
}

// Worked by hand: the last layer is found, and gives with the features the network's own answer.
TEST(Head, InverseLastLayerOverFeatures) {
  const Network network = network_of(small_model(3, 2, 7), "small");
  const auto cut = without_head(network, "");
  ASSERT_TRUE(cut.has_value());
  EXPECT_EQ(cut->head.classes, 7);
  EXPECT_EQ(cut->head.features, 4);
  Tensor x{{1, 2, 3, 4, 5}, {}};
  for (int i = 0; i < 120; ++i) x.values.push_back(static_cast<float>(std::sin(i)));
  const Tensor logits = network.run(x), features = cut->body.run(x);
  for (std::size_t v = 0; v < 60; ++v)
    for (std::size_t c = 0; c < 7; ++c) {
      double sum = static_cast<double>(cut->head.bias[c]);
      for (std::size_t f = 0; f < 4; ++f) sum += static_cast<double>(cut->head.weights[c * 4 + f] * features.values[f * 60 + v]);
      EXPECT_NEAR(sum, logits.values[c * 60 + v], 1e-5);
    }
}

// Twin: blocks of classes of any size give the labels of one class after another.
TEST(Decide, TwinClassesOneByOne) {
  for (const std::int64_t classes : {1, 2, 3, 5, 8, 117})
    for (const bool regions : {false, true}) {
      Head head{classes, 6, {}, {}};
      for (std::int64_t i = 0; i < classes * 6; ++i) head.weights.push_back(static_cast<float>(std::sin(1.3 * static_cast<double>(i))));
      for (std::int64_t c = 0; c < classes; ++c) head.bias.push_back(static_cast<float>(0.1 * std::cos(static_cast<double>(c))));
      Decision decision{&head, classes, {}, 0.2F};
      if (regions)
        for (int c = 0; c < classes; ++c) decision.regions.push_back(c + 1);
      constexpr std::int64_t count = 77;
      std::vector<float> values;
      for (int i = 0; i < 6 * count; ++i) values.push_back(static_cast<float>(std::sin(0.7 * i)));
      std::vector<std::uint16_t> labels(count);
      decide(decision, values.data(), count, 6, count, labels.data());
      for (std::int64_t v = 0; v < count; ++v) {
        int label = 0;
        double best = regions || classes == 1 ? 0.2 : -1e30;
        for (std::int64_t c = 0; c < classes; ++c) {
          double sum = static_cast<double>(head.bias[static_cast<std::size_t>(c)]);
          for (std::int64_t f = 0; f < 6; ++f)
            sum += static_cast<double>(head.weights[static_cast<std::size_t>(c * 6 + f)]) * static_cast<double>(values[static_cast<std::size_t>(f * count + v)]);
          if (sum <= best) continue;
          label = regions || classes == 1 ? static_cast<int>(c) + 1 : static_cast<int>(c);
          if (!regions) best = sum;
        }
        EXPECT_EQ(labels[static_cast<std::size_t>(v)], label) << classes << " classes, voxel " << v;
      }
    }
}

}  // namespace
}  // namespace penta::nn
