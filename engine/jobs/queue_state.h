#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "engine/jobs/job_child.h"
#include "engine/jobs/job_files.h"
#include "engine/jobs/queue.h"

/// The inside of JobQueue: used by queue.cpp and queue_run.cpp only.
namespace penta::engine {

/// Who wants to hear of happenings.
class Listeners {
 public:
  using Listener = std::function<void(const Happening&)>;

  [[nodiscard]] std::shared_ptr<void> add(Listener listener) {
    auto kept = std::make_shared<Listener>(std::move(listener));
    const std::lock_guard lock(mutex_);
    std::erase_if(list_, [](const std::weak_ptr<Listener>& one) { return one.expired(); });
    list_.push_back(kept);
    return kept;
  }
  void tell(const Happening& happening) {
    std::vector<std::shared_ptr<Listener>> now;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& one : list_)
        if (auto there = one.lock()) now.push_back(std::move(there));
    }
    for (const auto& listener : now) (*listener)(happening);
  }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<Listener>> list_;
};

/// A job that runs now.
struct RunningJob {
  JobRecord job;
  double memory_gb = 0;
  std::atomic<bool> cancelled{false};
};

struct JobQueue::State {
  State(Archive& its_archive, QueueSettings its_settings) : archive(its_archive), settings(std::move(its_settings)) {}

  Archive& archive;
  QueueSettings settings;
  Listeners listeners;
  Sender sender;
  std::once_flag methods_once;
  std::optional<Methods> methods;

  std::mutex mutex;  ///< of what follows, and of the order of changes to one job
  std::condition_variable changed;
  std::map<std::int64_t, std::shared_ptr<RunningJob>> running;
  std::set<std::string> made;  ///< series that came out of jobs
  std::atomic<bool> closing{false};
  std::vector<std::thread> runners;
  /// Results that are to go to peers.
  struct Sending {
    std::int64_t id = 0;
    int attempt = 1;
    std::chrono::steady_clock::time_point due;
  };
  std::vector<Sending> to_send;
  std::condition_variable sending_changed;
  std::thread sending;

  /// Removes what jobs of a stopped server left half done; reads which series they made.
  void clean_up();
  /// The body of a runner: takes jobs until the queue closes.
  void run_jobs();
  [[nodiscard]] std::shared_ptr<RunningJob> take();
  void run(RunningJob& running_job);
  [[nodiscard]] JobEnding run_command(RunningJob& running_job, const JobRequest& request, const JobFolders& folders);
  void note_progress(RunningJob& running_job, double progress, const std::string& doing);
  void finish(RunningJob& running_job, const JobRequest& request, const JobEnding& ending);
  /// Stores the results of a job in the archive, has them sent, and says so in its record.
  [[nodiscard]] JobRecord take_results(std::int64_t id, const std::string& who);
  void store_results(const JobFolders& folders, const std::string& method, const std::string& who);
  [[nodiscard]] Stored store_one(const std::filesystem::path& path, const std::string& who);
  /// The body of the thread that sends.
  void send_results();
  void go_on_with_results();
  void send_one(const Sending& one);

  // With the mutex held.
  [[nodiscard]] JobRecord job_now(std::int64_t id) const;  ///< throws Error{nothing_to_do}
  [[nodiscard]] JobRecord queued_again(JobRecord job);
  void send_later(std::int64_t id, int attempt);

  void change(const JobRecord& job);
  void audit(const std::string& who, const std::string& action, const JobRecord& job, const std::string& outcome);
  void tell_of(const JobRecord& job) { listeners.tell({"job", json_of(job)}); }
};

/// The memory that a job may use, in GiB.
[[nodiscard]] double memory_of(const JobRequest& request, const QueueSettings& settings);

}  // namespace penta::engine
