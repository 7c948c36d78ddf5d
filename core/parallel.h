#pragma once

#include <cstdint>
#include <functional>

namespace penta {

/// Runs `body(first, last)` over [0, count) in pieces of `grain`, on the threads that this process owns.
/// The pieces do not depend on the number of threads. The first exception is thrown again after all stopped.
void parallel_for(std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body);

/// Runs `body(job)` for each of `count` jobs, up to `at_once` of them side by side. Jobs may use parallel_for; they never
/// run inside one another. The first exception is thrown again after all stopped.
void run_jobs(std::int64_t count, int at_once, const std::function<void(std::int64_t)>& body);

/// How many threads there are for everything, at least 1.
[[nodiscard]] int thread_count() noexcept;

/// Holds the number of threads at `threads` (0: the machine's) while it lives.
class ThreadLimit {
 public:
  explicit ThreadLimit(int threads);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  void* control_;
};

}  // namespace penta
