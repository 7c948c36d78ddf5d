#include <algorithm>
#include <iostream>

#include "apps/cli/commands.h"
#include "core/parallel.h"
#include "engine/report.h"

namespace penta::cli {

namespace {

int run_report(const Given& given) {
  Control control = control_of(given);
  const ThreadLimit threads(control.threads);
  engine::ReportSettings settings;
  settings.settings = settings_of(given);
  settings.cohort = given.has("cohort");
  settings.resume = given.has("resume");
  settings.deidentified = given.has("deidentified");
  settings.jobs = std::max(1, count_of(given, "jobs", 1));
  settings.language = given.one_or("language", "en");
  engine::Job job = engine::start_job("report", "");
  job.software_version = version_text();
  job.seg = engine::seg_type_of(given.one_or("seg", "auto"));
  job.seed = control.seed;
  job.paths = given.many("STUDY");
  const std::vector<std::filesystem::path> paths(job.paths.begin(), job.paths.end());
  const std::string out = given.one("out");
  const int code = engine::report(paths, out, settings, job, control);
  std::cout << "report: " << out << "/report.html (research use, not a medical device)\n";
  return code;
}

}  // namespace

Command report_command() {
  using enum Option::Kind;
  Command command{"report", "the main job: run every method that fits on every series, and write one report", {}, {}, {}};
  command.options = {{many, "STUDY", "files or folders", true},
                     {one, "-o,--out", "the folder for results", true},
                     {flag, "--cohort", "one folder a study, one long cohort.csv", false},
                     {flag, "--resume", "leave out studies that are done", false},
                     {one, "--jobs", "studies of a cohort worked on at once (default 1)", false},
                     {flag, "--deidentified", "no names in the report", false},
                     {one, "--language", "en or zh", false}};
  command.options.push_back(seg_option());
  for (Option& option : running_options()) command.options.push_back(std::move(option));
  command.run = run_report;
  return command;
}

}  // namespace penta::cli
