#include "server/http/text.h"

#include <gtest/gtest.h>

namespace penta::server {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Published: RFC 3986 2.1, RFC 9112 3.2.
TEST(Target, PathAndQueryAreDecodedApart) {
  const auto target = parse_target("/studies/1.2%2F3/a%20b?limit=5&PatientName=A%26B+C&flag&x=1=2");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/studies/1.2%2F3/a%20b");
  EXPECT_EQ(target->segments, (std::vector<std::string>{"studies", "1.2/3", "a b"}));
  EXPECT_EQ(target->query, (Pairs{{"limit", "5"}, {"PatientName", "A&B C"}, {"flag", ""}, {"x", "1=2"}}));
  EXPECT_EQ(parse_target("http://localhost:1/x?y=1")->path, "/x");
  EXPECT_EQ(parse_target("http://localhost")->segments, (std::vector<std::string>{""}));
}

TEST(Target, DotSegmentsAndBadEscapesAreRefused) {
  for (const char* text : {"", "x", "/a/../b", "/a/%2e%2E/b", "/%", "/%4", "/%zz", "/%00", "/?a=%0", "*"})
    EXPECT_FALSE(parse_target(text)) << text;
  EXPECT_TRUE(parse_target("/a..b/...?"));
}

TEST(Text, QuotedStringsKeepTheirSeparators) {
  const auto parts = split_quoted(R"(a; b="x;\"y" ;; c)", ';');
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[1], R"(b="x;\"y")");
  EXPECT_EQ(unquoted(R"("x;\"y")"), R"(x;"y)");
  EXPECT_EQ(unquoted("plain"), "plain");
}

TEST(Text, WholeNumbersHaveOnlyDigits) {
  EXPECT_EQ(whole_number("0042"), 42);
  for (const char* text : {"", "-1", "+1", "1.0", "1e3", " 1", "9999999999999999999"})
    EXPECT_FALSE(whole_number(text)) << text;
}

}  // namespace
}  // namespace penta::server
