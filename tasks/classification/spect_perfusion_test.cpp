#include <gtest/gtest.h>

#include <charconv>

#include "core/error.h"
#include "tasks/method.h"
#include "tasks/methods.h"

namespace penta {

MethodPtr make_classification_spect_perfusion();

namespace {

Answer run(const Table& table) {
  const auto method = make_classification_spect_perfusion();
  const Input inputs[] = {{"regions", &table}};
  const Params params(method->card(), {});
  Workspace workspace;
  Control control;
  return method->run({inputs, {}, params, workspace, control});
}

// The two patients that the recipe put into the card, with the probability that scikit-learn gave them.
struct Check {
  std::vector<std::string> row;
  double probability = 0;
};
std::vector<Check> checks() {
  std::vector<Check> list;
  const MethodPtr method = make_classification_spect_perfusion();  // owns the card
  for (const Json& one : method->card().whole.at("model").at("check").items()) {
    Check check;
    for (std::size_t i = 0; i < 44; ++i)
      check.row.push_back(std::to_string(static_cast<int>(one.items().at(i).number())));
    check.probability = one.items().at(44).number();
    list.push_back(std::move(check));
  }
  return list;
}

Table named(const std::vector<Check>& list) {
  Table table;
  for (int i = 0; i < 44; ++i) table.columns.push_back("F" + std::to_string(i / 2 + 1) + (i % 2 == 0 ? "R" : "S"));
  for (const Check& check : list) table.rows.push_back(check.row);
  return table;
}

double first_probability(const Answer& answer) {
  return *std::get<Scores>(answer.artifacts.at(0).value).at(0).probability;
}

TEST(SpectPerfusion, TwinOfTheRecipe) {
  for (const Check& check : checks()) {
    const Answer answer = run(named({check}));
    const auto& scores = std::get<Scores>(answer.artifacts.at(0).value);
    EXPECT_EQ(scores.at(0).label, "abnormal");
    EXPECT_NEAR(*scores[0].probability, check.probability, 2e-5);
    EXPECT_NEAR(*scores.at(1).probability, 1 - check.probability, 2e-5);
    EXPECT_TRUE(answer.remarks.empty());
  }
}

TEST(SpectPerfusion, ColumnsByNameInAnyOrderOrByOrder) {
  const Check check = checks().at(0);
  Table table = named({check});
  std::swap(table.columns[3], table.columns[40]);
  std::swap(table.rows[0][3], table.rows[0][40]);
  EXPECT_NEAR(first_probability(run(table)), check.probability, 2e-5);
  Table plain = named({check});
  plain.columns.insert(plain.columns.begin(), "1");
  for (std::size_t i = 0; i < 45; ++i) plain.columns[i] = std::to_string(i + 1);
  plain.rows[0].insert(plain.rows[0].begin(), "0");
  const Answer answer = run(plain);
  EXPECT_NEAR(first_probability(answer), check.probability, 2e-5);
  EXPECT_EQ(answer.remarks.at(0).code, "columns_by_order");
}

TEST(SpectPerfusion, ManyRowsGiveATableAndStrangeOnesNoProbability) {
  Table table = named(checks());
  table.rows.push_back(std::vector<std::string>(44, "4000"));
  const Answer answer = run(table);
  ASSERT_EQ(answer.artifacts.size(), 1U);
  const auto& out = std::get<Table>(answer.artifacts[0].value);
  ASSERT_EQ(out.rows.size(), 3U);
  EXPECT_EQ(out.rows[2][1], "");
  EXPECT_EQ(answer.remarks.at(0).code, "out_of_distribution");
}

TEST(SpectPerfusion, BadTablesAreNamed) {
  Table table = named({checks().at(0)});
  table.rows[0][5] = "many";
  EXPECT_THROW((void)run(table), Error);
  table.rows[0][5] = "-3";
  EXPECT_THROW((void)run(table), Error);
  table = named({checks().at(0)});
  table.columns[7] = "other";
  EXPECT_THROW((void)run(table), Error);
  table.rows.clear();
  EXPECT_THROW((void)run(table), Error);
  EXPECT_THROW((void)run(Table{{"a"}, {{"1"}}}), Error);
}

}  // namespace
}  // namespace penta
