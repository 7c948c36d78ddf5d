#include "engine/report_pdf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "engine/pdf_text.h"

namespace penta::engine {
namespace {

StudyReport made_study(const std::string& description) {
  SeriesReport series;
  series.folder = "CT-001";
  series.modality = "CT";
  series.format = "DICOM";
  series.acquisition.study_uid = "1.2.3";
  series.acquisition.series_uid = "1.2.3.4";
  series.acquisition.patient.name = "Doe^Jane";
  series.acquisition.series_description = description;
  series.pictures.push_back({"key.png", "key images", Picture(64, 48, {10, 200, 30})});
  for (int i = 0; i < 200; ++i) {
    Measurement m;
    m.name = "volume";
    m.value = i;
    m.unit = "mL";
    m.region = "organ " + std::to_string(i);
    m.formula = "voxels * voxel volume, a sentence that is long enough to need two lines of its narrow column";
    series.measurements.push_back(m);
  }
  StudyReport study;
  study.study_uid = "1.2.3";
  study.series.push_back(std::move(series));
  return study;
}

std::string_view text_of(const std::vector<std::byte>& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(ReportPdf, TheSameReportGivesTheSameBytes) {
  const std::vector<StudyReport> studies{made_study("abdomen")};
  EXPECT_EQ(report_pdf(studies, {}, Job{}, "en"), report_pdf(studies, {}, Job{}, "en"));
  const auto pdf = report_pdf(studies, {}, Job{}, "en");
  EXPECT_EQ(text_of(pdf).find("CreationDate"), std::string_view::npos);
}

TEST(ReportPdf, FlowsOverPagesWithFontsEmbedded) {
  const std::vector<StudyReport> studies{made_study("abdomen")};
  const auto english = report_pdf(studies, {}, Job{}, "en"), chinese = report_pdf(studies, {}, Job{}, "zh");
  EXPECT_GE(count_of(text_of(english), "/Type /Page\n"), 4U);
  EXPECT_EQ(count_of(text_of(english), "/FontFile2"), 1U);
  EXPECT_EQ(count_of(text_of(chinese), "/FontFile2"), 2U);
  EXPECT_THROW((void)report_pdf(studies, {}, Job{}, "xx"), Error);
}

TEST(ReportPdf, WhatHeadersHoldCannotBreakIt) {
  for (const std::string& text : {std::string("(a) \\ <<>> %PDF"), std::string("\xFF\xC0\x80 broken"), std::string("\xF0\x9F\xA7\xA0"),
                                  std::string(5000, 'x'), std::string("a\0b", 3), std::string("\xE8\x84\x91 \xE8\x84\x91")})
    EXPECT_GT(report_pdf(std::vector{made_study(text)}, {}, Job{}, "en").size(), 1000U);
}

TEST(ReportDicom, HoldsThePdfAndHidesNamesWhenAsked) {
  const StudyReport study = made_study("abdomen");
  Job job;
  job.creation_time = "20260102030405";
  const auto pdf = report_pdf(std::span(&study, 1), {}, job, "en");
  const auto dicom = report_dicom(study, pdf, job);
  EXPECT_NE(std::search(dicom.begin(), dicom.end(), pdf.begin(), pdf.end()), dicom.end());
  EXPECT_NE(text_of(dicom).find("Doe^Jane"), std::string_view::npos);
  EXPECT_NE(text_of(dicom).find("1.2.840.10008.5.1.4.1.1.104.1"), std::string_view::npos);
  job.deidentified = true;
  EXPECT_EQ(text_of(report_dicom(study, pdf, job)).find("Doe"), std::string_view::npos);
  EXPECT_THROW((void)report_dicom(study, {}, job), Error);
}

TEST(PdfText, WrapsBetweenWordsAndWithinLongOnes) {
  const auto unit = [](char32_t) { return 1.0; };
  EXPECT_EQ(wrap("one two three", 7, unit), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrap("abcdefgh", 3, unit), (std::vector<std::string>{"abc", "def", "gh"}));
  EXPECT_EQ(wrap("", 3, unit), (std::vector<std::string>{""}));
  EXPECT_EQ(wrap("a bcd", 3, unit), (std::vector<std::string>{"a", "bcd"}));
  EXPECT_EQ(shown("a\xFF\tb"), "a? b");
}

}  // namespace
}  // namespace penta::engine
