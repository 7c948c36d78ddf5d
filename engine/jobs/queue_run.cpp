#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>

#include "core/error.h"
#include "engine/jobs/queue_state.h"

namespace penta::engine {

namespace {

namespace fs = std::filesystem;

JobState state_of(const JobEnding& ending) {
  if (ending.cancelled) return JobState::cancelled;
  if (ending.ending.exit_code == 0) return JobState::done;
  return ending.ending.exit_code == code_row(Code::partly_done).exit_code ? JobState::partly_done : JobState::failed;
}

// A crash or a fault of ours may be the machine's mood; what an input lacks it lacks the next time too.
bool may_go_better(const JobEnding& ending) {
  return !ending.cancelled && (ending.ending.signal != 0 || ending.ending.exit_code == code_row(Code::internal).exit_code);
}

// A program's last line without its name before it.
std::string problem_of(const JobEnding& ending) {
  std::string words = ending.last_words;
  if (words.rfind("penta: ", 0) == 0) words.erase(0, 7);
  if (ending.ending.exit_code > 0 && !words.empty()) return words;
  return "the job " + ending.ending.text();
}

// Tells listeners at once but writes to the disk once a second.
bool is_time(std::int64_t& last_ms, std::int64_t now, std::int64_t every_ms) {
  if (now - last_ms < every_ms) return false;
  last_ms = now;
  return true;
}

}  // namespace

void JobQueue::State::clean_up() const {
  fs::create_directories(settings.results);
  for (const fs::directory_entry& entry : fs::directory_iterator(settings.results))
    if (entry.path().extension() == ".part" || entry.path().extension() == ".in") fs::remove_all(entry.path());
}

JobRecord JobQueue::State::job_now(std::int64_t id) const {
  if (const auto it = running.find(id); it != running.end()) return it->second->job;
  std::optional<JobRecord> job = archive.catalogue().job(id);
  if (!job) throw Error(Code::nothing_to_do, "there is no job " + std::to_string(id));
  return *std::move(job);
}

JobRecord JobQueue::State::queued_again(JobRecord job) {
  job.state = JobState::queued;
  job.progress = 0;
  job.doing.clear();
  job.problem.clear();
  job.review.clear();
  job.started_ms = job.ended_ms = 0;
  job.exit_code = -1;
  archive.catalogue().change_job(job);
  return job;
}

void JobQueue::State::change(const JobRecord& job) {
  archive.catalogue().change_job(job);
  tell_of(job);
}

void JobQueue::State::audit(const std::string& who, const std::string& action, const JobRecord& job, const std::string& outcome) {
  archive.catalogue().audit({unix_ms(), who, action, "job " + std::to_string(job.id) + " of study " + job.study_uid, outcome});
}

// The next job, once its memory is free; nothing when the queue closes.
std::shared_ptr<RunningJob> JobQueue::State::take() {
  std::unique_lock lock(mutex);
  std::optional<JobRecord> job;
  changed.wait(lock, [&] { return closing.load() || (job = archive.catalogue().take_job()).has_value(); });
  if (!job) return nullptr;
  auto mine = std::make_shared<RunningJob>();
  mine->job = *std::move(job);
  mine->job.ended_ms = 0;
  mine->job.exit_code = -1;
  mine->memory_gb = memory_of(request_of(mine->job.request), settings);
  running[mine->job.id] = mine;
  const auto fits = [&] {
    double used = 0;
    for (const auto& [id, other] : running) used += other->memory_gb;
    return used <= settings.memory_gb || running.size() == 1;
  };
  mine->job.doing = fits() ? "" : "waiting for memory";
  changed.wait(lock, [&] { return closing.load() || mine->cancelled.load() || fits(); });
  return mine;
}

void JobQueue::State::run_jobs() {
  while (!closing) {
    std::shared_ptr<RunningJob> mine;
    try {
      mine = take();
      if (!mine) return;
      run(*mine);
    } catch (const std::exception& fault) {
      if (!mine) {
        // The catalogue could not be read: a full disk may have room again.
        std::this_thread::sleep_for(std::chrono::seconds(1));
        continue;
      }
      mine->job.state = JobState::failed;
      mine->job.problem = fault.what();
      mine->job.ended_ms = unix_ms();
      try {
        change(mine->job);
      } catch (const std::exception&) {
        // Nothing can be written; at the next start the job is queued again.
      }
    }
    const std::lock_guard lock(mutex);
    running.erase(mine->job.id);
    changed.notify_all();
  }
}

void JobQueue::State::run(RunningJob& mine) {
  const JobRequest request = request_of(mine.job.request);
  const JobFolders folders = folders_of(settings.results, mine.job.id);
  change(mine.job);
  JobEnding ending;
  ending.cancelled = mine.cancelled;
  if (!mine.cancelled && !closing) ending = run_command(mine, request, folders);
  std::error_code ignored;
  fs::remove_all(folders.in, ignored);
  if (ending.ending.exit_code == 0 || state_of(ending) == JobState::partly_done) keep_results(folders);
  else fs::remove_all(folders.part, ignored);
  finish(mine, request, ending);
}

JobEnding JobQueue::State::run_command(RunningJob& mine, const JobRequest& request, const JobFolders& folders) {
  link_inputs(folders, request, archive);
  JobHooks hooks;
  hooks.is_cancelled = [&] { return mine.cancelled.load() || closing.load(); };
  std::int64_t told_ms = 0, kept_ms = unix_ms();
  hooks.progress = [&](double progress, const std::string& doing) {
    JobRecord now;
    {
      const std::lock_guard lock(mutex);
      mine.job.progress = progress;
      mine.job.doing = doing;
      now = mine.job;
    }
    if (is_time(told_ms, unix_ms(), 100)) tell_of(now);
    if (is_time(kept_ms, unix_ms(), 1000)) archive.catalogue().change_job(now);
  };
  return run_job_child(command_of(folders, request, settings.program, mine.memory_gb), folders.log, hooks);
}

void JobQueue::State::finish(RunningJob& mine, const JobRequest& request, const JobEnding& ending) {
  JobRecord job;
  {
    const std::lock_guard lock(mutex);
    job = mine.job;
    const bool again = (closing && !mine.cancelled) || (may_go_better(ending) && job.attempts < settings.attempts);
    if (again && !mine.cancelled) {
      mine.job = queued_again(job);
      changed.notify_one();
      return;
    }
    job.state = state_of(ending);
    job.exit_code = ending.ending.exit_code;
    job.ended_ms = unix_ms();
    job.doing.clear();
    const bool well = job.state == JobState::done || job.state == JobState::partly_done;
    if (well) job.progress = 1;
    if (job.state == JobState::failed || job.state == JobState::partly_done) job.problem = problem_of(ending);
    if (well) job.review = request.automatic ? "accepting" : "pending";
    archive.catalogue().change_job(job);
    mine.job = job;
    // From here on it can be accepted, retried, asked for.
    running.erase(job.id);
    changed.notify_all();
  }
  audit("queue", "job.end", job, std::string(name_of(job.state)));
  if (job.review == "accepting") (void)take_results(job.id, "rule");
  else tell_of(job);
}

void JobQueue::State::store_results(const std::vector<fs::path>& files, const std::string& who) {
  constexpr std::size_t piece = std::size_t{1} << 20;
  std::vector<char> buffer(piece);
  for (const fs::path& path : files) {
    StagedFile staged = archive.stage();
    std::ifstream in(path, std::ios::binary);
    while (in.read(buffer.data(), static_cast<std::streamsize>(piece)) || in.gcount() > 0)
      staged.add(std::as_bytes(std::span(buffer.data(), static_cast<std::size_t>(in.gcount()))));
    std::vector<StagedFile> one;
    one.push_back(std::move(staged));
    const std::vector<Stored> stored = archive.store(one, who);
    const Stored& outcome = stored.at(0);
    if (outcome.outcome != Stored::Outcome::stored && outcome.outcome != Stored::Outcome::same)
      throw Error(Code::output_failed, "'" + path.filename().string() + "' was not stored: " + outcome.why);
    const std::lock_guard lock(mutex);
    made.insert(outcome.index.series_uid);
  }
}

JobRecord JobQueue::State::take_results(std::int64_t id, const std::string& who) {
  JobRecord job;
  Sender send;
  {
    const std::lock_guard lock(mutex);
    job = job_now(id);
    send = sender;
  }
  const JobRequest request = request_of(job.request);
  const std::vector<fs::path> files = dicom_files(folders_of(settings.results, id).out);
  try {
    store_results(files, who);
    job.review = "accepted";
    job.problem.clear();
    for (const std::string& peer : request.send_to) {
      if (!send) throw Error(Code::output_failed, "this server has no DIMSE: nothing can be sent to '" + peer + "'");
      if (!files.empty()) send(peer, files);
      job.review = "sent";
    }
  } catch (const Error& fault) {
    // What could not be stored can be accepted again; what was stored but not sent says so.
    if (job.review == "accepting") job.review = "pending";
    job.problem = fault.what();
  }
  {
    const std::lock_guard lock(mutex);
    archive.catalogue().change_job(job);
  }
  audit(who, "job.accept", job, job.problem.empty() ? job.review : job.problem);
  tell_of(job);
  return job;
}

}  // namespace penta::engine
