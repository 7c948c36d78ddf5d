#include "engine/jobs/queue.h"

#include <algorithm>
#include <exception>

#include "core/error.h"
#include "engine/jobs/queue_state.h"

namespace penta::engine {

namespace {

constexpr double usual_memory_gb = 4;

[[noreturn]] void not_now(const JobRecord& job, const std::string& what) {
  throw Error(Code::cancelled, "job " + std::to_string(job.id) + " is " + std::string(name_of(job.state)) +
                                   (job.review.empty() ? "" : ", its results are " + job.review) + ": it cannot be " + what);
}

// What a request names is there.
void check_names(const JobRequest& request, const JobQueue& queue, const QueueSettings& settings) {
  for (const std::string& peer : request.send_to)
    if (std::find(settings.peers.begin(), settings.peers.end(), peer) == settings.peers.end())
      throw Error(Code::nothing_to_do, "a job's request: there is no peer '" + peer + "' in the configuration");
  if (request.memory_gb && *request.memory_gb > settings.memory_gb)
    throw Error(Code::out_of_memory, "a job's request: 'memory_gb' is more than the " + std::to_string(settings.memory_gb) + " GiB of this server");
  if (!request.task) return;
  try {
    (void)queue.methods().at(*request.task, request.method);
  } catch (const Error& fault) {
    throw Error(Code::nothing_to_do, std::string("a job's request: ") + fault.what());
  }
  for (const JobRequest::Input& input : request.inputs)
    if (!input.role.empty() && !queue.methods().has_role(input.role))
      throw Error(Code::wrong_use, "a job's request: '" + request.method + "' has no input '" + input.role + "'");
}

// The study that a job belongs to: that of its first input.
std::string study_of(const JobRequest& request, const Catalogue& catalogue) {
  std::string study = request.study_uid;
  if (!study.empty() && catalogue.count({Level::study, {}, study, "", false, 1, 0}) == 0)
    throw Error(Code::nothing_to_do, "a job's request: there is no study " + study);
  for (const JobRequest::Input& input : request.inputs) {
    const std::vector<Row> rows = catalogue.search({Level::series, {}, "", input.series_uid, false, 1, 0});
    if (rows.empty()) throw Error(Code::nothing_to_do, "a job's request: there is no series " + input.series_uid);
    if (study.empty()) study = rows.front().study_uid;
  }
  return study;
}

}  // namespace

JobQueue::JobQueue(Archive& archive, QueueSettings settings) : state_(std::make_unique<State>(archive, std::move(settings))) {
  state_->clean_up();
  (void)archive.catalogue().requeue_running();
  for (int i = 0; i < std::max(1, state_->settings.at_once); ++i)
    state_->runners.emplace_back([state = state_.get()] { state->run_jobs(); });
  state_->sending = std::thread([state = state_.get()] { state->send_results(); });
}

JobQueue::~JobQueue() {
  state_->closing = true;
  {
    const std::lock_guard lock(state_->mutex);
    state_->changed.notify_all();
    state_->sending_changed.notify_all();
  }
  state_->sending.join();
  for (std::thread& runner : state_->runners) runner.join();
}

JobRecord JobQueue::submit(const Json& json, bool interactive, const std::string& who) {
  const JobRequest request = request_of(json);
  check_names(request, *this, state_->settings);
  JobRecord job;
  job.study_uid = study_of(request, state_->archive.catalogue());
  job.request = json;
  job.interactive = interactive;
  job.created_ms = unix_ms();
  {
    const std::lock_guard lock(state_->mutex);
    job.id = state_->archive.catalogue().add_job(job);
    state_->changed.notify_one();
  }
  state_->audit(who, "job.submit", job, "queued");
  state_->tell_of(job);
  return job;
}

JobRecord JobQueue::cancel(std::int64_t id, const std::string& who) {
  JobRecord job;
  {
    const std::lock_guard lock(state_->mutex);
    job = state_->job_now(id);
    if (const auto running = state_->running.find(id); running != state_->running.end()) {
      running->second->cancelled = true;
    } else if (job.state == JobState::queued) {
      job.state = JobState::cancelled;
      job.ended_ms = unix_ms();
      state_->archive.catalogue().change_job(job);
    } else {
      not_now(job, "cancelled");
    }
  }
  state_->audit(who, "job.cancel", job, "asked");
  state_->tell_of(job);
  return job;
}

JobRecord JobQueue::retry(std::int64_t id, const std::string& who) {
  JobRecord job;
  {
    const std::lock_guard lock(state_->mutex);
    job = state_->job_now(id);
    using enum JobState;
    if (job.state != failed && job.state != cancelled && job.state != partly_done) not_now(job, "run again");
    if (job.review == "accepted" || job.review == "sent" || job.review == "problem") not_now(job, "run again");
    job = state_->queued_again(std::move(job));
    state_->changed.notify_one();
  }
  state_->audit(who, "job.retry", job, "queued");
  state_->tell_of(job);
  return job;
}

JobRecord JobQueue::accept(std::int64_t id, const std::string& who) {
  {
    const std::lock_guard lock(state_->mutex);
    JobRecord job = state_->job_now(id);
    if (job.review != "pending" && job.review != "problem") not_now(job, "accepted");
    job.review = "accepting";  // a second call finds it so
    state_->archive.catalogue().change_job(job);
  }
  return state_->take_results(id, who);
}

JobRecord JobQueue::reject(std::int64_t id, const std::string& who) {
  JobRecord job;
  {
    const std::lock_guard lock(state_->mutex);
    job = state_->job_now(id);
    if (job.review != "pending") not_now(job, "rejected");
    job.review = "rejected";
    state_->archive.catalogue().change_job(job);
  }
  state_->audit(who, "job.reject", job, "rejected");
  state_->tell_of(job);
  return job;
}

std::filesystem::path JobQueue::folder_of(std::int64_t id) const { return folders_of(state_->settings.results, id).out; }

std::optional<JobRecord> JobQueue::job(std::int64_t id) const {
  const std::lock_guard lock(state_->mutex);
  if (const auto running = state_->running.find(id); running != state_->running.end()) return running->second->job;
  return state_->archive.catalogue().job(id);
}

bool JobQueue::made_here(const std::string& series_uid) const {
  const std::lock_guard lock(state_->mutex);
  return state_->made.count(series_uid) > 0;
}

const Methods& JobQueue::methods() const {
  std::call_once(state_->methods_once, [&] { state_->methods.emplace(load_methods()); });
  return *state_->methods;
}

void JobQueue::set_sender(Sender sender) {
  const std::lock_guard lock(state_->mutex);
  state_->sender = std::move(sender);
  state_->sending_changed.notify_all();
}

std::shared_ptr<void> JobQueue::listen(std::function<void(const Happening&)> listener) { return state_->listeners.add(std::move(listener)); }

void JobQueue::tell(const Happening& happening) { state_->listeners.tell(happening); }

double memory_of(const JobRequest& request, const QueueSettings& settings) {
  return request.memory_gb.value_or(std::min(usual_memory_gb, settings.memory_gb));
}

}  // namespace penta::engine
