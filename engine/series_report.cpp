#include "engine/series_report.h"

#include <algorithm>

#include "core/error.h"
#include "engine/gate.h"
#include "engine/pictures.h"
#include "engine/regions.h"
#include "io/formats.h"
#include "io/png/png.h"

namespace penta::engine {

namespace {

std::string named(const std::string& id, const std::string& text) {
  return text.starts_with(id) ? text : id + ": " + text;
}

class SeriesRun {
 public:
  SeriesRun(const Methods& methods, Runner& runner, const io::Content& content, SeriesReport& report)
      : methods_(methods), runner_(runner), content_(content), report_(report) {}

  void all() {
    for (const MethodPtr& method : methods_.all())
      if (method->card().task == Task::recognition) attempt(*method);
    // What is of no known modality is looked at by what knows them all, and not measured.
    if (report_.modality.empty()) return;
    for (const MethodPtr& method : methods_.all())
      if (method->card().task != Task::recognition) attempt(*method);
  }

 private:
  void attempt(const Method& method) {
    if (!why_not(method.card()).empty() || !runner_.can_run(method) || beaten(method)) return;
    try {
      (void)runner_.run(method);
    } catch (const Error& fault) {
      if (fault.code() == Code::cancelled || fault.code() == Code::output_failed) throw;
      // A method that finds itself out of place is no fault of the study; our own faults and missing models are.
      const bool ours = fault.code() != Code::bad_input;
      report_.failed = report_.failed || ours;
      report_.remarks.push_back({ours ? Severity::error : Severity::note, "method_not_run",
                                 named(method.card().id, fault.what()), method.card().id,
                                 report_.acquisition.series_uid});
    }
  }

  std::string why_not(const Card& card) {
    std::string why = why_shut(card, content_);
    if (!why.empty()) return why;
    for (const std::string& role : card.gate.roles_present)
      if (std::none_of(runner_.supplies().begin(), runner_.supplies().end(),
                       [&](const Supply& s) { return s.role == role; }))
        return "without " + role;
    for (const Gate::Recognised& wanted : card.gate.recognised)
      if (!is_recognised(wanted)) return "not recognised as " + wanted.label;
    for (const InputRole& role : card.inputs)
      if (role.required && !role.from.empty() && !supplier_open(role)) return "its input " + role.role + " cannot be made";
    return {};
  }

  // A chain is as open as the steps before it: a biometry without a recognised head must not run by itself.
  bool supplier_open(const InputRole& role) {
    for (const std::string& from : role.from)
      for (const Method* method : methods_.suppliers(from))
        if (why_not(method->card()).empty()) return true;
    return std::any_of(runner_.supplies().begin(), runner_.supplies().end(), [&](const Supply& s) {
      if (role.kind == "regions") return std::holds_alternative<LabelMap>(*s.content) || std::holds_alternative<Contours>(*s.content);
      const auto* image = std::get_if<Image>(s.content.get());
      return image != nullptr && !role.unit.empty() && image->unit == role.unit;
    });
  }

  bool is_recognised(const Gate::Recognised& wanted) {
    for (const Method* method : methods_.suppliers(wanted.method)) attempt(*method);
    return runner_.recognised(wanted);
  }

  // Another open method of higher priority gives the same coded concept.
  bool beaten(const Method& method) {
    for (const OutputRole& output : method.card().outputs) {
      if (output.concept_code.empty()) continue;
      const std::string code = output.concept_code.scheme + ":" + output.concept_code.value;
      for (const Method* rival : methods_.suppliers(code))
        if (rival != &method && rival->card().task == method.card().task &&
            rival->card().priority > method.card().priority && why_not(rival->card()).empty() && runner_.can_run(*rival))
          return true;
    }
    return false;
  }

