#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "nn/bundle.h"
#include "nn/by_planes.h"
#include "nn/cubic.h"
#include "nn/preprocess.h"
#include "nn/sliding_window.h"
#include "nn/split.h"

// Every word of a card's `network.input`. Numbers come from numpy 1.26 and nnunetv2 2.8.1 (which calls skimage 0.26 and
// scipy) on sin(0.37 i) of numpy's flat index i; numpy's axes are z, y, x.

namespace penta::nn {
namespace {

using Points = std::vector<std::pair<std::size_t, double>>;

Volume<float> sine(const Size3& size, double factor = 1, double shift = 0) {
  Volume<float> image(Grid(size, {1, 1, 1}));
  double i = 0;
  for (float& v : image.voxels()) v = static_cast<float>(shift + factor * static_cast<double>(static_cast<float>(std::sin(0.37 * i++))));
  return image;
}

void expect_values(std::span<const float> values, const Points& points, double sum, double tolerance) {
  double all = 0;
  for (const float v : values) all += static_cast<double>(v);
  EXPECT_NEAR(all, sum, 1e-6 * static_cast<double>(values.size()) + 1e-4);
  for (const auto& [at, value] : points) EXPECT_NEAR(values[at], value, tolerance) << at;
}

InputSpec input_of(const std::string& words) {
  const std::string card = R"({"id": "a", "task": "segmentation", "title": "t", "network": {"sha256": "", "input": {)" + words +
                           R"(}, "output": {"classes": ["b", "c"]}}})";
  return bundle_from(card).network.input;
}

// resample_data_or_seg_to_shape(x, shape, ..., order=3, force_separate_z=False)
TEST(Words, PublishedCubicOfNnunet) {
  const Volume<float> x = sine({7, 6, 5});
  const Volume<float> down = resample_cubic(x.view(), {4, 9, 7});
  expect_values(down.voxels(), {{0, 0.019849922508}, {35, 0.77634000778}, {71, -0.45083850622}, {107, -0.34443286061},
                                {143, 0.92016279697}, {179, -0.62186115980}, {215, -0.40775722265}, {251, 0.99995934963}},
                2.1532062815967947, 1e-5);
  const Volume<float> up = resample_cubic(x.view(), {12, 6, 9});
  expect_values(up.voxels(), {{0, -0.06714034080}, {92, -0.23643445968}, {184, -0.86634123325}, {277, -0.18609257042},
                              {369, -0.08755291253}, {462, 0.34153223037}, {554, -0.03214140236}, {647, 0.99995934963}},
                10.07941864815075, 1e-5);
}

// resample_data_or_seg_to_shape(x, (8, 9, 4), (5, 1, 1), (1, 1, 1), order=3, order_z=0)
TEST(Words, PublishedSeparateAxisOfNnunet) {
  const Volume<float> x = sine({7, 6, 5});
  const Volume<float> out = resample_cubic(x.view(), {4, 9, 8}, 2);
  expect_values(out.voxels(), {{0, 0.04268439486}, {41, 0.29087853431}, {82, 0.69357299804}, {123, 0.39141598343},
                               {164, 0.89344197511}, {205, 0.73482632637}, {246, -0.24708455801}, {287, 0.99995934963}},
                12.489732467802241, 1e-5);
  // determine_do_sep_z_and_axis(None, current, wanted), here along x, y, z
  EXPECT_EQ(slice_axis_of({1, 1, 5}, {1, 1, 1}), 2);
  EXPECT_EQ(slice_axis_of({1, 1, 1}, {5, 1, 1}), 0);
  EXPECT_EQ(slice_axis_of({0.5, 2, 2}, {1, 1, 1}), std::nullopt);
  EXPECT_EQ(slice_axis_of({3, 1, 1}, {1, 1, 1}), std::nullopt);
  EXPECT_EQ(slice_axis_of({3.1, 1, 1}, {1, 1, 1}), 0);
  EXPECT_EQ(slice_axis_of({1, 1, 5}, {1, 9, 1}), 2);
}

// compute_new_shape((101, 256, 333), (3, .7, .9), (1.5, 1.5, 1.5)) and ((5, 7, 3), (1, 1, 1), (2, 2, 2))
TEST(Words, PublishedTargetShapeOfNnunet) {
  const InputSpec spec = input_of(R"("spacing_mm": [1.5, 1.5, 1.5], "resample": "cubic")");
  EXPECT_EQ(seen_grid(Grid({333, 256, 101}, {0.9, 0.7, 3}), spec).size(), (Size3{200, 119, 202}));
  const InputSpec two = input_of(R"("spacing_mm": [2, null, 2], "resample": "cubic")");
  EXPECT_EQ(seen_grid(Grid({3, 7, 5}, {1, 1, 1}), two).size(), (Size3{2, 7, 2}));
  const Grid seen = seen_grid(Grid({3, 7, 5}, {1, 1, 1}), two);
  EXPECT_NEAR(seen.origin_mm().x - 0.5 * seen.spacing_mm()[0], -0.5, 1e-12);  // outer faces stay
}

// compute_steps_for_sliding_window
TEST(Words, PublishedStepsOfNnunet) {
  EXPECT_EQ(window_starts(110, 64, 0.5), (std::vector<std::int64_t>{0, 23, 46}));
  EXPECT_EQ(window_starts(133, 64, 0.5), (std::vector<std::int64_t>{0, 23, 46, 69}));
  EXPECT_EQ(window_starts(64, 64, 0.5), (std::vector<std::int64_t>{0}));
  EXPECT_EQ(window_starts(300, 96, 0.75), (std::vector<std::int64_t>{0, 23, 45, 68, 91, 113, 136, 159, 181, 204}));
  EXPECT_EQ(window_starts(37, 10, 0.5), (std::vector<std::int64_t>{0, 4, 9, 14, 18, 22, 27}));
}

// compute_gaussian((9, 16, 8), 1/8, 10, float32); with float16 and 64^3 the smallest is 6e-8 where the weight vanishes.
TEST(Words, PublishedGaussianOfNnunet) {
  const auto z = gaussian_weights(9), y = gaussian_weights(16), x = gaussian_weights(8);
  std::vector<float> all;
  for (const double a : z)
    for (const double b : y)
      for (const double c : x) all.push_back(static_cast<float>(10 * a * b * c));
  expect_values(all, {{0, 2.02357e-9}, {127, 4.36969e-7}, {255, 6.94165e-6}, {383, 5.00413e-5}, {511, 1.636997e-4}, {639, 2.430083e-4}},
                354.2747249898517, 1e-8);
  const auto w = gaussian_weights(64);
  EXPECT_FLOAT_EQ(window_weight(w[32] * w[32] * w[32]), 10);
  EXPECT_NEAR(window_weight(w[32] * w[32] * w[0]), 0.003355, 1e-5);
  EXPECT_FLOAT_EQ(window_weight(w[0] * w[0] * w[0]), 5.9604645e-8F);
}

// numpy: statistics of the values that are not 0, which alone change.
TEST(Words, PublishedNormaliseWhereNonzero) {
  const auto after = [](const std::string& how) {
    std::vector<float> v{0, 3, 1, 4, 0, 1, 5, 9, 2, 6};
    normalise(v, input_of("\"normalise\": {" + how + R"(, "where": "nonzero"})").normalise);
    return v;
  };
  const auto near = [](const std::vector<float>& values, const std::vector<double>& wanted) {
    for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(values[i], wanted[i], 1e-6) << i;
  };
  near(after(R"("kind": "percentile_zscore", "lower": 10, "upper": 90)"),
       {0, -0.29196164, -1.2453058, 0.18471041, 0, -1.2453058, 0.6613825, 1.5670594, -0.76863366, 1.1380545});
  near(after(R"("kind": "zscore")"),
       {0, -0.34035167, -1.1182983, 0.04862167, 0, -1.1182983, 0.43759498, 1.9934883, -0.729325, 0.8265683});
  near(after(R"("kind": "percentile_unit", "lower": 10, "upper": 90)"),
       {0, 0.33898306, 0, 0.5084746, 0, 0, 0.6779661, 1, 0.16949153, 0.84745765});
  EXPECT_THROW((void)after(R"("kind": "minmax")"), Error);
}

// CTNormalization with mean 2, std 1.5, percentiles 1 and 3.5 of 4 sin(0.37 i).
TEST(Words, PublishedCtNormalisationOfNnunet) {
  std::vector<float> v;
  for (int i = 0; i < 6; ++i) v.push_back(static_cast<float>(4 * std::sin(0.37 * i)));
  normalise(v, input_of(R"("normalise": {"kind": "ct", "lower": 1, "upper": 3.5, "mean": 2, "deviation": 1.5})").normalise);
  const std::vector<double> wanted{-0.6666667, -0.36902556, 0.46476778, 1, 1, 1};
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(v[i], wanted[i], 1e-6);
}

// crop_to_nonzero, then ZScoreNormalization with use_mask_for_norm: a shell with a hole (inside the mask), then a lone
// voxel that widens the box (what is between is outside the mask and stays).
TEST(Words, PublishedMaskedZscoreOfNnunet) {
  Volume<float> image(Grid({8, 7, 6}, {1, 1, 1}));
  const Volume<float> inner = sine({5, 5, 4}, 1, 3);
  for (std::int64_t z = 0; z < 4; ++z)
    for (std::int64_t y = 0; y < 5; ++y)
      for (std::int64_t x = 0; x < 5; ++x) image.at(2 + x, 1 + y, 1 + z) = inner.at(x, y, z);
  for (std::int64_t z = 2; z < 4; ++z)
    for (std::int64_t y = 2; y < 5; ++y)
      for (std::int64_t x = 3; x < 6; ++x) image.at(x, y, z) = 0;
  const InputSpec spec = input_of(R"("crop": {"kind": "nonzero"}, "normalise_first": true,
                                     "normalise": {"kind": "zscore", "where": "nonzero"})");
  const Volume<float> one = prepared(std::as_const(image).view(), spec);
  ASSERT_EQ(one.grid().size(), (Size3{5, 5, 4}));
  expect_values(one.voxels(), {{0, 0.400776833}, {14, -0.272122710}, {28, -0.205848842}, {42, -1.860696077}, {56, -1.860696077},
                               {70, 0.924055099}, {84, 0.152283221}, {99, -0.260156571}}, 0, 1e-5);
  image.at(0, 0, 0) = 5;
  const Volume<float> two = prepared(std::as_const(image).view(), spec);
  ASSERT_EQ(two.grid().size(), (Size3{7, 6, 5}));
  expect_values(two.voxels(), {{0, 1.865614891}, {29, 0}, {59, 0.969918668}, {89, 0}, {119, 0}, {149, 0.222731158},
                               {179, 0.217772990}, {209, -0.275519967}}, 0, 1e-5);
}

// Worked by hand: a body of 3 x 2 x 2 voxels above -500, a lone voxel elsewhere, a margin of one voxel (2 mm).
TEST(Words, PhantomCropAbove) {
  Volume<float> image(Grid({10, 8, 6}, {2, 2, 2}));
  std::fill(image.voxels().begin(), image.voxels().end(), -1000.F);
  for (std::int64_t z = 2; z < 4; ++z)
    for (std::int64_t y = 3; y < 5; ++y)
      for (std::int64_t x = 4; x < 7; ++x) image.at(x, y, z) = 40;
  image.at(0, 0, 0) = 40;
  const InputSpec spec = input_of(R"("crop": {"kind": "above", "level": -500, "margin_mm": 2})");
  const Volume<float> out = prepared(std::as_const(image).view(), spec);
  EXPECT_EQ(out.grid().size(), (Size3{5, 4, 4}));
  EXPECT_NEAR(out.grid().origin_mm().x, 6, 1e-12);
  EXPECT_NEAR(out.grid().origin_mm().z, 2, 1e-12);
}

// Worked by hand: the tensor's axes after N, C are y, z, x of the image; spacing, patch and mirror are those of the image's axes.
TEST(Words, PhantomAxes) {
  const std::string card = R"({"id": "a", "task": "segmentation", "title": "t", "network": {"sha256": "", "mirror": ["z"], "input": {
      "axes": "yzx", "patch": [4, 5, 6], "spacing_mm": [1, 2, 3]}, "output": {"classes": ["b", "c"]}}})";
  const NetworkSpec spec = bundle_from(card).network;
  EXPECT_EQ(spec.input.patch, (Size3{4, 6, 5}));
  EXPECT_EQ(spec.input.spacing_mm, (Vector3{1, 3, 2}));
  EXPECT_EQ(spec.mirror, (std::vector<int>{1}));
  Volume<float> image(Grid({2, 3, 4}, {1, 2, 3}));
  image.at(1, 2, 3) = 7;
  image.at(0, 2, 1) = 5;
  const Volume<float> out = prepared(std::as_const(image).view(), spec.input);
  EXPECT_EQ(out.grid().size(), (Size3{2, 4, 3}));
  EXPECT_EQ(out.at(1, 3, 2), 7);
  EXPECT_EQ(out.at(0, 1, 2), 5);
  EXPECT_EQ(out.grid().to_patient({1, 3, 2}).z, image.grid().to_patient({1, 2, 3}).z);
}

