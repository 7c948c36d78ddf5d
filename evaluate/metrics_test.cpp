#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "evaluate/metrics.h"

namespace penta::evaluate {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Hand-worked: 3 voxels against 2, 2 in common.
TEST(Metrics, PublishedOverlap) {
  const Bytes a{1, 1, 1, 0}, b{0, 1, 1, 0}, none{0, 0, 0, 0};
  EXPECT_DOUBLE_EQ(dice(a, b), 0.8);
  EXPECT_DOUBLE_EQ(iou(a, b), 2.0 / 3);
  EXPECT_EQ(dice(none, none), 1);
  EXPECT_EQ(iou(none, none), 1);
  EXPECT_EQ(dice(a, none), 0);
  EXPECT_EQ(dice({}, {}), 1);
}

// Phantom: a block of 4 voxels and the same moved by 3 voxels of 2 mm along x: every border voxel is 0 to 6 mm away.
TEST(Metrics, PhantomHd95OfAMovedBlock) {
  Volume<std::uint8_t> a(Grid({12, 6, 6}, {2, 1, 1})), b(a.grid()), none(a.grid());
  for (std::int64_t z = 1; z < 5; ++z)
    for (std::int64_t y = 1; y < 5; ++y)
      for (std::int64_t x = 1; x < 5; ++x) {
        a.at(x, y, z) = 1;
        b.at(x + 3, y, z) = 1;
      }
  EXPECT_DOUBLE_EQ(hd95_mm(a.view(), b.view()), 6);
  EXPECT_EQ(hd95_mm(a.view(), a.view()), 0);
  EXPECT_EQ(hd95_mm(none.view(), none.view()), 0);
  EXPECT_TRUE(std::isnan(hd95_mm(a.view(), none.view())));
}

// Twin: all pairs of border voxels, for two odd shapes on a grid that is not isotropic.
TEST(Metrics, TwinHd95ByAllPairs) {
  Volume<std::uint8_t> a(Grid({14, 11, 1}, {0.7, 1.3, 1})), b(a.grid());
  for (std::int64_t y = 0; y < 11; ++y)
    for (std::int64_t x = 0; x < 14; ++x) {
      a.at(x, y, 0) = (x - 5) * (x - 5) + 2 * (y - 5) * (y - 5) < 20 ? 1 : 0;
      b.at(x, y, 0) = (x - 8) * (x - 8) + (y - 4) * (y - 4) < 15 ? 1 : 0;
    }
  const auto border = [](const Volume<std::uint8_t>& m) {
    std::vector<std::array<double, 2>> points;
    const auto in = [&](std::int64_t x, std::int64_t y) {
      return x >= 0 && y >= 0 && x < 14 && y < 11 && m.at(x, y, 0) != 0;
    };
    for (std::int64_t y = 0; y < 11; ++y)
      for (std::int64_t x = 0; x < 14; ++x)
        if (in(x, y) && !(in(x - 1, y) && in(x + 1, y) && in(x, y - 1) && in(x, y + 1)))
          points.push_back({0.7 * double(x), 1.3 * double(y)});
    return points;
  };
  const auto directed = [](const auto& from, const auto& to) {
    std::vector<double> d;
    for (const auto& p : from) {
      double best = 1e9;
      for (const auto& q : to) best = std::min(best, std::hypot(p[0] - q[0], p[1] - q[1]));
      d.push_back(best);
    }
    std::sort(d.begin(), d.end());
    const double place = 0.95 * double(d.size() - 1);
    const auto low = static_cast<std::size_t>(place);
    return d[low] + (place - double(low)) * (d[std::min(low + 1, d.size() - 1)] - d[low]);
  };
  const auto pa = border(a), pb = border(b);
  EXPECT_NEAR(hd95_mm(a.view(), b.view()), std::max(directed(pa, pb), directed(pb, pa)), 1e-5);
}

// Hand-worked.
TEST(Metrics, PublishedDifferences) {
  const std::vector<float> a{1, 2, 3, 4}, b{1, 4, 3, 0};
  EXPECT_DOUBLE_EQ(max_abs(a, b), 4);
  EXPECT_DOUBLE_EQ(mean_abs(a, b), 1.5);
  EXPECT_DOUBLE_EQ(rmse(a, b), std::sqrt(5.0));
  EXPECT_NEAR(psnr(a, b), 20 * std::log10(4 / std::sqrt(5.0)), 1e-12);
  EXPECT_TRUE(std::isnan(max_abs({}, {})));
  const std::vector<float> hole{NAN, 1}, filled{0, 1};
  EXPECT_EQ(max_abs(hole, hole), 0);
  EXPECT_TRUE(std::isnan(max_abs(hole, filled)));
}

// Hand-worked: 2 positives, 3 negatives, one tie: (3 + 2.5) / 6.
TEST(Metrics, PublishedAuroc) {
  const std::vector<double> scores{0.9, 0.4, 0.4, 0.1, 0.3};
  EXPECT_DOUBLE_EQ(auroc(scores, Bytes{1, 1, 0, 0, 0}), 5.5 / 6);
  EXPECT_DOUBLE_EQ(auroc(scores, Bytes{0, 0, 0, 1, 0}), 0);
  EXPECT_TRUE(std::isnan(auroc(scores, Bytes{0, 0, 0, 0, 0})));
  EXPECT_TRUE(std::isnan(auroc({}, {})));
}

LabelMap labels(std::vector<std::uint16_t> values) {
  LabelMap map;
  map.layers.emplace_back(Grid({static_cast<std::int64_t>(values.size()), 1, 1}, {1, 1, 1}));
  std::copy(values.begin(), values.end(), map.layers[0].voxels().begin());
  add_found_segments(map);
  return map;
}

TEST(Compare, LabelsByValue) {
  const std::vector<std::string> metrics{"dice", "volume_error", "hd95"};
  const auto figures = compare(labels({1, 1, 0, 0, 3}), labels({1, 1, 2, 2, 0}), metrics);
  ASSERT_EQ(figures.size(), 9U);
  EXPECT_EQ(figures[0].value, 1);
  EXPECT_EQ(figures[1].value, 0);
  EXPECT_EQ(figures[3].value, 0);
  EXPECT_EQ(figures[4].value, -1);
  EXPECT_TRUE(std::isnan(figures[5].value));
  EXPECT_EQ(figures[6].label, "label 3");
  EXPECT_TRUE(std::isnan(figures[7].value));
  EXPECT_EQ(figures[2].unit, "mm");
  EXPECT_TRUE(compare(labels({0, 0}), labels({0, 0}), metrics).empty());
  EXPECT_THROW((void)compare(labels({0, 0}), labels({0, 0, 0}), metrics), Error);
  const std::vector<std::string> wrong{"rmse"};
  EXPECT_THROW((void)compare(labels({0}), labels({0}), wrong), Error);
}

TEST(Compare, Images) {
  const auto picture = [](std::vector<std::uint8_t> values) {
    Frame2d frame;
    frame.width = static_cast<std::int64_t>(values.size());
    frame.height = 1;
    frame.pixels = std::move(values);
    Image image;
    image.pixels = FrameSequence{frame};
    return image;
  };
  const std::vector<std::string> metrics{"max_abs", "rmse"};
  const auto figures = compare(picture({1, 2, 3}), picture({1, 5, 3}), metrics);
  EXPECT_DOUBLE_EQ(figures[0].value, 3);
  EXPECT_DOUBLE_EQ(figures[1].value, std::sqrt(3.0));
  EXPECT_THROW((void)compare(picture({1, 2, 3}), picture({1, 5}), metrics), Error);
}

}  // namespace
}  // namespace penta::evaluate
