#include "server/http/ranges.h"

#include <gtest/gtest.h>

namespace penta::server {
namespace {

void expect_part(const char* header, std::int64_t offset, std::int64_t length) {
  Span out;
  EXPECT_EQ(parse_range(header, 10000, out), RangeAnswer::part) << header;
  EXPECT_EQ(out.offset, offset) << header;
  EXPECT_EQ(out.length, length) << header;
}

// Published: the examples of RFC 9110 14.1.2 over 10000 bytes.
TEST(Range, ExamplesOfTheStandard) {
  expect_part("bytes=0-499", 0, 500);
  expect_part("bytes=500-999", 500, 500);
  expect_part("bytes=-500", 9500, 500);
  expect_part("bytes=9500-", 9500, 500);
  expect_part("bytes=9999-20000", 9999, 1);
  expect_part("bytes=-20000", 0, 10000);
}

TEST(Range, OthersAreTheWholeOrCannotBeHad) {
  Span out;
  for (const char* header :
       {"", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "items=0-1", "bytes=0-1,3-4", "bytes=1-x"})
    EXPECT_EQ(parse_range(header, 10000, out), RangeAnswer::whole) << header;
  for (const char* header : {"bytes=10000-", "bytes=-0"})
    EXPECT_EQ(parse_range(header, 10000, out), RangeAnswer::unsatisfiable) << header;
}

TEST(Etag, AnyOfTheListInWeakComparison) {
  EXPECT_TRUE(etag_matches("\"a\", W/\"b\"", "\"b\""));
  EXPECT_TRUE(etag_matches("*", "\"b\""));
  EXPECT_FALSE(etag_matches("\"a\"", "\"b\""));
}

TEST(Host, OnlyThisMachine) {
  for (const char* host : {"localhost", "LocalHost:8042", "127.0.0.1", "127.9.8.7:1", "[::1]:8042", "[::1]"})
    EXPECT_TRUE(is_loopback_host(host)) << host;
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "128.0.0.1", "127.0.0",
        "127.0.0.1:x", "127.0.0.999", "::1", "[::2]", "127.0.0.1:99999", "127.0.0.1:"})
    EXPECT_FALSE(is_loopback_host(host)) << host;
  EXPECT_TRUE(is_loopback_origin("http://localhost:3000"));
  EXPECT_FALSE(is_loopback_origin("http://evil.example"));
  EXPECT_FALSE(is_loopback_origin("null"));
}

}  // namespace
}  // namespace penta::server
