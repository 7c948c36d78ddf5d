#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "evaluate/compare.h"

namespace penta::evaluate {
namespace {

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
