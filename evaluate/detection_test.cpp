#include "evaluate/detection.h"

#include <gtest/gtest.h>

#include <cmath>

namespace penta::evaluate {
namespace {

/// Two scans with two lesions and one; candidates by falling score: hit, miss, miss, second hit, hit, hit, miss.
Detections worked_example() {
  return {{{0.9, 0, 0}, {0.85, 1, -1}, {0.8, 0, -1}, {0.7, 0, 0}, {0.6, 0, 1}, {0.5, 1, 0}, {0.4, 1, -1}}, 3, 2};
}

// Hand-worked: no false positive: 1 of 3 lesions; one: 1 of 3; two: all.
TEST(Detection, PublishedFrocAndCpmByHand) {
  const Detections all = worked_example();
  EXPECT_NEAR(sensitivity_at_false_positives(all, 0.125), 1.0 / 3, 1e-12);
  EXPECT_NEAR(sensitivity_at_false_positives(all, 0.5), 1.0 / 3, 1e-12);
  EXPECT_NEAR(sensitivity_at_false_positives(all, 1), 1, 1e-12);
  EXPECT_NEAR(cpm(all), 5.0 / 7, 1e-12);
  EXPECT_NEAR(lesion_f1(all, 0.5), 0.75, 1e-12);
  EXPECT_NEAR(lesion_f1(all, 0.95), 0, 1e-12);
  EXPECT_TRUE(std::isnan(cpm({})));
}

// Hand-worked: precision 1, 2/4 and 3/5 at recall 1/3, 2/3 and 1; envelope 1, 0.6, 0.6.
TEST(Detection, PublishedAveragePrecisionByHand) {
  EXPECT_NEAR(average_precision(worked_example()), 2.2 / 3, 1e-12);
  EXPECT_TRUE(std::isnan(average_precision(Detections{})));
  EXPECT_EQ(average_precision(Detections{{}, 2, 1}), 0);
}

// Equal scores come in together: whichever stands first in the list does not matter.
TEST(Detection, TiesAreOneThreshold) {
  const Detections hit_first{{{0.5, 0, 0}, {0.5, 0, -1}}, 1, 1}, miss_first{{{0.5, 0, -1}, {0.5, 0, 0}}, 1, 1};
  EXPECT_EQ(sensitivity_at_false_positives(hit_first, 0.5), 0);
  EXPECT_EQ(average_precision(hit_first), average_precision(miss_first));
}

// Hand-worked: squares of side 2 that share a quarter, boxes that share an eighth.
TEST(Detection, PublishedBoxIou) {
  const Box a{{0, 0, 0}, {2, 2, 0}}, b{{1, 1, 0}, {3, 3, 0}}, far{{9, 9, 0}, {9.5, 9.5, 0}};
  EXPECT_NEAR(box_iou(a, b), 1.0 / 7, 1e-12);
  EXPECT_EQ(box_iou(a, far), 0);
  const Box c{{0, 0, 0}, {2, 2, 2}}, d{{1, 1, 1}, {3, 3, 3}};
  EXPECT_NEAR(box_iou(c, d), 1.0 / 15, 1e-12);
}

TEST(Detection, BoxesTakeALesionOnce) {
  const std::vector<Box> lesions{{{0, 0, 0}, {10, 10, 0}}}, boxes{{{0, 0, 0}, {10, 6, 0}}, {{0, 0, 0}, {10, 9, 0}}};
  Detections all;
  add_by_iou(all, boxes, std::vector<double>{0.4, 0.8}, lesions, 0.5);
  ASSERT_EQ(all.candidates.size(), 2U);
  EXPECT_EQ(all.candidates[0].hits, 0);
  EXPECT_EQ(all.candidates[1].hits, -1);
  EXPECT_EQ(all.lesions, 1U);
  EXPECT_EQ(all.scans, 1U);
}

TEST(Detection, PointsHitWithinTheRadius) {
  const std::vector<std::array<double, 3>> lesions{{0, 0, 0}, {10, 0, 0}}, points{{4, 0, 0}, {9, 1, 0}, {5, 5, 5}};
  Detections all;
  add_by_distance(all, points, std::vector<double>{1, 2, 3}, lesions, std::vector<double>{3, 4});
  EXPECT_EQ(all.candidates[0].hits, -1);
  EXPECT_EQ(all.candidates[1].hits, 1);
  EXPECT_EQ(all.candidates[2].hits, -1);
}

}  // namespace
}  // namespace penta::evaluate
