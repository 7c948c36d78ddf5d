// What becomes of a job's results: into the archive, and to the peers that its request names.
#include <algorithm>
#include <fstream>

#include "core/error.h"
#include "engine/jobs/queue_state.h"

namespace penta::engine {

namespace {

namespace fs = std::filesystem;

// A peer that is away may be back soon; one that stays away is a person's business.
constexpr int sends_max = 4;

bool is_to_send(const JobRecord& job) { return job.review == "accepted" && !request_of(job.request).send_to.empty(); }

}  // namespace

Stored JobQueue::State::store_one(const fs::path& path, const std::string& who) {
  constexpr std::size_t piece = std::size_t{1} << 20;
  std::vector<char> buffer(piece);
  StagedFile staged = archive.stage();
  std::ifstream in(path, std::ios::binary);
  while (in.read(buffer.data(), static_cast<std::streamsize>(piece)) || in.gcount() > 0)
    staged.add(std::as_bytes(std::span(buffer.data(), static_cast<std::size_t>(in.gcount()))));
  Stored stored = archive.store(std::move(staged), who);
  if (stored.outcome != Stored::Outcome::stored && stored.outcome != Stored::Outcome::same)
    throw Error(Code::output_failed, "'" + path.filename().string() + "' was not stored: " + stored.why);
  return stored;
}

void JobQueue::State::store_results(const JobFolders& folders, const std::string& method, const std::string& who) {
  std::vector<std::string> series;
  for (const fs::path& path : dicom_files(folders.out, method)) {
    const Stored stored = store_one(path, who);
    const std::lock_guard lock(mutex);
    if (made.insert(stored.index.series_uid).second) series.push_back(stored.index.series_uid);
  }
  note_made(folders, series);
}

JobRecord JobQueue::State::take_results(std::int64_t id, const std::string& who) {
  JobRecord job;
  {
    const std::lock_guard lock(mutex);
    job = job_now(id);
  }
  try {
    store_results(folders_of(settings.results, id), request_of(job.request).method, who);
    job.review = "accepted";
    job.problem.clear();
  } catch (const Error& fault) {
    job.review = "pending";  // it can be accepted again
    job.problem = fault.what();
  }
  {
    const std::lock_guard lock(mutex);
    archive.catalogue().change_job(job);
    if (is_to_send(job)) send_later(id, 1);
  }
  audit(who, "job.accept", job, job.problem.empty() ? job.review : job.problem);
  tell_of(job);
  return job;
}

void JobQueue::State::send_later(std::int64_t id, int attempt) {
  const auto wait = attempt == 1 ? std::chrono::milliseconds(0) : settings.send_again * (1 << (attempt - 2));
  to_send.push_back({id, attempt, std::chrono::steady_clock::now() + wait});
  sending_changed.notify_one();
}

// What a server that was stopped had begun to store, and had not yet sent.
void JobQueue::State::go_on_with_results() {
  constexpr std::int64_t newest = 10000;
  for (const JobRecord& job : archive.catalogue().jobs("", std::nullopt, newest)) {
    if (closing) return;
    if (job.review == "accepting") (void)take_results(job.id, "queue");
    const std::lock_guard lock(mutex);
    if (is_to_send(job)) send_later(job.id, 1);
  }
}

void JobQueue::State::send_results() {
  try {
    go_on_with_results();
  } catch (const std::exception&) {
    // The catalogue cannot be read: the next start tries again.
  }
  std::unique_lock lock(mutex);
  while (!closing) {
    const auto first = std::min_element(to_send.begin(), to_send.end(), [](const Sending& a, const Sending& b) { return a.due < b.due; });
    // Without a sender nothing is tried: it is set once the other parts are there.
    if (first == to_send.end() || !sender) {
      sending_changed.wait(lock);
    } else if (const auto due = first->due; due > std::chrono::steady_clock::now()) {
      sending_changed.wait_until(lock, due);
    } else {
      const Sending one = *first;
      to_send.erase(first);
      lock.unlock();
      send_one(one);
      lock.lock();
    }
  }
}

void JobQueue::State::send_one(const Sending& one) {
  try {
    JobRecord job;
    Sender send;
    {
      const std::lock_guard lock(mutex);
      job = job_now(one.id);
      send = sender;
    }
    const JobRequest request = request_of(job.request);
    const std::vector<fs::path> files = dicom_files(folders_of(settings.results, one.id).out, request.method);
    std::string problem;
    try {
      if (!files.empty())
        for (const std::string& peer : request.send_to) send(peer, files);
    } catch (const Error& fault) {
      problem = fault.what();
    }
    if (closing && !problem.empty()) return;  // the next start sends it
    const bool again = !problem.empty() && one.attempt < sends_max;
    job.problem = problem;
    job.review = problem.empty() ? "sent" : again ? "accepted" : "problem";
    {
      const std::lock_guard lock(mutex);
      archive.catalogue().change_job(job);
      if (again) send_later(one.id, one.attempt + 1);
    }
    audit("queue", "job.send", job, problem.empty() ? job.review : problem);
    tell_of(job);
  } catch (const std::exception&) {
    // The job is gone, or nothing can be written.
  }
}

}  // namespace penta::engine