// Worked by hand: the second channel has voxels of half the size and another place, and its own normalisation.
TEST(Words, PhantomChannels) {
  const InputSpec spec = input_of(R"("channels": [{"role": "t1", "normalise": {"kind": "unit", "scale": 2}}, {"role": "flair"}])");
  ASSERT_EQ(spec.channels.size(), 2U);
  EXPECT_EQ(spec.channels[1].role, "flair");
  Volume<float> first(Grid({2, 2, 2}, {2, 2, 2}, {0.5, 0.5, 0.5})), second(Grid({4, 4, 4}, {1, 1, 1}));
  std::fill(first.voxels().begin(), first.voxels().end(), 4.F);
  for (std::int64_t z = 0; z < 4; ++z)
    for (std::int64_t y = 0; y < 4; ++y)
      for (std::int64_t x = 0; x < 4; ++x) second.at(x, y, z) = static_cast<float>(x);
  const std::vector<VolumeView<const float>> both{std::as_const(first).view(), std::as_const(second).view()};
  const std::vector<Volume<float>> out = prepared(both, spec);
  EXPECT_FLOAT_EQ(out[0].at(1, 1, 1), 2);
  EXPECT_FLOAT_EQ(out[1].at(0, 1, 1), 0.5);
  EXPECT_FLOAT_EQ(out[1].at(1, 0, 1), 2.5);
  EXPECT_THROW((void)input_of(R"("channels": [{"role": "a"}, {"role": "a"}])"), Error);
}

