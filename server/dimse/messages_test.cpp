#include <gtest/gtest.h>

#include <string_view>

#include "core/json.h"
#include "server/dimse/command.h"
#include "server/dimse/contexts.h"
#include "server/dimse/elements.h"
#include "server/dimse/query.h"

namespace penta::server::dimse {
namespace {

TEST(Command, ComesBackAsItWasSent) {
  Command sent;
  sent.kind = Kind::store_rq;
  sent.sop_class = "1.2.840.10008.5.1.4.1.1.2";
  sent.sop_instance = "1.2.3";
  sent.message_id = 513;
  sent.originator_ae = "PACS";
  sent.originator_id = 7;
  sent.has_data = true;
  const auto got = read_command(to_bytes(sent));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->kind, Kind::store_rq);
  EXPECT_EQ(got->sop_class, sent.sop_class);
  EXPECT_EQ(got->sop_instance, sent.sop_instance);
  EXPECT_EQ(got->message_id, 513);
  EXPECT_EQ(got->originator_ae, "PACS");
  EXPECT_EQ(got->originator_id, 7);
  EXPECT_TRUE(got->has_data);
}

// PS3.7 6.3.1 and E.1: group length first, then C-ECHO-RQ.
TEST(Command, ReadsTheBytesOfTheStandard) {
  constexpr std::string_view echo("\0\0\0\0\4\0\0\0\x38\0\0\0" "\0\0\2\0\x12\0\0\0" "1.2.840.10008.1.1\0"
                                  "\0\0\0\1\2\0\0\0\x30\0" "\0\0\x10\1\2\0\0\0\1\0" "\0\0\0\x08\2\0\0\0\1\1", 68);
  const auto got = read_command(std::as_bytes(std::span(echo)));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->kind, Kind::echo_rq);
  EXPECT_EQ(got->sop_class, uid::verification);
  EXPECT_EQ(got->message_id, 1);
  EXPECT_FALSE(got->has_data);
}

TEST(Command, RefusesWhatIsCutOffOrUnknown) {
  Command sent;
  const auto bytes = to_bytes(sent);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(read_command(std::span(bytes).first(length)).has_value()) << length;
  sent.kind = static_cast<Kind>(0x1234);
  EXPECT_FALSE(read_command(to_bytes(sent)).has_value());
}

TEST(Command, AnAnswerHoldsNoControlCharacters) {
  EXPECT_EQ(answer_to({}, 0xC000, "a\nb\\c\xC3").comment, "a?b?c?");
  EXPECT_EQ(answer_to({}, 0xC000, std::string(100, 'x')).comment.size(), 64U);
}

TEST(Elements, FindTheUidsPastSequencesInEachEncoding) {
  ElementWriter little(true), implicit(false);
  for (ElementWriter* w : {&little, &implicit}) {
    w->text(0x00080005, "CS", "ISO_IR 100");
    w->text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
    w->text(0x00080018, "UI", "1.2.3.4");
    w->text(0x00100010, "PN", "<script>alert(1)</script>");
  }
  for (const auto& uids : {head_uids(little.bytes(), Encoding::explicit_little), head_uids(implicit.bytes(), Encoding::implicit_little)}) {
    EXPECT_EQ(uids.sop_class, "1.2.840.10008.5.1.4.1.1.2");
    EXPECT_EQ(uids.sop_instance, "1.2.3.4");
  }
  EXPECT_TRUE(head_uids(little.bytes(), Encoding::closed).sop_class.empty());
}

TEST(Elements, SkipASequenceOfUndefinedLength) {
  constexpr std::string_view nested("\x08\0\x06\0SQ\0\0\xFF\xFF\xFF\xFF" "\xFE\xFF\0\xE0\xFF\xFF\xFF\xFF" "\x08\0\x18\0UI\2\0" "9\0"
                                    "\xFE\xFF\x0D\xE0\0\0\0\0" "\xFE\xFF\xDD\xE0\0\0\0\0" "\x08\0\x18\0UI\2\0" "1\0", 56);
  EXPECT_EQ(head_uids(std::as_bytes(std::span(nested)), Encoding::explicit_little).sop_instance, "1");
}

