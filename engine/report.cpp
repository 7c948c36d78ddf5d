#include "engine/report.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "engine/cohort.h"
#include "engine/report_pdf.h"
#include "engine/series_report.h"
#include "io/formats.h"

namespace penta::engine {

namespace fs = std::filesystem;

namespace {

// "CT-001": modality or kind, and the place in the study; no text of the header goes into a path.
std::string folder_name(const Entry& entry, std::size_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < 3 ? 3 - digits.size() : 0, '0');
  const std::string& modality = entry.acquisition.modality;
  std::string name = !modality.empty() ? modality : entry.kind == "other" ? "unread" : entry.kind;
  return name + "-" + digits;
}

using Studies = std::vector<std::vector<const Entry*>>;

Studies by_study(const Opened& opened) {
  std::map<std::string, std::size_t> places;
  Studies studies;
  for (const Entry& entry : opened.entries) {
    const auto [it, is_new] = places.emplace(entry.acquisition.study_uid, studies.size());
    if (is_new) studies.emplace_back();
    studies[it->second].push_back(&entry);
  }
  return studies;
}

std::vector<ContentPtr> contours_and_labels(const std::vector<const Entry*>& study) {
  std::vector<ContentPtr> found;
  for (const Entry* entry : study) {
    if (entry->kind != "contours" && entry->kind != "segmentation") continue;
    try {
      found.push_back(entry->load());
    } catch (const Error& fault) {
      // Said again, with the file, when the series itself is reported.
      if (fault.code() == Code::cancelled) throw;
    }
  }
  return found;
}

Json series_json(const SeriesReport& series) {
  Json faults = Json::array();
  for (const Remark& fault : series.faults) faults.push(to_json(fault));
  Json json = Json::object();
  json.set("series_uid", series.acquisition.series_uid);
  json.set("modality", series.modality.empty() ? Json() : Json(series.modality));
  json.set("recognised", series.recognised.empty() ? Json() : Json(series.recognised));
  return json.set("kind", series.kind).set("folder", series.folder).set("faults", std::move(faults));
}

struct Output {
  std::vector<StudyReport> studies;
  Result result;
  Json series = Json::array();
  bool failed = false;
};

// report.pdf, and for each study that came as DICOM the same as an instance of it.
void write_documents(const fs::path& out, const Output& output, const Opened& opened, const Job& job,
                     const ReportSettings& settings) {
  if (output.studies.empty()) return;
  const std::vector<std::byte> pdf = report_pdf(output.studies, opened.faults, job, settings.language);
  io::write_file(out / "report.pdf", pdf);
  const bool one = output.studies.size() == 1;
  for (std::size_t i = 0; i < output.studies.size(); ++i) {
    const StudyReport& study = output.studies[i];
    if (study.series.front().format != "DICOM") continue;
    const auto alone = one ? pdf : report_pdf(std::span(&study, 1), {}, job, settings.language);
    io::write_file(out / (one ? "report.dcm" : "report-" + std::to_string(i + 1) + ".dcm"), report_dicom(study, alone, job));
  }
}

void write_output(const fs::path& out, const Output& output, const Opened& opened, const Job& job,
                  const ReportSettings& settings) {
  Json json = Json::object();
  json.set("penta", job.software_version).set("task", "report").set("seed", static_cast<std::int64_t>(job.seed));
  json.set("notice", "research use, not a medical device").set("state", output.failed ? "failed" : "done");
  json.set("series", output.series);
  output.result.put_into(json);
  write_csv(out / "measurements.csv", output.result.all_measurements);
  const std::string html = report_html(output.studies, opened.faults, job, settings.language);
  io::write_file(out / "report.html", std::as_bytes(std::span(html)));
  write_documents(out, output, opened, job, settings);
  write_json(out / "result.json", json);
  write_run_json(out, job);
}

void report_study(const std::vector<const Entry*>& study, const fs::path& out, const Methods& methods,
                  const ReportSettings& settings, const Job& job, Control& control, std::size_t& number, Output& output) {
  const std::vector<ContentPtr> others = contours_and_labels(study);
  StudyReport report{study.front()->acquisition.study_uid, {}};
  for (const Entry* entry : study) {
    const std::string folder = folder_name(*entry, ++number);
    control.report(0, "reading " + folder + " (" + entry->shape + ")");
    report.series.push_back(
        report_series(*entry, others, folder, out, methods, settings, job, control, output.result));
    const SeriesReport& series = report.series.back();
    for (const Remark& fault : series.faults) output.result.add(fault);
    for (const Remark& remark : series.remarks)
      if (remark.code == "method_not_run") output.result.add(remark);
    output.series.push(series_json(series));
    output.failed = output.failed || series.failed;
  }
  output.studies.push_back(std::move(report));
}

bool has_errors(const std::vector<Remark>& faults) {
  return std::any_of(faults.begin(), faults.end(), [](const Remark& r) { return r.severity == Severity::error; });
}

int exit_code(bool failed) { return failed ? code_row(Code::partly_done).exit_code : 0; }

int report_together(const Opened& opened, const fs::path& out, const Methods& methods, const ReportSettings& settings,
                    const Job& job, Control& control) {
  make_folder(out);
  Output output;
  for (const Remark& fault : opened.faults) output.result.add(fault);
  std::size_t number = 0;
  for (const auto& study : by_study(opened))
    report_study(study, out, methods, settings, job, control, number, output);
  write_output(out, output, opened, job, settings);
  control.report(1, "done");
  return exit_code(output.failed || has_errors(opened.faults));
}

std::string study_folder(const std::string& study_uid) { return "study-" + Sha256().add(study_uid).hex().substr(0, 12); }

// Rows of one study: its measurements.csv, each line with the study and its state before it; a study without a number
// costs one row.
std::string cohort_rows(const std::string& study_uid, const std::string& state, const fs::path& csv) {
  const std::string start = study_uid + "," + state + ",";
  std::string rows;
  std::ifstream lines(csv);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) rows += start + line + "\n";
  return rows.empty() ? start + ",,,,,,,\n" : rows;
}