TEST(Words, RefusesWhatIsNotKnown) {
  for (const char* wrong : {R"("axes": "zzx")", R"("axes": "zy")", R"("resample": "magic")", R"("crop": {"kind": "content_box"})",
                            R"("pad": "zero_centred")", R"("network_dims": 2)", R"("overlap": 1)", R"("channels": [])",
                            R"("normalise": {"kind": "ct", "deviation": 0})"})
    EXPECT_THROW((void)input_of(wrong), Error) << wrong;
}

// Twin: plane by plane from 16-bit voxels, and from a float copy of the whole.
TEST(Words, TwinByPlanes) {
  Volume<std::int16_t> image(Grid({24, 20, 18}, {1, 1.2, 2}, {3, -5, 7}, {{{0, 1, 0}, {-1, 0, 0}, {0, 0, 1}}}));
  double i = 0;
  for (std::int16_t& v : image.voxels()) v = static_cast<std::int16_t>(500 * std::sin(0.37 * i++));
  for (std::int64_t x = 0; x < 24; ++x)
    for (std::int64_t y = 0; y < 20; ++y) image.at(x, y, 0) = -1000;
  const AnyVolume any(std::move(image));
  const AnyVolume* const one = &any;
  const Volume<float> whole = to_float(any);
  const std::string ct = R"("normalise": {"kind": "ct", "lower": -300, "upper": 400, "mean": 10, "deviation": 200})";
  for (const std::string& words : std::vector<std::string>{
        R"("orientation": "RAS", "spacing_mm": [1.5, 1.5, 1.5], )" + ct, R"("axes": "xzy", "spacing_mm": [2, 1, 1.5], "resample": "area")",
        R"("spacing_mm": [1.5, 1.5, 1.5], "resample": "cubic", "normalise_first": true, )" + ct,
        R"("spacing_mm": [0.4, 0.4, 3], "resample": "cubic", "separate_axis": true, )" + ct,
        R"("orientation": "LAS", "crop": {"kind": "above", "level": -900}, "normalise": {"kind": "zscore"})",
        R"("spacing_mm": [2, 2, 2], "normalise_first": true, "normalise": {"kind": "zscore"})"}) {
    const InputSpec spec = input_of(words);
    const std::vector<Volume<float>> planes = prepared_by_planes(std::span(&one, 1), spec);
    const Volume<float> plain = prepared(whole.view(), spec);
    ASSERT_TRUE(planes[0].grid().same_as(plain.grid(), 1e-9)) << words;
    for (std::size_t k = 0; k < plain.voxels().size(); ++k)
      ASSERT_NEAR(planes[0].voxels()[k], plain.voxels()[k], 1e-4) << words << " at " << k;
  }
}

