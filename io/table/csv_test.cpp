#include "io/table/csv.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace penta::io::table {
namespace {

Table read_text(const std::string& text) { return read(std::as_bytes(std::span(text)), "t.csv"); }

std::string fault_of(const std::string& text) {
  try {
    (void)read_text(text);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

// Published: the rules of RFC 4180, section 2, one after the other.
TEST(Csv, PublishedRules) {
  const Table table = read_text("\xEF\xBB\xBFname,value\r\n\"a, \"\"b\"\"\nc\",1\r\n\r\nd,");
  EXPECT_EQ(table.columns, (std::vector<std::string>{"name", "value"}));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0][0], "a, \"b\"\nc");
  EXPECT_EQ(table.rows[1], (std::vector<std::string>{"d", ""}));
}

TEST(Csv, NumbersAloneHaveNoNames) {
  const Table table = read_text("1,2.5\n3,4\n");
  EXPECT_EQ(table.columns, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(table.rows.size(), 2U);
}

TEST(Csv, OtherSeparators) {
  EXPECT_EQ(read_text("a;b;c,d\n1;2;3\n").columns.size(), 3U);
  EXPECT_EQ(read_text("a\tb\n1\t2\n").rows[0][1], "2");
}

TEST(Csv, InverseOfWrite) {
  Table table{{"\xEF\xBB\xBF;;a", "b,\"c\"", "\t"}, {{"x\ny", "1", ";"}, {"", "\r", "\t\t"}}};
  const Table again = read_text(write(table));
  EXPECT_EQ(again.columns, table.columns);
  EXPECT_EQ(again.rows, table.rows);
}

TEST(Csv, SaysWhatIsWrongAndWhere) {
  EXPECT_NE(fault_of("a,b\n1,2\n1,2,3\n").find("line 3: 3 cells, where there are 2 columns"), std::string::npos);
  EXPECT_NE(fault_of("a,b\n\"x,2\n").find("quote that never ends"), std::string::npos);
  EXPECT_NE(fault_of("a,b\n\"x\"y,2\n").find("after a closing quote"), std::string::npos);
  EXPECT_NE(fault_of("a,a\n1,2\n").find("same name"), std::string::npos);
  EXPECT_NE(fault_of("").find("it is empty"), std::string::npos);
  EXPECT_NE(fault_of(std::string("a\0b", 3)).find("zero byte"), std::string::npos);
}

}  // namespace
}  // namespace penta::io::table
