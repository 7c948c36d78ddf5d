#include "server/http/multipart.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/random.h"

namespace penta::server {
namespace {

/// Gives a text in pieces of some length.
class TextSource final : public BodySource {
 public:
  TextSource(std::string text, std::size_t step) : text_(std::move(text)), step_(step) {}
  std::size_t read(std::span<std::byte> out) override {
    const std::size_t count = std::min({step_, out.size(), text_.size() - at_});
    std::memcpy(out.data(), text_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t step_, at_ = 0;
};

struct Part {
  Headers headers;
  std::string content;
};

std::vector<Part> parts_of(const std::string& text, const std::string& boundary, std::size_t step = 7) {
  TextSource source(text, step);
  MultipartReader reader(source, boundary);
  std::vector<Part> out;
  while (auto headers = reader.next()) {
    out.push_back({*headers, {}});
    for (auto piece = reader.piece(); !piece.empty(); piece = reader.piece())
      out.back().content.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  }
  return out;
}

int status_of(const std::string& text) {
  try {
    (void)parts_of(text, "b");
  } catch (const HttpError& error) {
    return error.status();
  }
  return 200;
}

// Published: the shape of RFC 2046 5.1.1, with preamble, padding and epilogue.
TEST(Multipart, PartsOfTheStandard) {
  for (std::size_t step = 1; step < 40; ++step) {
    const auto parts = parts_of(
        "preamble\r\n--b\r\nContent-Type: a/b\r\nX:  y \r\n\r\nfirst\r\n--b "
        "\r\n\r\n\r\nline\r\n\r\n--b\r\n\r\n\r\n--b--\r\nepilogue",
        "b", step);
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(header_of(parts[0].headers, "content-type"), "a/b");
    EXPECT_EQ(header_of(parts[0].headers, "x"), "y");
    EXPECT_EQ(parts[0].content, "first");
    EXPECT_EQ(parts[1].content, "\r\nline\r\n");
    EXPECT_EQ(parts[2].content, "");
  }
}

// Inverse: what is written is read, content with near boundaries too.
TEST(Multipart, WrittenPartsAreRead) {
  const std::string boundary = new_boundary();
  std::string big(1'000'003, '\0');
  Random random(7);
  for (char& c : big) c = static_cast<char>(random.bits());
  const std::string near = "\r\n--" + boundary.substr(0, boundary.size() - 1) + "!";
  for (std::size_t at = 1000; at + 100 < big.size(); at += 9973) big.replace(at, near.size(), near);
  const std::string text = part_head(boundary, "application/dicom") + big + part_head(boundary, "x/y", {{"A", "b"}}) +
                           "small" + multipart_end(boundary);
  for (const std::size_t step : {std::size_t{1000}, std::size_t{65536}, text.size()}) {
    const auto parts = parts_of(text, boundary, step);
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(parts[0].content, big);
    EXPECT_EQ(parts[1].content, "small");
    EXPECT_EQ(header_of(parts[1].headers, "A"), "b");
  }
}

TEST(Multipart, PartsMayBeSkipped) {
  TextSource source("--b\r\n\r\nlong content\r\n--b\r\nX: 1\r\n\r\nlast\r\n--b--", 5);
  MultipartReader reader(source, "b");
  ASSERT_TRUE(reader.next());
  const auto headers = reader.next();
  ASSERT_TRUE(headers);
  EXPECT_EQ(header_of(*headers, "X"), "1");
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
}

TEST(Multipart, BrokenBodiesAreRefused) {
  for (const std::string& text :
       {std::string(), std::string("no boundary"), std::string("--b"), std::string("--b\r\n"),
        std::string("--b\r\nA: b\r\n"), std::string("--b\r\n\r\ncut"), std::string("--b\r\nnoname\r\n\r\nx\r\n--b--"),
        std::string("--bx\r\n\r\nx\r\n--b--"), std::string(40'000, 'x') + "\r\n--b--",
        "--b\r\nA: " + std::string(40'000, 'x') + "\r\n\r\nx\r\n--b--"})
    EXPECT_EQ(status_of(text), 400) << text.substr(0, 40);
  EXPECT_EQ(status_of("--b--"), 200);
}

TEST(Multipart, ContentTypeOfTheRequest) {
  const auto type = parse_related("Multipart/Related; boundary=\"a b:c\"; type=\"Application/DICOM\"; start=\"<1>\"");
  EXPECT_EQ(type.boundary, "a b:c");
  EXPECT_EQ(type.type, "application/dicom");
  EXPECT_EQ(type.start, "<1>");
  for (const char* text : {"", "text/plain", "multipart/form-data; boundary=x"})
    EXPECT_THROW((void)parse_related(text), HttpError) << text;
  EXPECT_THROW((void)parse_related("multipart/related"), HttpError);
  EXPECT_THROW((void)parse_related("multipart/related; boundary=\"" + std::string(71, 'x') + "\""), HttpError);
}

}  // namespace
}  // namespace penta::server