TEST(Elements, AMetaHeaderSaysWhereItsDataSetBegins) {
  const auto bytes = meta_header("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2.1");
  EXPECT_EQ(data_set_offset(bytes), bytes.size());
  EXPECT_EQ(data_set_offset(std::span(bytes).first(100)), 0U);
}

TEST(Contexts, TakeWhatTheSenderHas) {
  const std::string ct = "1.2.840.10008.5.1.4.1.1.2", jpeg = "1.2.840.10008.1.2.4.70", htj2k = "1.2.840.10008.1.2.4.201",
                    plain = "1.2.840.10008.1.2.1", implicit = "1.2.840.10008.1.2";
  EXPECT_EQ(chosen_syntax(ct, std::vector{jpeg, plain}, false), jpeg);
  EXPECT_EQ(chosen_syntax(ct, std::vector{implicit, plain}, false), plain);
  EXPECT_EQ(chosen_syntax(ct, std::vector{implicit}, false), implicit);
  EXPECT_EQ(chosen_syntax(ct, std::vector{htj2k}, false), htj2k);
  EXPECT_EQ(chosen_syntax(ct, std::vector{jpeg, plain}, true), plain);
  EXPECT_EQ(chosen_syntax(ct, std::vector{std::string("1.2.840.10008.1.2.4.94")}, false), "");
  EXPECT_EQ(chosen_syntax(uid::study_find, std::vector{jpeg}, false), "");
  EXPECT_TRUE(is_storage("1.2.840.10008.5.1.4.1.1.66.7"));  // Label Map Segmentation
  EXPECT_FALSE(is_storage(uid::study_find));
}

std::vector<std::byte> identifier(bool explicit_vr, std::string_view level) {
  ElementWriter out(explicit_vr);
  out.text(0x00080052, "CS", level);
  out.text(0x00080060, "CS", "");
  out.text(0x00100010, "PN", "M\xFCller*");
  out.text(0x0020000D, "UI", "");
  return out.bytes();
}

TEST(Query, AsksTheCatalogueForTheKeysThatHaveAValue) {
  for (const bool explicit_vr : {true, false}) {
    const auto query = read_query(identifier(explicit_vr, "SERIES"), explicit_vr ? Encoding::explicit_little : Encoding::implicit_little);
    ASSERT_TRUE(query.has_value());
    const engine::Search search = search_of(*query);
    EXPECT_EQ(search.level, engine::Level::series);
    ASSERT_EQ(search.match.size(), 1U);
    EXPECT_EQ(search.match[0].first, "00100010");
  }
  EXPECT_FALSE(read_query(identifier(true, "NONSENSE"), Encoding::explicit_little).has_value());
  EXPECT_FALSE(read_query(std::vector<std::byte>(7), Encoding::explicit_little).has_value());
}

TEST(Query, AMatchHoldsWhatWasAskedFor) {
  const auto query = read_query(identifier(true, "STUDY"), Encoding::explicit_little);
  ASSERT_TRUE(query.has_value());
  engine::Row row;
  row.study_uid = "1.2.3";
  row.attributes = Json::parse(R"({"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Li", "Ideographic": "X"}]},
                                          "00080060": {"vr": "CS", "Value": ["CT"]}, "00201208": {"vr": "IS", "Value": [7]}})");
  const auto bytes = match_bytes(*query, row, "PENTA", Encoding::explicit_little);
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_NE(text.find("Li=X"), std::string::npos);
  EXPECT_NE(text.find("1.2.3"), std::string::npos);
  EXPECT_NE(text.find("ISO_IR 192"), std::string::npos);
  const auto again = read_query(bytes, Encoding::explicit_little);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->value_of(0x00080060), "CT");
  EXPECT_EQ(again->value_of(0x00201208), "");  // not asked for
}

}  // namespace
}  // namespace penta::server::dimse