/// Logits of background, `low` and `high` on 3 x 8 x 2 voxels: a column of foreground, noisy about a border at y = 5.
Logits bordered(float noise) {
  Logits logits{Grid({3, 8, 2}, {1, 2, 1}, {4, -3, 2}), 3, {}};
  for (int c = 0; c < 3; ++c)
    for (int z = 0; z < 2; ++z)
      for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 3; ++x) {
          const float wrong = noise * static_cast<float>(std::sin(1.3 * x + 2.1 * y + 0.7 * z));
          logits.values.push_back(c == 0 ? (x == 1 ? -4.F : 4.F) : ((c == 2) == (y >= 5) ? 1.F - wrong : -1.F + wrong));
        }
  return logits;
}

TEST(Split, PhantomPlaneIsFoundThroughNoiseAndIsFlat) {
  const PlaneSplit split{1, 1, 2};
  const Logits logits = bordered(1.4F);
  EXPECT_EQ(split_at(bordered(0), split), 5);
  EXPECT_EQ(split_at(logits, split), 5);
  const Volume<std::uint16_t> labels = labels_split(logits, split, logits.grid), plain = labels_on(logits, logits.grid);
  int mended = 0;
  for (int z = 0; z < 2; ++z)
    for (int y = 0; y < 8; ++y)
      for (int x = 0; x < 3; ++x) {
        EXPECT_EQ(labels.at(x, y, z), x != 1 ? 0 : y >= 5 ? 2 : 1);
        mended += labels.at(x, y, z) != plain.at(x, y, z) ? 1 : 0;
      }
  EXPECT_GT(mended, 0);
}

