#include <gtest/gtest.h>

#include "server/dicomweb/fake_test.h"

namespace penta::server {
namespace {

const Json& items(const Json& json, std::string_view tag) {
  static const Json none = Json::array();
  const Json* found = json.find(tag);
  return found == nullptr ? none : found->at("Value");
}

// Published: PS3.18 table 10.5.3-1 and annex I.2.
TEST(Stow, EveryInstanceIsAnsweredFor) {
  const FakePacs pacs;
  std::vector<std::string> files;
  for (int i = 1; i <= 150; ++i) files.push_back(fake_file("1.2", "1.2.1", "1.2.1." + std::to_string(i), i));
  const auto all = pacs.post(files);
  EXPECT_EQ(all.status, 200);
  EXPECT_EQ(header_of(all.headers, "Content-Type"), "application/dicom+json");
  const Json kept = Json::parse(all.body);
  EXPECT_EQ(items(kept, "00081199").items().size(), 150U);
  EXPECT_EQ(items(kept, "00081199").items()[0].at("00081155").at("Value").items()[0].text(), "1.2.1.1");
  EXPECT_NE(kept.at("00081190").at("Value").items()[0].text().find("/dicomweb/studies/1.2"), std::string::npos);
  EXPECT_EQ(pacs.post(files).status, 200) << "the same bytes again are no fault";
}

TEST(Stow, RefusedInstancesSayWhyAndTheRestIsKept) {
  const FakePacs pacs;
  const auto some = pacs.post({fake_file("1.2", "1.2.1", "1.2.1.1"), "rubbish"});
  EXPECT_EQ(some.status, 202);
  const Json json = Json::parse(some.body);
  EXPECT_EQ(items(json, "00081199").items().size(), 1U);
  const Json& failed = items(json, "00081198").items().at(0);
  EXPECT_EQ(failed.at("00081197").at("Value").items()[0].integer(), 0xC000);
  EXPECT_NE(failed.at("0040A160").at("Value").items()[0].text().find("the file is no DICOM"), std::string::npos);
  EXPECT_EQ(pacs.post({"rubbish"}).status, 409);
  const auto other = pacs.post({fake_file("1.2", "1.2.1", "1.2.1.1", 7)});
  EXPECT_EQ(other.status, 409);
  EXPECT_EQ(items(Json::parse(other.body), "00081198").items().at(0).at("00081197").at("Value").items()[0].integer(),
            0x0111);
}

TEST(Stow, TheAddressNamesTheStudy) {
  const FakePacs pacs;
  const auto answer =
      pacs.post({fake_file("1.2", "1.2.1", "1.2.1.1"), fake_file("9.9", "9.9.1", "9.9.1.1")}, "/studies/1.2");
  EXPECT_EQ(answer.status, 202);
  const Json json = Json::parse(answer.body);
  const Json& failed = items(json, "00081198").items().at(0);
  EXPECT_EQ(failed.at("00081197").at("Value").items()[0].integer(), 0xA900);
  EXPECT_EQ(failed.at("0040A160").at("Value").items()[0].text(), "the instance belongs to study 9.9");
  EXPECT_EQ(pacs.get("/studies/9.9").status, 404);
  EXPECT_EQ(pacs.get("/studies/1.2").status, 200);
}

TEST(Stow, OtherRequestsAreRefused) {
  const FakePacs pacs;
  Client client(pacs.port());
  EXPECT_EQ(client
                .ask("POST", "/dicomweb/studies", {{"Content-Type", "application/dicom"}},
                     fake_file("1.2", "1.2.1", "1.2.1.1"))
                .status,
            200);
  EXPECT_EQ(client
                .ask("POST", "/dicomweb/studies",
                     {{"Content-Type", "multipart/related; type=\"application/dicom+json\"; boundary=b"}}, "--b--")
                .status,
            415);
  EXPECT_EQ(client.ask("POST", "/dicomweb/studies", {{"Content-Type", "text/plain"}}, "x").status, 415);
  EXPECT_EQ(
      client.ask("POST", "/dicomweb/studies", {{"Content-Type", "multipart/related; boundary=b"}}, "--b--").status,
      400);
  EXPECT_EQ(client.ask("POST", "/dicomweb/studies/..%2Fx", {{"Content-Type", "application/dicom"}}, "x").status, 400);
}

}  // namespace
}  // namespace penta::server