std::size_t line_count(const std::string& text) { return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')); }

CohortRow row_of(const std::string& uid, const std::string& state, std::size_t measurements, const fs::path& folder) {
  return {uid, study_folder(uid), state, cohort_rows(uid, state, folder / "measurements.csv"), measurements};
}

// A study that failed is done again.
bool done_before(const fs::path& folder) {
  if (!fs::exists(folder / "result.json")) return false;
  const std::vector<std::byte> bytes = io::read_file(folder / "result.json");
  return Json::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).text_or("state", "") == "done";
}

CohortRow report_one_of(const std::vector<const Entry*>& study, const fs::path& out, const Methods& methods,
                        const ReportSettings& settings, const Job& job, Control& control) {
  const std::string uid = study.front()->acquisition.study_uid;
  const fs::path folder = out / study_folder(uid);
  if (settings.resume && done_before(folder)) {
    CohortRow row = row_of(uid, "done before", 0, folder);
    row.measurements = line_count(row.csv);
    return row;
  }
  make_folder(folder);
  Output output;
  std::size_t number = 0;
  report_study(study, folder, methods, settings, job, control, number, output);
  write_output(folder, output, {}, job, settings);
  return row_of(uid, output.failed ? "failed" : "done", output.result.all_measurements.size(), folder);
}

// cohort.csv, result.json and the summary page.
void write_cohort(const fs::path& out, std::span<const CohortRow> done, const Opened& opened, const Job& job,
                  const ReportSettings& settings) {
  std::string rows = "study_uid,state," + std::string(csv_header) + "\n";
  Json studies = Json::array(), remarks = Json::array();
  for (const CohortRow& row : done) {
    rows += row.csv;
    studies.push(Json::object().set("study_uid", row.study_uid).set("folder", row.folder).set("state", row.state));
  }
  for (const Remark& fault : opened.faults) {
    remarks.push(to_json(fault));
    if (fault.severity == Severity::error) rows += ",unreadable,,,,,,,,\n";
  }
  io::write_file(out / "cohort.csv", std::as_bytes(std::span(rows)));
  const std::string html = cohort_html(done, opened.faults, settings.language);
  io::write_file(out / "report.html", std::as_bytes(std::span(html)));
  Json json = Json::object();
  json.set("penta", job.software_version).set("task", "report").set("notice", "research use, not a medical device");
  write_json(out / "result.json", json.set("studies", std::move(studies)).set("remarks", std::move(remarks)));
  write_run_json(out, job);
}

int report_cohort(const Opened& opened, const fs::path& out, const Methods& methods, const ReportSettings& settings,
                  const Job& job, Control& control) {
  make_folder(out);
  const Studies studies = by_study(opened);
  std::vector<CohortRow> done(studies.size());
  run_jobs(static_cast<std::int64_t>(studies.size()), settings.jobs, [&](std::int64_t job_number) {
    const auto i = static_cast<std::size_t>(job_number);
    done[i] = report_one_of(studies[i], out, methods, settings, job, control);
  });
  write_cohort(out, done, opened, job, settings);
  const bool failed = has_errors(opened.faults) ||
                      std::any_of(done.begin(), done.end(), [](const CohortRow& row) { return row.state == "failed"; });
  control.report(1, "done");
  return exit_code(failed);
}

void check_settings(const Methods& methods, const Runner::Settings& settings) {
  for (const auto& [name, value] : settings) {
    const bool known = is_read_setting(name) ||
                       std::any_of(methods.all().begin(), methods.all().end(),
                                   [&n = name](const MethodPtr& m) { return m->card().parameter(n) != nullptr; });
    if (!known) throw Error(Code::wrong_use, "--set " + name + "=" + value + ": no method has such a parameter");
  }
}

// Names of people stand in names of files more often than they should.
std::string without_file_names(const std::string& text) {
  std::string safe;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const bool file = word.find('/') != std::string::npos ||
                      std::any_of(image_endings.begin(), image_endings.end(),
                                  [&](std::string_view ending) { return word.find(ending) != std::string::npos; });
    safe += (safe.empty() ? "" : " ") + (file ? std::string("[file]") : word);
  }
  return safe;
}

void leave_out_file_names(Opened& opened) {
  for (Remark& fault : opened.faults) fault.text = without_file_names(fault.text);
  for (Entry& entry : opened.entries) {
    if (entry.format != "DICOM") entry.acquisition.series_description.clear();
    for (Remark& fault : entry.faults) fault.text = without_file_names(fault.text);
  }
}

}  // namespace

int report(std::span<const fs::path> paths, const fs::path& out, const ReportSettings& settings, Job job, Control& control) {
  job.deidentified = settings.deidentified;
  control.report(0, "looking for images");
  const Methods methods = load_methods();
  check_settings(methods, settings.settings);
  Opened opened = open(paths, settings.settings, out);
  if (settings.deidentified) leave_out_file_names(opened);
  return settings.cohort ? report_cohort(opened, out, methods, settings, job, control)
                         : report_together(opened, out, methods, settings, job, control);
}

}  // namespace penta::engine
