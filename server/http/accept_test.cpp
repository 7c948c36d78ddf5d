#include "server/http/accept.h"

#include <gtest/gtest.h>

#include <array>

namespace penta::server {
namespace {

// Published: the examples of RFC 9110 12.5.1.
TEST(Accept, RangesAreSortedByWeightAndSpecificity) {
  const auto ranges = parse_accept(
      "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5");
  ASSERT_EQ(ranges.size(), 5U);
  EXPECT_EQ(ranges[0].parameter("format"), "flowed");
  EXPECT_EQ(ranges[1].essence(), "text/plain");
  EXPECT_EQ(ranges[2].essence(), "*/*");
  EXPECT_EQ(ranges[3].parameter("format"), "fixed");
  EXPECT_EQ(ranges[4].essence(), "text/*");
  EXPECT_DOUBLE_EQ(ranges[4].q, 0.3);
}

TEST(Accept, QuotedParametersOfMultipart) {
  const auto ranges = parse_accept("multipart/related; type=\"application/dicom\"; transfer-syntax=*, Image/JPEG");
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges[0].parameter("type"), "application/dicom");
  EXPECT_EQ(ranges[0].parameter("transfer-syntax"), "*");
  EXPECT_EQ(ranges[1].essence(), "image/jpeg");
}

TEST(Accept, ChoosesTheFirstOfferOfTheBestRange) {
  constexpr std::array<std::string_view, 2> offers{"image/jpeg", "image/png"};
  EXPECT_EQ(choose(parse_accept(""), offers), 0U);
  EXPECT_EQ(choose(parse_accept("image/png, image/jpeg;q=0.9"), offers), 1U);
  EXPECT_EQ(choose(parse_accept("image/*"), offers), 0U);
  EXPECT_EQ(choose(parse_accept("image/gif"), offers), std::nullopt);
  EXPECT_EQ(choose(parse_accept("image/png;q=0"), offers), std::nullopt);
}

TEST(Accept, MalformedRangesAreLeftOut) {
  EXPECT_TRUE(parse_accept("image, /png, */png, image/png;q=2, image/png;q=x, a b/c").empty());
}

}  // namespace
}  // namespace penta::server
