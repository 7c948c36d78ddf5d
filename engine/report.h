#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/picture.h"
#include "engine/result_json.h"
#include "engine/save.h"

namespace penta::engine {

struct ReportSettings {
  Runner::Settings settings;  ///< --set pairs: facts that files do not say, parameters
  bool cohort = false, resume = false, deidentified = false;
  int jobs = 1;  ///< studies of a cohort worked on at once
  std::string language = "en";
};

/// A picture of a report: its file in the series folder, and what it shows.
struct ReportPicture {
  std::string file, caption;
  Picture picture;
};

/// What the report says of one series.
struct SeriesReport {
  std::string folder;      ///< relative to OUT
  std::string modality, recognised, kind, shape, format;
  Acquisition acquisition;
  std::vector<ReportPicture> pictures;
  std::vector<Remark> faults, remarks;
  Measurements measurements;
  Findings findings;
  Scores scores;
  std::vector<const Card*> cards;  ///< of the methods that ran
  bool failed = false;
};

struct StudyReport {
  std::string study_uid;
  std::vector<SeriesReport> series;
};

/// The main job: scan, recognise each series, run every method that fits, write one result folder: report.html,
/// measurements.csv, result.json, run.json, and a folder a series; with `cohort`, one such folder a study and
/// cohort.csv. Returns the exit code (0, or 8 when some inputs failed).
/// Throws Error as open() does, and Error{output_failed}.
[[nodiscard]] int report(std::span<const std::filesystem::path> paths, const std::filesystem::path& out,
                         const ReportSettings& settings, Job job, Control& control);

/// report.html: one self-contained file without outside links.
[[nodiscard]] std::string report_html(std::span<const StudyReport> studies, std::span<const Remark> faults, const Job& job,
                                      const std::string& language);

}  // namespace penta::engine