// Twin: the sum of both sides written out for every plane.
TEST(Split, TwinEveryPlaneTried) {
  for (const float noise : {0.5F, 2.F, 9.F})
    for (const std::size_t axis : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
      const Logits logits = bordered(noise);
      Logits p = bordered(noise);
      to_probabilities(p);
      double best = -1e30;
      std::int64_t found = -1;
      for (std::int64_t k = 0; k <= logits.grid.size()[axis]; ++k) {
        double sum = 0;
        for (std::int64_t i = 0; i < logits.grid.count(); ++i) {
          const Size3 at{i % 3, i / 3 % 8, i / 24};
          sum += (at[axis] >= k ? 1 : -1) * static_cast<double>(p.of_class(2)[i] - p.of_class(1)[i]);
        }
        if (sum > best + 1e-9) {
          best = sum;
          found = k;
        }
      }
      EXPECT_EQ(split_at(logits, {axis, 1, 2}), found) << noise << " " << axis;
    }
}

// A plane halfway between voxels 4 and 5 (2 mm apart), on a grid twice as fine and turned over.
TEST(Split, PhantomLiesAtTheSamePlaceOnAnotherGrid) {
  const Logits logits = bordered(1.4F);
  const Grid fine({1, 16, 1}, {1, 1, 1}, {5, 11.5, 2}, {{{1, 0, 0}, {0, -1, 0}, {0, 0, -1}}});
  const Volume<std::uint16_t> labels = labels_split(logits, {1, 1, 2}, fine);
  for (std::int64_t y = 0; y < 16; ++y) EXPECT_EQ(labels.at(0, y, 0), 11.5 - static_cast<double>(y) > 6 ? 2 : 1) << y;
}

TEST(Split, WordsAreReadOrRefused) {
  const std::vector<std::string> classes{"background", "front", "back"};
  const PlaneSplit split = plane_split_from(Json::parse(R"({"axis": "z", "low": "back", "high": "front"})"), classes);
  EXPECT_EQ(split.axis, 2U);
  EXPECT_EQ(split.low, 2);
  EXPECT_EQ(split.high, 1);
  for (const char* bad : {R"({"axis": "w", "low": "back", "high": "front"})", R"({"axis": "y", "low": "side", "high": "front"})",
                          R"({"axis": "y", "low": "background", "high": "front"})", R"({"axis": "y", "low": "back"})"})
    EXPECT_THROW((void)plane_split_from(Json::parse(bad), classes), Error) << bad;
}

}  // namespace
}  // namespace penta::nn
