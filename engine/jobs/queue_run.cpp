#include <algorithm>
#include <array>
#include <chrono>

#include "core/error.h"
#include "engine/jobs/queue_state.h"

namespace penta::engine {

namespace {

namespace fs = std::filesystem;

JobState state_of(const JobEnding& ending) {
  if (ending.too_slow) return JobState::failed;
  if (ending.cancelled) return JobState::cancelled;
  if (ending.ending.exit_code == 0) return JobState::done;
  return ending.ending.exit_code == code_row(Code::partly_done).exit_code ? JobState::partly_done : JobState::failed;
}

// A crash or a fault of ours may be the machine's mood; what an input lacks it lacks the next time too.
bool may_go_better(const JobEnding& ending) {
  return !ending.cancelled && !ending.too_slow && (ending.ending.signal != 0 || ending.ending.exit_code == code_row(Code::internal).exit_code);
}

// A program's last line without its name before it.
std::string problem_of(const JobEnding& ending, const QueueSettings& settings) {
  if (ending.too_slow) return "it took more than " + std::to_string(settings.seconds_max.count()) + " s and was stopped";
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

void JobQueue::State::clean_up() {
  fs::create_directories(settings.results);
  for (const fs::directory_entry& entry : fs::directory_iterator(settings.results)) {
    const fs::path kind = entry.path().extension();
    if (kind == ".part" || kind == ".in") fs::remove_all(entry.path());
    if (kind == ".made")
      for (std::string& uid : read_made(entry.path())) made.insert(std::move(uid));
  }
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
  hooks.seconds_max = settings.seconds_max;
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
    if (job.state == JobState::failed || job.state == JobState::partly_done) job.problem = problem_of(ending, settings);
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

}  // namespace penta::engine
