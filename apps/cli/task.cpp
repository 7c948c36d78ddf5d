#include <algorithm>
#include <iostream>

#include "apps/cli/commands.h"
#include "core/error.h"
#include "core/parallel.h"
#include "engine/gate.h"
#include "engine/regions.h"
#include "engine/run.h"
#include "engine/save.h"
#include "engine/verbs.h"
#include "engine/warm.h"

namespace penta::cli {

namespace {

namespace fs = std::filesystem;

std::string text_of(Task task) {
  switch (task) {
    case Task::processing: return "an image to a better image of the same kind";
    case Task::segmentation: return "a label for every voxel";
    case Task::recognition: return "what this image is";
    case Task::detection: return "where findings are";
    case Task::generation: return "a new image from a seed";
    case Task::classification: return "a probability for each diagnosis";
    case Task::annotation: return "an image and marks to labels";
    case Task::synthesis: return "an image of one kind to an image of another";
    case Task::analysis: return "an image and labels to numbers with units";
    case Task::retrieval: return "a query to ranked cases";
  }
  return "";
}

std::string method_list(Task task) {
  std::string text = "Methods:\n";
  const engine::Methods methods = engine::load_methods();
  for (const MethodPtr& method : methods.all()) {
    const Card& card = method->card();
    if (card.task != task) continue;
    text += "  " + card.id + "  " + card.title + "\n";
    for (const InputRole& role : card.inputs)
      text += "      " + role.role + "=" + role.kind + (role.required ? "" : " (optional)") +
              (role.from.empty() ? "" : " (made by " + role.from.front() + " when not given)") + "\n";
    for (const Parameter& p : card.parameters)
      text += "      --set " + p.name + "=" + (p.default_value.is_null() ? "..." : p.default_value.dump()) + " " + p.unit + "  " + p.text + "\n";
  }
  return text;
}

bool is_regions(const engine::Entry& entry) { return entry.kind == "contours" || entry.kind == "segmentation"; }

bool may_be(const engine::Entry& entry, const InputRole* role, const Card& card) {
  if (!entry.readable || is_regions(entry)) return false;
  if (role == nullptr) return true;
  if ((role->kind == "raw") != (entry.kind == "projections")) return false;
  const std::string& modality = entry.acquisition.modality;
  return modality.empty() || engine::takes_modality(card, *role, modality);
}

// The one image at a path that the role can take. Another number than one is an error that says what is there.
engine::ContentPtr only_image(const engine::Methods& methods, const fs::path& path, const InputRole* role,
                              const Card& card, const engine::ReadSettings& settings) {
  const std::array<fs::path, 1> paths{path};
  const engine::Opened opened = engine::open(paths, settings);
  std::vector<const engine::Entry*> fitting;
  std::string there, instead;
  for (const engine::Entry& entry : opened.entries) {
    if (instead.empty() && entry.readable) instead = methods.would_fit(card.task, entry.acquisition.modality);
    there += (there.empty() ? "" : "; ") + entry.acquisition.modality + " " + entry.kind + " " + entry.shape;
    if (!entry.readable && !entry.faults.empty()) there += " (" + entry.faults.front().text + ")";
    if (may_be(entry, role, card)) fitting.push_back(&entry);
  }
  if (fitting.size() == 1 || (opened.single_file && opened.entries.size() == 1 && opened.entries.front().readable))
    return (fitting.empty() ? &opened.entries.front() : fitting.front())->load();
  if (fitting.empty()) throw Error(Code::bad_input, "'" + path.string() + "' holds nothing that '" + card.id + "' can take: " + there + instead);
  throw Error(Code::wrong_use, "'" + path.string() + "' holds several images that '" + card.id + "' can take: " + there);
}

// "pet=A" is the role pet only when some method has such a role and no file is called "pet=A".
engine::Supply supply_of(const engine::Methods& methods, const Card& card, const std::string& text,
                         const engine::ReadSettings& settings) {
  const std::size_t at = text.find('=');
  std::string role;
  fs::path path = text;
  if (at != std::string::npos && !fs::exists(path)) {
    role = text.substr(0, at);
    path = text.substr(at + 1);
    if (!methods.has_role(role)) throw Error(Code::wrong_use, "'" + card.id + "' has no input '" + role + "'");
  }
  const InputRole* wanted = role.empty() ? nullptr : card.input(role);
  if (wanted != nullptr && (wanted->kind == "labels" || wanted->kind == "regions")) return {role, engine::open_labels(path)};
  // A table is no image that could be told from others: the method says that it wants one.
  const bool all_tables = std::all_of(card.inputs.begin(), card.inputs.end(), [](const InputRole& r) { return r.kind == "table"; });
  if ((wanted != nullptr && wanted->kind == "table") || (wanted == nullptr && !card.inputs.empty() && all_tables))
    return {role, engine::open_table(path)};
  return {role, only_image(methods, path, wanted, card, settings)};
}

// A folder with an image and its RTSTRUCT or SEG supplies both; of several images the one that the method can take.
void supply_folder(engine::Runner& runner, const engine::Methods& methods, const Method& method, const fs::path& path,
                   const engine::ReadSettings& settings) {
  std::vector<engine::ContentPtr> images, regions;
  const std::array<fs::path, 1> paths{path};
  for (const engine::Entry& entry : engine::open(paths, settings).entries)
    if (entry.readable) (is_regions(entry) ? regions : images).push_back(entry.load());
  std::vector<engine::ContentPtr> fitting;
  Workspace workspace;
  Control control;
  for (const engine::ContentPtr& image : images) {
    engine::Runner trial(methods, workspace, control);
    trial.supply({"", image});
    for (const engine::ContentPtr& other : regions) trial.supply({"", other});
    if (trial.can_run(method)) fitting.push_back(image);
  }
  // What says its modality goes before what does not.
  const auto unknown = [](const engine::ContentPtr& image) { return engine::acquisition_of(*image).modality.empty(); };
  if (!std::all_of(fitting.begin(), fitting.end(), unknown)) std::erase_if(fitting, unknown);
  if (fitting.size() > 1)
    throw Error(Code::wrong_use, "'" + path.string() + "' holds several images that '" + method.card().id + "' can take: name the folder of one");
  // None alone: the method may need two of them, or says itself what is missing.
  std::vector<Remark> remarks;
  for (const engine::ContentPtr& image : fitting.empty() ? images : fitting) {
    runner.supply({"", image});
    for (engine::ContentPtr& own : engine::regions_for(regions, *image, remarks)) runner.supply({"", std::move(own), true});
  }
  for (const Remark& remark : remarks) std::cerr << name_of(remark.severity) << ": " << remark.text << "\n";
}

// True when the method, or one that can make an input for it, has this parameter.
bool knows(const engine::Methods& methods, const Card& card, const std::string& name, int depth = 0) {
  if (card.parameter(name) != nullptr) return true;
  if (depth > 8) return false;
  for (const InputRole& role : card.inputs)
    for (const std::string& from : role.from)
      for (const Method* method : methods.suppliers(from))
        if (knows(methods, method->card(), name, depth + 1)) return true;
  return false;
}

// What no step of the chain knows is a wrong use, not a wish.
void check_settings(const engine::Methods& methods, const Card& card, const std::map<std::string, std::string>& settings) {
  for (const auto& [name, value] : settings)
    if (!engine::is_read_setting(name) && !knows(methods, card, name))
      throw Error(Code::wrong_use, "--set " + name + "=" + value + ": neither '" + card.id + "' nor what it needs has such a parameter");
}

void print_findings(const Findings& findings) {
  constexpr std::size_t most = 20;
  for (std::size_t i = 0; i < std::min(most, findings.size()); ++i) {
    const Finding& f = findings[i];
    const char* unit = f.in_pixels ? "px" : "mm";
    std::cout << f.label << " | score " << f.score << " | at " << f.centre.x << ", " << f.centre.y;
    if (f.in_pixels) std::cout << " px of frame " << f.frame + 1;
    else std::cout << ", " << f.centre.z << " mm";
    std::cout << " | " << f.size << " " << unit << "\n";
  }
  if (findings.size() > most) std::cout << "and " << findings.size() - most << " more in result.json\n";
}

void print_summary(const engine::Produced& last, const std::string& out) {
  for (const Artifact& artifact : last.answer.artifacts)
    if (const auto* list = std::get_if<Measurements>(&artifact.value))
      for (const Measurement& m : *list)
        std::cout << m.name << (m.region.empty() ? "" : " | " + m.region) << (m.side == Side::none ? "" : " | ")
                  << name_of(m.side) << " | " << m.value << " " << m.unit << "\n";
  for (const Artifact& artifact : last.answer.artifacts)
    if (const auto* list = std::get_if<Scores>(&artifact.value))
      for (const Score& s : *list)
        std::cout << s.label << (s.probability ? " | " + std::to_string(*s.probability) : "") << "\n";
  for (const Artifact& artifact : last.answer.artifacts)
    if (const auto* list = std::get_if<Findings>(&artifact.value)) print_findings(*list);
  std::cout << "written to " << out << " (research use, not a medical device)\n";
}

int run_task(Task task, const Given& given) {
  Control control = control_of(given);
  const ThreadLimit threads(control.threads);
  const engine::Methods methods = engine::load_methods();
  const Method& method = methods.at(task, given.one("METHOD"));
  const auto settings = settings_of(given);
  check_settings(methods, method.card(), settings);
  engine::Job job = engine::start_job(std::string(name_of(task)), method.card().id);
  job.software_version = version_text();
  job.seg = engine::seg_type_of(given.one_or("seg", "auto"));
  job.seed = control.seed;
  job.paths = given.many("INPUT");
  job.deidentified = given.has("deidentified");
  Workspace workspace;
  engine::Runner runner(methods, workspace, control, settings);
  const engine::Produced* last = nullptr;
  std::vector<Remark> remarks;
  const auto work = [&] {
    for (const std::string& text : job.paths) {
      if (fs::is_directory(text)) supply_folder(runner, methods, method, text, settings);
      else runner.supply(supply_of(methods, method.card(), text, settings));
    }
    runner.place_labels();
    runner.check_meaningful(method);
    last = &runner.run(method);
    if (runner.unused() != nullptr)
      throw Error(Code::wrong_use, "an input was given that '" + method.card().id + "' does not use (see --help for its inputs)");
    remarks = runner.outside_gate(method);
  };
  run_jobs(thread_count() > 1 ? 2 : 1, 2, [&](std::int64_t i) { i == 0 ? work() : engine::warm(methods, method); });
  for (const Remark& remark : remarks) std::cerr << name_of(remark.severity) << ": " << remark.text << "\n";
  for (const auto& step : runner.steps())
    for (const Remark& remark : step->answer.remarks) std::cerr << name_of(remark.severity) << ": " << remark.text << "\n";
  engine::save_method_run(given.one("out"), runner, *last, job, remarks);
  print_summary(*last, given.one("out"));
  return 0;
}

}  // namespace

Command task_command(Task task) {
  using enum Option::Kind;
  Command command{std::string(engine::verb_of(task)), text_of(task), {}, {}, {}};
  command.options = {{one, "METHOD", "id of the method, such as mr.hippocampus", true},
                     {many, "INPUT", "[ROLE=]PATH: a file, or a folder of one series", false},
                     {one, "-o,--out", "the folder for results", true},
                     {flag, "--deidentified", "no names in DICOM outputs", false}};
  command.options.push_back(seg_option());
  for (Option& option : running_options()) command.options.push_back(std::move(option));
  command.run = [task](const Given& given) { return run_task(task, given); };
  command.epilogue = [task] { return method_list(task); };
  return command;
}

}  // namespace penta::cli
