#include <gtest/gtest.h>

#include "server/dicomweb/fake_test.h"

namespace penta::server {
namespace {

constexpr const char* jpeg_2000 = "1.2.840.10008.1.2.4.90";
const std::string series = "/studies/1.2/series/1.2.1", first = series + "/instances/1.2.1.1",
                  packed = series + "/instances/1.2.1.2";

/// Two instances: three plain frames, and one frame of JPEG 2000.
class Wado : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(
        pacs.post({fake_file("1.2", "1.2.1", "1.2.1.1", 1, 3), fake_file("1.2", "1.2.1", "1.2.1.2", 2, 1, jpeg_2000)})
            .status,
        200);
  }
  std::string type(const ClientAnswer& answer) { return header_of(answer.headers, "Content-Type").value_or(""); }
  FakePacs pacs;
};

TEST_F(Wado, InstancesComeAsTheyAreStoredOrTranscoded) {
  const auto stored =
      pacs.get("/studies/1.2", {{"Accept", "multipart/related; type=\"application/dicom\"; transfer-syntax=*"}});
  EXPECT_EQ(stored.status, 200);
  EXPECT_NE(stored.body.find(fake_file("1.2", "1.2.1", "1.2.1.1", 1, 3)), std::string::npos);
  EXPECT_NE(stored.body.find("transfer-syntax=1.2.840.10008.1.2.4.90"), std::string::npos);
  const auto plain = pacs.get("/studies/1.2");
  EXPECT_NE(plain.body.find("transcoded 1.2.840.10008.1.2.1"), std::string::npos);
  EXPECT_EQ(pacs.get(first, {{"Accept", "application/dicom"}}).body, fake_file("1.2", "1.2.1", "1.2.1.1", 1, 3));
  EXPECT_EQ(pacs.get(packed, {{"Accept", "application/dicom"}}).body, "transcoded 1.2.840.10008.1.2.1");
  EXPECT_EQ(pacs.get("/studies/1.2", {{"Accept", "application/dicom"}}).status, 406);
  EXPECT_EQ(pacs.get("/studies/1.2", {{"Accept", "application/zip"}}).status, 406);
  EXPECT_EQ(pacs.get(first, {{"Accept", "application/zip"}, {"Accept", "application/dicom"}}).status, 200);
  EXPECT_EQ(pacs.get("/studies/1.3").status, 404);
}

TEST_F(Wado, MetadataHaveWholeAddresses) {
  for (const std::string& path : {std::string("/studies/1.2"), series}) {
    const auto answer = pacs.get(path + "/metadata");
    EXPECT_EQ(answer.status, 200);
    const Json json = Json::parse(answer.body);
    ASSERT_EQ(json.items().size(), 2U);
    EXPECT_EQ(json.items()[0].at("00431001").at("BulkDataURI").text(),
              "http://localhost/dicomweb" + first + "/bulk/00431001");
  }
  EXPECT_EQ(pacs.get(first + "/bulk/00431001", {{"Accept", "application/octet-stream"}}).body, "bulk 00431001");
  EXPECT_EQ(pacs.get(first + "/bulk/x%00", {}).status, 400);
  EXPECT_EQ(pacs.get(first + "/bulk/passwd").status, 400);
  EXPECT_EQ(pacs.get("/studies/1.3/metadata").status, 404);
}

TEST_F(Wado, FramesAreRangesOfTheFile) {
  const auto two = pacs.get(first + "/frames/3,1");
  EXPECT_EQ(two.status, 200);
  EXPECT_EQ(type(two).substr(0, 62), "multipart/related; type=\"application/octet-stream\"; boundary=p");
  EXPECT_LT(two.body.find("<f3>"), two.body.find("<f1>"));
  EXPECT_EQ(pacs.get(first + "/frames/2", {{"Accept", "application/octet-stream"}}).body, "<f2>");
  EXPECT_EQ(pacs.get(first + "/frames/4").status, 404);
  EXPECT_EQ(pacs.get(first + "/frames/0").status, 400);
  EXPECT_EQ(pacs.get(first + "/frames/1,x").status, 400);
  EXPECT_EQ(pacs.get(first + "/frames/1", {{"Accept", "multipart/related; type=\"image/jpeg\""}}).status, 406);
}

TEST_F(Wado, EncapsulatedFramesAsTheyAreAskedFor) {
  const auto asked = [&](const std::string& accept) { return pacs.get(packed + "/frames/1", {{"Accept", accept}}); };
  EXPECT_EQ(asked("image/jp2").body, "<f1>");
  EXPECT_EQ(asked("application/octet-stream").body, "native 1");
  const auto cornerstone = asked("multipart/related; type=application/octet-stream; transfer-syntax=*");
  EXPECT_NE(cornerstone.body.find("Content-Type: application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.90"),
            std::string::npos);
  EXPECT_NE(cornerstone.body.find("<f1>"), std::string::npos);
  EXPECT_NE(asked("multipart/related; type=\"application/octet-stream\"").body.find("native 1"), std::string::npos);
  EXPECT_NE(asked("multipart/related; type=\"image/jp2\"").body.find("Content-Type: image/jp2"), std::string::npos);
  EXPECT_EQ(asked("multipart/related; type=\"image/jls\"").status, 406);
}

TEST_F(Wado, RenderedPicturesAndThumbnails) {
  EXPECT_EQ(pacs.get(first + "/rendered").body, "image/jpeg 1 0 0");
  const auto png = pacs.get(first + "/frames/2/rendered?window=40,400,linear&viewport=256,256&quality=80",
                            {{"Accept", "image/png"}});
  EXPECT_EQ(png.body, "image/png 2 400 256");
  EXPECT_EQ(type(png), "image/png");
  EXPECT_EQ(pacs.get(first + "/rendered?accept=image/png").body, "image/png 1 0 0");
  EXPECT_EQ(pacs.get(first + "/rendered", {{"Accept", "image/gif"}}).status, 406);
  for (const char* query : {"window=1", "window=a,b", "window=1,0,linear", "viewport=0,0", "viewport=1,1,1,1,1,1",
                            "quality=0", "window=40,400,sigmoid"})
    EXPECT_EQ(pacs.get(first + "/rendered?" + query).status, 400) << query;
  EXPECT_EQ(pacs.get(series + "/thumbnail").body, "image/jpeg 1 0 128");
  EXPECT_EQ(pacs.get("/studies/9/thumbnail").status, 404);
  EXPECT_EQ(pacs.post({fake_file("1.2", "1.2.2", "1.2.2.1", 1, 3, "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.66.4")})
                .status,
            200);
  EXPECT_EQ(pacs.get("/studies/1.2/series/1.2.2/instances/1.2.2.1/rendered").status, 406) << "labels alone";
  EXPECT_EQ(pacs.get("/studies/1.2/series/1.2.2/thumbnail").status, 404);
  const auto etag = header_of(png.headers, "ETag");
  ASSERT_TRUE(etag);
  EXPECT_EQ(pacs.get(first + "/frames/2/rendered?window=40,400,linear&viewport=256,256&quality=80",
                     {{"Accept", "image/png"}, {"If-None-Match", *etag}})
                .status,
            304);
}

}  // namespace
}  // namespace penta::server
