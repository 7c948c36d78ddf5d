#include "engine/jobs/job_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "core/error.h"
#include "engine/jobs/process.h"
#include "engine/save.h"
#include "engine/store/blobs.h"
#include "engine/verbs.h"
#include "io/formats.h"

namespace penta::engine {

namespace {

namespace fs = std::filesystem;

std::string numbered(std::size_t number) {
  std::string digits = std::to_string(number);
  return digits.insert(0, digits.size() < 6 ? 6 - digits.size() : 0, '0');
}

// A second name of the same file; where the file system has none, a symbolic link.
void link_file(const fs::path& from, const fs::path& to) {
  std::error_code fault;
  fs::create_hard_link(from, to, fault);
  if (fault) fs::create_symlink(fs::absolute(from), to, fault);
  if (fault) throw Error(Code::output_failed, "'" + to.string() + "' cannot be made: " + fault.message());
}

void link_series(const fs::path& folder, const std::vector<StoredInstance>& files, Archive& archive) {
  make_folder(folder);
  std::size_t number = 0;
  for (const StoredInstance& file : files) link_file(archive.path_of(file), folder / (numbered(++number) + ".dcm"));
}

void link_study(const JobFolders& folders, const std::string& study_uid, Archive& archive) {
  const std::vector<StoredInstance> files = archive.catalogue().files(study_uid, "", "");
  if (files.empty()) throw Error(Code::bad_input, "the study " + study_uid + " is not in the archive any more");
  std::vector<std::string> series;
  for (const StoredInstance& file : files)
    if (std::find(series.begin(), series.end(), file.index.series_uid) == series.end()) series.push_back(file.index.series_uid);
  for (std::size_t i = 0; i < series.size(); ++i) {
    std::vector<StoredInstance> own;
    std::copy_if(files.begin(), files.end(), std::back_inserter(own), [&](const StoredInstance& f) { return f.index.series_uid == series[i]; });
    link_series(folders.in / numbered(i + 1), own, archive);
  }
}

// What steps before the method made, as result.json tells.
std::set<fs::path> made_by_others(const fs::path& out, const std::string& method) {
  std::set<fs::path> others;
  const fs::path file = out / "result.json";
  if (!fs::exists(file)) return others;
  const std::vector<std::byte> bytes = io::read_file(file);
  const Json json = Json::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (const Json* artifacts = json.find("artifacts"))
    for (const Json& artifact : artifacts->items())
      if (artifact.text_or("made_by", method) != method) others.insert(out / artifact.text_or("file", ""));
  return others;
}

}  // namespace

JobFolders folders_of(const fs::path& results, std::int64_t id) {
  const std::string name = std::to_string(id);
  return {results / (name + ".in"), results / (name + ".part"), results / name, results / (name + ".log"), results / (name + ".made")};
}

void link_inputs(const JobFolders& folders, const JobRequest& request, Archive& archive) {
  fs::remove_all(folders.in);
  fs::remove_all(folders.part);
  make_folder(folders.in);
  if (!request.task) return link_study(folders, request.study_uid, archive);
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    const std::string& series = request.inputs[i].series_uid;
    const std::vector<StoredInstance> files = archive.catalogue().files("", series, "");
    if (files.empty()) throw Error(Code::bad_input, "the series " + series + " is not in the archive any more");
    link_series(folders.in / numbered(i + 1), files, archive);
  }
}

std::vector<std::string> command_of(const JobFolders& folders, const JobRequest& request, const fs::path& program, double memory_gb) {
  std::vector<std::string> command{program.string(), request.task ? std::string(verb_of(*request.task)) : "report"};
  if (request.task) {
    command.push_back(request.method);
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
      const std::string& role = request.inputs[i].role;
      command.push_back((role.empty() ? "" : role + "=") + (folders.in / numbered(i + 1)).string());
    }
  } else {
    command.push_back(folders.in.string());
  }
  command.insert(command.end(), {"-o", folders.part.string(), "--seed=" + std::to_string(request.seed),
                                 "--memory-gb=" + std::to_string(memory_gb), "--progress=json", "--sandbox"});
  for (const auto& [name, value] : request.settings) command.push_back("--set=" + name + "=" + value);
  return command;
}

void keep_results(const JobFolders& folders) {
  std::error_code fault;
  fs::remove_all(folders.out, fault);
  fs::rename(folders.part, folders.out, fault);
  if (fault) throw Error(Code::output_failed, "'" + folders.out.string() + "' cannot be made: " + fault.message());
  sync_folder(folders.out);
  sync_folder(folders.out.parent_path());
}

void note_made(const JobFolders& folders, const std::vector<std::string>& series_uids) {
  if (series_uids.empty()) return;
  std::string text;
  for (const std::string& uid : series_uids) text += uid + "\n";
  const Handle file(::open(folders.made.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const auto length = static_cast<ssize_t>(text.size());
  if (file.get() < 0 || ::write(file.get(), text.data(), text.size()) != length || ::fsync(file.get()) != 0)
    throw Error(Code::output_failed, "'" + folders.made.string() + "' cannot be written");
  sync_folder(folders.made.parent_path());
}

std::vector<std::string> read_made(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  return lines;
}

std::vector<fs::path> dicom_files(const fs::path& out, const std::string& method) {
  std::vector<fs::path> files;
  if (!fs::is_directory(out)) return files;
  const std::set<fs::path> others = method.empty() ? std::set<fs::path>{} : made_by_others(out, method);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(out))
    if (entry.is_regular_file() && entry.path().extension() == ".dcm" && others.count(entry.path()) == 0) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace penta::engine
