#include "evaluate/tables.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace penta::evaluate {
namespace {

const Table said{{"case", "bleed", "normal"}, {{"a", "0.9", "0.1"}, {"b", "0.4", "0.6"}, {"c", "0.4", "0.6"}, {"d", "0.1", "0.9"}, {"e", "0.3", "0.7"}}};
const Table truth{{"case", "label"}, {{"e", "normal"}, {"a", "bleed"}, {"b", "bleed"}, {"c", "normal"}, {"d", "normal"}}};

std::string fault_of(const Table& a, const Table& b, const std::string& metric) {
  try {
    (void)compare(a, b, std::vector<std::string>{metric});
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

// Hand-worked: two positives, three negatives, one tie: (3 + 2.5) / 6; four of five are right.
TEST(Tables, PublishedClasses) {
  const auto figures = compare(said, truth, std::vector<std::string>{"auroc", "accuracy"});
  ASSERT_EQ(figures.size(), 3U);
  EXPECT_EQ(figures[0].label, "bleed");
  EXPECT_NEAR(figures[0].value, 5.5 / 6, 1e-12);
  EXPECT_NEAR(figures[1].value, 5.5 / 6, 1e-12);
  EXPECT_NEAR(figures[2].value, 0.8, 1e-12);
  EXPECT_EQ(figures[2].n, 5U);
  ASSERT_TRUE(figures[2].interval);
  EXPECT_LT((*figures[2].interval)[0], 0.8);
  EXPECT_GE((*figures[2].interval)[1], 0.8);
}

// Hand-worked: one hit at IoU 1, one box beside, one case without lesions and without boxes.
TEST(Tables, PublishedFindings) {
  const Table boxes{{"case", "x0", "y0", "x1", "y1", "score"}, {{"a", "0", "0", "2", "2", "0.9"}, {"a", "5", "5", "6", "6", "0.8"}}};
  const Table lesions{{"case", "x0", "y0", "x1", "y1"}, {{"a", "0", "0", "2", "2"}, {"b", "", "", "", ""}}};
  const auto figures = compare(boxes, lesions, std::vector<std::string>{"ap50", "sensitivity_at_1_fp"});
  EXPECT_EQ(figures[0].value, 1);
  EXPECT_EQ(figures[0].n, 2U);
  EXPECT_EQ(figures[1].value, 1);
}

// Hand-worked.
TEST(Tables, PublishedNumbers) {
  const Table a{{"case", "value"}, {{"p", "1"}, {"q", "4"}}}, b{{"case", "value"}, {{"p", "2"}, {"q", "2"}}};
  const auto figures = compare(a, b, std::vector<std::string>{"bias", "mean_abs"});
  EXPECT_EQ(figures[0].value, 0.5);
  EXPECT_EQ(figures[1].value, 1.5);
}

TEST(Tables, SayWhatIsMissing) {
  EXPECT_NE(fault_of(said, said, "auroc").find("no column 'label'"), std::string::npos);
  EXPECT_NE(fault_of({{"case", "bleed"}, {{"a", "1"}}}, truth, "auroc").find("no row for the case"), std::string::npos);
  EXPECT_NE(fault_of(said, {{"case", "label"}, {{"a", "tumour"}}}, "auroc").find("class 'tumour'"), std::string::npos);
  EXPECT_NE(fault_of({{"case", "value"}, {{"a", "x"}}}, {{"case", "value"}, {{"a", "1"}}}, "bias").find("no number"), std::string::npos);
  EXPECT_NE(fault_of({{"case", "value"}, {{"a", "1"}, {"a", "1"}}}, {{"case", "value"}, {{"a", "1"}}}, "bias").find("twice"), std::string::npos);
  EXPECT_NE(fault_of(said, truth, "dice").find("is not one of tables: auroc"), std::string::npos);
}

}  // namespace
}  // namespace penta::evaluate
