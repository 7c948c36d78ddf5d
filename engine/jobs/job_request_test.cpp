#include "engine/jobs/job_request.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "engine/jobs/rules.h"

namespace penta::engine {
namespace {

std::string refusal(const char* text) {
  try {
    (void)request_of(Json::parse(text));
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::wrong_use);
    return fault.what();
  }
  return "";
}

TEST(JobRequest, SaysWhatItSays) {
  const JobRequest request = request_of(Json::parse(
      R"({"task":"segmentation","method":"ct.body","inputs":[{"role":"image","series_uid":"1.2.3"}],"settings":{"a":1.5,"b":true,"c":"x"},
          "seed":7,"memory_gb":2,"review":"automatic","send_to":["PACS"],"priority":"batch"})"));
  EXPECT_EQ(request.task, Task::segmentation);
  EXPECT_EQ(request.method, "ct.body");
  ASSERT_EQ(request.inputs.size(), 1U);
  EXPECT_EQ(request.inputs[0].series_uid, "1.2.3");
  ASSERT_EQ(request.settings.size(), 3U);
  EXPECT_EQ(request.settings[0].second, "1.5");
  EXPECT_EQ(request.settings[1].second, "true");
  EXPECT_EQ(request.settings[2].second, "x");
  EXPECT_EQ(request.seed, 7);
  EXPECT_TRUE(request.automatic);
  EXPECT_FALSE(request_of(Json::parse(R"({"task":"report","study_uid":"1.2"})")).task);
}

TEST(JobRequest, NamesWhatIsWrong) {
  EXPECT_NE(refusal(R"({"task":"cooking","method":"x"})").find("cooking"), std::string::npos);
  EXPECT_NE(refusal(R"({"task":"segmentation"})").find("method"), std::string::npos);
  EXPECT_NE(refusal(R"({"task":"report"})").find("study_uid"), std::string::npos);
  EXPECT_NE(refusal(R"({"task":"report","study_uid":"../x"})").find("UID"), std::string::npos);
  EXPECT_NE(refusal(R"({"task":"segmentation","method":"a","colour":1})").find("colour"), std::string::npos);
  EXPECT_NE(refusal(R"({"task":"segmentation","method":"a","seed":-1})").find("seed"), std::string::npos);
  EXPECT_NE(refusal(R"({"task":"segmentation","method":"a","settings":{"x=y":1}})").find("x=y"), std::string::npos);
  EXPECT_NE(refusal(R"({"task":"segmentation","method":"a\nb"})").find("control"), std::string::npos);
  EXPECT_NE(refusal(R"({"task":"segmentation","method":"a","review":"later"})").find("later"), std::string::npos);
}

TEST(Rules, ApplyByModalityAndDescription) {
  const Rule rule = rule_of(Json::parse(R"({"when":{"modality":"CT","description":"[Tt]horax"},"run":["report","segmentation/ct.body"],"send_to":["PACS"]})"), {"PACS"});
  EXPECT_TRUE(applies(rule, "CT", "Thorax 1 mm\nstaging"));
  EXPECT_FALSE(applies(rule, "MR", "Thorax 1 mm"));
  EXPECT_FALSE(applies(rule, "CT", "abdomen"));
  EXPECT_THROW((void)rule_of(Json::parse(R"({"run":["report"],"send_to":["PACS"]})"), {}), Error);
  EXPECT_THROW((void)rule_of(Json::parse(R"({"run":["cooking/x"]})"), {}), Error);
  EXPECT_THROW((void)rule_of(Json::parse(R"({"when":{"description":"("},"run":["report"]})"), {}), Error);
  EXPECT_THROW((void)rule_of(Json::parse(R"({"when":{"colour":"red"},"run":["report"]})"), {}), Error);
}

}  // namespace
}  // namespace penta::engine
