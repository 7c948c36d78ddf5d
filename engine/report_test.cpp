#include "engine/report.h"

#include <gtest/gtest.h>

#include <map>

#include "core/error.h"
#include "engine/texts.h"

namespace penta {

const std::map<std::string, std::string>& texts_files();

namespace engine {
namespace {

StudyReport study_with(const std::string& name) {
  SeriesReport series;
  series.folder = "PET-001";
  series.modality = "PET";
  series.acquisition.patient.name = name;
  series.acquisition.series_description = "<script>alert(1)</script> & \"more\"";
  Measurement m;
  m.name = "SUVmax";
  m.value = 7.910;
  m.unit = "g/mL";
  m.region = "GTV";
  series.measurements.push_back(m);
  StudyReport study;
  study.study_uid = "1.2.3";
  study.series.push_back(std::move(series));
  return study;
}

TEST(ReportHtml, SaysResearchUseAndEscapesWhatHeadersHold) {
  const std::vector<StudyReport> studies{study_with("Doe^Jane")};
  const std::string html = report_html(studies, {}, Job{}, "en");
  EXPECT_NE(html.find("not a medical device"), std::string::npos);
  EXPECT_EQ(html.find("<script>"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(html.find("Doe^Jane"), std::string::npos);
  EXPECT_NE(html.find("7.91"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos);
}

TEST(ReportHtml, HoldsNoNameWhenDeidentified) {
  const std::vector<StudyReport> studies{study_with("Doe^Jane")};
  Job job;
  job.deidentified = true;
  EXPECT_EQ(report_html(studies, {}, job, "en").find("Doe"), std::string::npos);
}

TEST(ReportHtml, SpeaksChinese) {
  const std::vector<StudyReport> studies{study_with("x")};
  EXPECT_NE(report_html(studies, {}, Job{}, "zh").find("\xe6\xb5\x8b\xe9\x87\x8f"), std::string::npos);
  EXPECT_THROW((void)report_html(studies, {}, Job{}, "xx"), Error);
}

TEST(Texts, BothLanguagesHaveTheSameKeys) {
  const Json en = Json::parse(texts_files().at("engine/texts/en.json"));
  const Json zh = Json::parse(texts_files().at("engine/texts/zh.json"));
  EXPECT_EQ(en.members().size(), zh.members().size());
  for (const auto& [key, text] : en.members()) EXPECT_NE(zh.find(key), nullptr) << key;
}

TEST(ResultJson, AValueOutsideItsPlausibleRangeGetsARemark) {
  Measurement m;
  m.name = "volume";
  m.value = 9;
  m.unit = "mL";
  m.plausible_range = {2, 5};
  const auto remark = implausible(m);
  ASSERT_TRUE(remark.has_value());
  EXPECT_EQ(remark->code, "implausible_value");
  m.value = 3;
  EXPECT_FALSE(implausible(m).has_value());
}

}  // namespace
}  // namespace engine
}  // namespace penta
