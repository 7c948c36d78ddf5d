#include "io/dicom/web.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/json.h"
#include "core/test_data.h"
#include "io/dicom/made_test.h"
#include "io/dicom/web_parts.h"

namespace penta::io::dicom {
namespace {

constexpr const char *implicit_little = "1.2.840.10008.1.2", *big = "1.2.840.10008.1.2.2", *deflated = "1.2.840.10008.1.2.1.99",
                     *rle = "1.2.840.10008.1.2.5", *jpeg_lossless = "1.2.840.10008.1.2.4.70";

Made without_pixels() {
  Made made(ct_class, "CT", 5, 4);
  made.text(tag::study_uid, "2.25.1").text(tag::series_uid, "2.25.2").text(tag::sop_instance, "2.25.3");
  return made;
}

Made ct() {
  Made made = without_pixels();
  std::vector<std::uint16_t> values(20);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint16_t>(1000 * i + 7);
  made.pixels(values);
  return made;
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_text(out, text);
  return out;
}

std::string json_number(std::string_view text, bool whole = false) {
  std::string out;
  return append_json_number(out, text, whole) ? out : "no number";
}

// Published: RFC 8259 7, RFC 3629 4.
TEST(DicomJson, TextsAreValidUtf8) {
  EXPECT_EQ(json_text("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000A\"");
  EXPECT_EQ(json_text("\u00e9\u5c71"), "\"\u00e9\u5c71\"");
  EXPECT_EQ(json_text("a\xE9z"), "\"a\uFFFDz\"");
  EXPECT_EQ(json_text("\xED\xA0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");
  EXPECT_EQ(json_text("\xC0\x80"), "\"\uFFFD\uFFFD\"");
}

TEST(DicomJson, NumbersStayAsTheyWereWritten) {
  EXPECT_EQ(json_number("1.50"), "1.50");
  EXPECT_EQ(json_number("-0.5E-3"), "-0.5E-3");
  EXPECT_EQ(json_number("+7"), "7");
  EXPECT_EQ(json_number(".5"), "0.5");
  EXPECT_EQ(json_number("5."), "5");
  EXPECT_EQ(json_number("007", true), "7");
  EXPECT_EQ(json_number("1.5", true), "no number");
  EXPECT_EQ(json_number("1e999"), "no number");
  EXPECT_EQ(json_number("abc"), "no number");
}

TEST(WebIndex, SaysWhatTheInstanceIs) {
  const TestFolder folder;
  Made made = ct();
  made.text(tag::patient_name, "Yamada^Tarou=A=B").text(tag::image_position, "1.50\\-2\\+3");
  const auto path = folder.put("a.dcm", made.bytes());
  const WebIndex index = web_index(path);
  EXPECT_EQ(index.study_uid + ' ' + index.series_uid + ' ' + index.sop_uid, "2.25.1 2.25.2 2.25.3");
  EXPECT_EQ(index.sop_class, ct_class);
  EXPECT_EQ(index.frame_count, 1);
  const Json json = Json::parse(index.metadata);
  EXPECT_EQ(json.at("00100010").at("Value").items()[0].at("Phonetic").text(), "B");
  EXPECT_NE(index.metadata.find(R"("Value":[1.50,-2,3])"), std::string::npos);
  EXPECT_EQ(json.at("7FE00010").at("BulkDataURI").text(), "bulk/7FE00010");
  EXPECT_EQ(json.at("00280010").at("Value").items()[0].integer(), 4);
}

// Twin: the same data set in every syntax has the same metadata and the same samples.
// Published: PS3.5 6.2.2. Some writers give known elements the VR UN.
TEST(WebIndex, UnknownVrsOfKnownTagsAreNamed) {
  const TestFolder folder;
  Made made = ct();
  made.text(tag::study_date, "20240131");
  const auto plain = web_index(folder.put("plain.dcm", made.bytes()));
  std::string bytes;
  for (const auto byte : made.bytes()) bytes += static_cast<char>(byte);
  for (const std::string& head : {std::string("\x20\0\x0D\0UI", 6), std::string("\x08\0\x18\0UI", 6), std::string("\x08\0\x20\0DA", 6)}) {
    const auto at = bytes.find(head);
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at + 4, 4, std::string("UN\0\0", 4) + bytes[at + 6] + bytes[at + 7] + std::string("\0\0", 2));
  }
  const auto all = std::as_bytes(std::span(bytes));
  const auto index = web_index(folder.put("unknown.dcm", std::vector<std::byte>(all.begin(), all.end())));
  EXPECT_EQ(index.study_uid, plain.study_uid);
  EXPECT_EQ(index.metadata, plain.metadata);
}

TEST(WebIndex, SyntaxesTwin) {
  const TestFolder folder;
  const Made made = ct();
  const auto plain = folder.put("plain.dcm", made.bytes());
  const WebIndex expected = web_index(plain);
  const auto samples = native_frame(plain, 1).bytes;
  ASSERT_EQ(expected.frames.size(), 1U);
  EXPECT_EQ(expected.frames[0][0].length, 40);
  for (const char* syntax : {implicit_little, big, deflated, rle, jpeg_lossless}) {
    const auto path = folder.put(std::string(syntax) + ".dcm", made.bytes(syntax));
    const WebIndex index = web_index(path);
    EXPECT_EQ(index.transfer_syntax, syntax);
    Json metadata = Json::parse(index.metadata), other = Json::parse(expected.metadata);
    // DCMTK's encoder says what it did in the Derivation Description.
    for (Json* json : {&metadata, &other}) json->set("7FE00010", nullptr).set("00082111", nullptr);
    for (const auto& [tag, value] : other.members()) EXPECT_EQ(metadata.at(tag).dump(), value.dump()) << syntax << ' ' << tag;
    EXPECT_EQ(native_frame(path, 1).bytes, samples) << syntax;
    EXPECT_EQ(index.frames_by_decoding, syntax == big || syntax == deflated) << syntax;
    EXPECT_EQ(index.frames.size(), index.frames_by_decoding ? 0U : 1U) << syntax;
    const auto again = folder.put("again.dcm", as_explicit_little_endian(path));
    EXPECT_EQ(web_index(again).transfer_syntax, "1.2.840.10008.1.2.1");
    EXPECT_EQ(native_frame(again, 1).bytes, samples) << syntax;
  }
}

TEST(WebIndex, FragmentsByTableAndMarker) {
  const TestFolder folder;
  Made made = without_pixels();
  made.text(tag::number_of_frames, "2");
  const auto piece = [](std::initializer_list<int> bytes) {
    std::vector<std::byte> out;
    for (const int b : bytes) out.push_back(static_cast<std::byte>(b));
    return out;
  };
  const std::vector<std::vector<std::byte>> fragments{piece({0xFF, 0xD8, 0xFF, 1}), piece({5, 6}), piece({0xFF, 0xD8, 0xFF, 2, 3, 4})};
  for (const std::vector<std::uint32_t>& table : {std::vector<std::uint32_t>{}, {0, 22}}) {
    const auto bytes = made.encapsulated(jpeg_lossless, fragments, table);
    const WebIndex index = web_index(folder.put("a.dcm", bytes));
    ASSERT_EQ(index.frames.size(), 2U);
    ASSERT_EQ(index.frames[0].size(), 2U);
    EXPECT_EQ(std::memcmp(bytes.data() + index.frames[0][1].offset, fragments[1].data(), 2), 0);
    EXPECT_EQ(std::memcmp(bytes.data() + index.frames[1][0].offset, fragments[2].data(), 6), 0);
    EXPECT_EQ(index.frames[1][0].length, 6);
  }
}

TEST(WebIndex, RefusesWithASentence) {
  const TestFolder folder;
  const auto why = [&](const std::vector<std::byte>& bytes) {
    try {
      static_cast<void>(web_index(folder.put("a.dcm", bytes)));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::bad_input);
      return std::string(error.what());
    }
    return std::string("indexed");
  };
  Made made = ct();
  auto bytes = made.bytes();
  EXPECT_NE(why({bytes.begin(), bytes.end() - 2}).find("truncated"), std::string::npos);
  EXPECT_NE(why({bytes.begin(), bytes.begin() + 300}).find("truncated"), std::string::npos);
  EXPECT_NE(why({bytes.begin() + 132, bytes.end()}).find("DICM"), std::string::npos);
  auto packed = ct().bytes(rle);
  EXPECT_NE(why({packed.begin(), packed.end() - 30}).find("truncated"), std::string::npos);
  made.text(tag::series_uid, "../../etc");
  EXPECT_NE(why(made.bytes()).find("is no UID"), std::string::npos);
  made.text(tag::series_uid, "");
  EXPECT_NE(why(made.bytes()).find("Series Instance UID"), std::string::npos);
}

// A value that is left to a BulkDataURI comes back as it was, from inside a sequence too.
TEST(WebIndex, BulkValuesInverse) {
  const TestFolder folder;
  Made made = ct();
  std::vector<std::uint16_t> table(3000);
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<std::uint16_t>(i * 257);
  DcmItem& item = new_item(made.data(), Tag{0x0028, 0x3000});
  set_words(item, Tag{0x0028, 0x3006}, table);
  for (const char* syntax : {"1.2.840.10008.1.2.1", big}) {
    const auto path = folder.put("a.dcm", made.bytes(syntax));
    const WebIndex index = web_index(path);
    ASSERT_NE(index.metadata.find("bulk/00283000/0/00283006"), std::string::npos) << index.metadata;
    const auto bytes = bulk_value(path, "00283000/0/00283006");
    ASSERT_EQ(bytes.size(), 6000U);
    EXPECT_EQ(std::memcmp(bytes.data(), table.data(), 6000), 0) << syntax;
    EXPECT_EQ(bulk_value(path, "7FE00010"), native_frame(path, 1).bytes);
    for (const char* wrong : {"", "00283000", "00283000/1/00283006", "00283000/0", "zz", "00283000/0/00283006/0", "00100099"})
      EXPECT_THROW(static_cast<void>(bulk_value(path, wrong)), Error) << wrong;
  }
}

TEST(WebIndex, FramesThatAreNotThere) {
  const TestFolder folder;
  const auto path = folder.put("a.dcm", ct().bytes());
  for (const int frame : {0, 2, -1}) EXPECT_THROW(static_cast<void>(native_frame(path, frame)), Error);
}

}  // namespace
}  // namespace penta::io::dicom
