#include <gtest/gtest.h>

#include "server/dicomweb/fake_test.h"
#include "server/dicomweb/search_query.h"

namespace penta::server {
namespace {

class Qido : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::string> files;
    for (int i = 1; i <= 6; ++i)
      files.push_back(
          fake_file("1.2." + std::to_string(i % 2), "1.2.1." + std::to_string(i % 2), "1.2.3." + std::to_string(i), i));
    ASSERT_EQ(pacs.post(files).status, 200);
  }
  Json rows(const std::string& path) {
    const auto answer = pacs.get(path);
    EXPECT_EQ(answer.status, 200) << path << answer.body;
    return Json::parse(answer.body);
  }
  FakePacs pacs;
};

TEST_F(Qido, AllLevelsAtAllPaths) {
  EXPECT_EQ(rows("/studies").items().size(), 2U);
  EXPECT_EQ(rows("/series").items().size(), 2U);
  EXPECT_EQ(rows("/studies/1.2.1/series").items().size(), 1U);
  EXPECT_EQ(rows("/instances").items().size(), 6U);
  EXPECT_EQ(rows("/studies/1.2.1/instances").items().size(), 3U);
  EXPECT_EQ(rows("/studies/1.2.0/series/1.2.1.0/instances").items().size(), 3U);
  const Json study = rows("/studies").items()[0];
  EXPECT_NE(study.at("00081190").at("Value").items()[0].text().find("http://localhost/dicomweb/studies/1.2."),
            std::string::npos);
}

TEST_F(Qido, KeysByTagAndKeyword) {
  EXPECT_EQ(rows("/studies?StudyInstanceUID=1.2.1").items().size(), 1U);
  EXPECT_EQ(rows("/studies?0020000D=1.2.1,1.2.0").items().size(), 2U);
  EXPECT_EQ(rows("/studies?PatientName=doe*").items().size(), 2U);
  EXPECT_EQ(rows("/studies?PatientName=jane&fuzzymatching=true").items().size(), 2U);
  EXPECT_EQ(pacs.get("/studies?PatientName=Smith").status, 204);
  EXPECT_EQ(pacs.get("/studies?NoSuchKeyword=1").status, 400);
  EXPECT_EQ(pacs.get("/studies?fuzzymatching=maybe").status, 400);
  const auto ignored = pacs.get("/studies?SliceThickness=5");
  EXPECT_EQ(ignored.status, 200);
  EXPECT_NE(header_of(ignored.headers, "Warning").value_or("").find("SliceThickness"), std::string::npos);
}

TEST_F(Qido, Paging) {
  EXPECT_EQ(rows("/instances?limit=4").items().size(), 4U);
  EXPECT_EQ(rows("/instances?limit=4&offset=4").items().size(), 2U);
  EXPECT_EQ(pacs.get("/instances?offset=6").status, 204);
  EXPECT_EQ(pacs.get("/instances?limit=0").status, 204);
  EXPECT_EQ(pacs.get("/instances?limit=-1").status, 400);
  EXPECT_FALSE(header_of(pacs.get("/instances").headers, "Warning"));
}

TEST_F(Qido, FieldsBeyondTheUsual) {
  EXPECT_EQ(rows("/instances").items()[0].find("00180050"), nullptr);
  EXPECT_NE(rows("/instances?includefield=SliceThickness").items()[0].find("00180050"), nullptr);
  EXPECT_NE(rows("/series?includefield=00180050").items()[0].find("00180050"), nullptr);
  EXPECT_NE(rows("/instances?includefield=all").items()[0].find("00180050"), nullptr);
  EXPECT_EQ(pacs.get("/instances?includefield=Rubbish!").status, 400);
}

TEST(Tags, TagsAndKeywords) {
  EXPECT_EQ(tag_named("0020000d"), "0020000D");
  EXPECT_EQ(tag_named("PatientID"), "00100020");
  for (const char* text : {"", "0020000", "patient id", "00400275.00400009", "0008,0060"})
    EXPECT_THROW((void)tag_named(text), HttpError) << text;
}

}  // namespace
}  // namespace penta::server
