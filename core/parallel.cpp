#include "core/parallel.h"

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace penta {

void parallel_for(std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (count <= 0) return;
  const std::int64_t step = std::max<std::int64_t>(grain, 1);
  const std::int64_t pieces = (count + step - 1) / step;
  if (pieces == 1) return body(0, count);
  tbb::parallel_for(
      tbb::blocked_range<std::int64_t>(0, pieces, 1),
      [&](const tbb::blocked_range<std::int64_t>& range) {
        for (std::int64_t piece = range.begin(); piece != range.end(); ++piece)
          body(piece * step, std::min(count, (piece + 1) * step));
      },
      tbb::simple_partitioner());
}

void run_jobs(std::int64_t count, int at_once, const std::function<void(std::int64_t)>& body) {
  std::atomic<std::int64_t> next{0};
  std::exception_ptr first_fault;
  std::mutex mutex;
  // Threads of their own, not TBB tasks: a task that waits may pick up another job and meet a lock that it holds itself.
  const auto work = [&] {
    for (std::int64_t job = next++; job < count; job = next++) {
      try {
        body(job);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first_fault) first_fault = std::current_exception();
        next = count;
      }
    }
  };
  {
    std::vector<std::jthread> others;
    for (int i = 1; i < at_once && i < count; ++i) others.emplace_back(work);
    work();
  }
  if (first_fault) std::rethrow_exception(first_fault);
}

int thread_count() noexcept {
  return static_cast<int>(tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism));
}

ThreadLimit::ThreadLimit(int threads)
    : control_(new tbb::global_control(
          tbb::global_control::max_allowed_parallelism,
          static_cast<std::size_t>(threads > 0 ? threads : std::max(1U, std::thread::hardware_concurrency())))) {}

ThreadLimit::~ThreadLimit() { delete static_cast<tbb::global_control*>(control_); }

}  // namespace penta