  const Methods& methods_;
  Runner& runner_;
  const io::Content& content_;
  SeriesReport& report_;
};

// What a recogniser that abstains leaves are names of classes, not what it saw.
bool abstained(const Answer& answer) {
  return std::any_of(answer.remarks.begin(), answer.remarks.end(), [](const Remark& remark) {
    return remark.code == "out_of_distribution" || remark.code == "undecided";
  });
}

// Header and pixels may say the same.
void say(const std::string& label, SeriesReport& report) {
  const std::string list = ", " + report.recognised + ",";
  if (list.find(", " + label + ",") == std::string::npos) report.recognised += (report.recognised.empty() ? "" : ", ") + label;
}

void take_results(const Produced& step, SeriesReport& report) {
  report.cards.push_back(&step.method->card());
  for (const Artifact& artifact : step.answer.artifacts) {
    if (const auto* list = std::get_if<Measurements>(&artifact.value))
      report.measurements.insert(report.measurements.end(), list->begin(), list->end());
    if (const auto* list = std::get_if<Findings>(&artifact.value))
      report.findings.insert(report.findings.end(), list->begin(), list->end());
    if (const auto* list = std::get_if<Scores>(&artifact.value)) {
      report.scores.insert(report.scores.end(), list->begin(), list->end());
      if (step.method->card().task == Task::recognition && !abstained(step.answer))
        for (const Score& score : *list)
          if (score.label != report.modality && (!score.probability || *score.probability >= 0.5)) say(score.label, report);
    }
  }
  report.remarks.insert(report.remarks.end(), step.answer.remarks.begin(), step.answer.remarks.end());
}

void write_pictures(SeriesReport& report, const std::filesystem::path& out) {
  for (const ReportPicture& picture : report.pictures)
    io::write_file(out / report.folder / picture.file, io::png::write(picture.picture));
}

void fail(SeriesReport& report, const std::string& text) {
  report.failed = true;
  report.faults.push_back({Severity::error, "unreadable", text, "", report.acquisition.series_uid});
}

void run_methods(const ContentPtr& content, std::span<const ContentPtr> others, const std::filesystem::path& out,
                 const Methods& methods, const ReportSettings& settings, const Job& job, Control& control,
                 SeriesReport& report, Result& result) {
  Workspace workspace;
  Runner runner(methods, workspace, control, settings.settings);
  runner.supply({"", content});
  for (ContentPtr& regions : regions_for(others, *content, report.remarks)) runner.supply({"", std::move(regions), true});
  SeriesRun(methods, runner, *content, report).all();
  const auto* image = std::get_if<Image>(content.get());
  for (const auto& step : runner.steps()) {
    const std::string name = methods.folder_of(step->method->card());
    const std::filesystem::path folder = out / report.folder / name;
    const std::size_t files_before = result.artifacts.items().size();
    make_folder(folder);
    save_artifacts(folder, report.folder + "/" + name + "/", *step, image, job, result);
    if (result.artifacts.items().size() == files_before) std::filesystem::remove(folder);
    result.add(*step, report.acquisition.series_uid);
    take_results(*step, report);
  }
  add_pictures(*content, runner, report);
}

}  // namespace

SeriesReport report_series(const Entry& entry, std::span<const ContentPtr> others, const std::string& folder,
                           const std::filesystem::path& out, const Methods& methods, const ReportSettings& settings,
                           const Job& job, Control& control, Result& result) {
  SeriesReport report;
  report.folder = folder;
  report.acquisition = entry.acquisition;
  report.modality = entry.acquisition.modality;
  report.kind = entry.kind;
  report.shape = entry.shape;
  report.format = entry.format;
  report.faults = entry.faults;
  for (Remark& fault : report.faults) fault.series_uid = entry.acquisition.series_uid;
  // What is broken is a failed input; a kind that is not read yet (a warning) is not.
  report.failed = std::any_of(entry.faults.begin(), entry.faults.end(), [](const Remark& r) { return r.severity == Severity::error; });
  if (!entry.readable) return report;
  try {
    const ContentPtr content = entry.load();
    if (const auto* image = std::get_if<Image>(content.get())) {
      report.acquisition = image->acquisition;
      report.modality = image->acquisition.modality;
      report.acquisition.series_description = entry.acquisition.series_description;
      report.shape = image->shape_text();
    }
    add_new(report.faults, remarks_of(*content));
    make_folder(out / folder);
    run_methods(content, others, out, methods, settings, job, control, report, result);
    write_pictures(report, out);
  } catch (const Error& fault) {
    if (fault.code() == Code::cancelled || fault.code() == Code::output_failed) throw;
    fail(report, fault.what());
  } catch (const std::bad_alloc&) {
    fail(report, "the machine's memory does not suffice for this series");
  }
  return report;
}

}  // namespace penta::engine
