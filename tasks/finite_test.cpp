#include "tasks/finite.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "core/error.h"

namespace penta {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();

TEST(Finite, SmallestFiniteValueTakesThePlacePhantom) {
  std::array<float, 6> values{3, nan, -2, inf, -inf, 7};
  EXPECT_EQ(count_non_finite(values), 3);
  EXPECT_EQ(replace_non_finite(values, "x"), 3);
  EXPECT_EQ(values, (std::array<float, 6>{3, -2, -2, -2, -2, 7}));
  EXPECT_EQ(replace_non_finite(values, "x"), 0);
}

TEST(Finite, NothingFiniteIsRefused) {
  std::array<float, 2> values{nan, inf};
  try {
    (void)replace_non_finite(values, "mr.x");
    FAIL();
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::bad_input);
    EXPECT_EQ(std::string(fault.what()).substr(0, 5), "mr.x:");
  }
}

TEST(Finite, OnlyWhatIsThereIsSaid) {
  std::vector<Remark> remarks;
  say_non_finite(0, "of it", "left out", remarks);
  EXPECT_TRUE(remarks.empty());
  say_non_finite(2, "of it", "left out", remarks);
  ASSERT_EQ(remarks.size(), 1U);
  EXPECT_EQ(remarks[0].code, "non_finite_voxels");
  EXPECT_EQ(remarks[0].severity, Severity::warning);
  EXPECT_EQ(remarks[0].text, "2 voxels of it are not finite (NaN or infinite): left out");
}

}  // namespace
}  // namespace penta
