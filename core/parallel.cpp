#include "core/parallel.h"

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <thread>

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

int thread_count() noexcept {
  return static_cast<int>(tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism));
}

ThreadLimit::ThreadLimit(int threads)
    : control_(new tbb::global_control(
          tbb::global_control::max_allowed_parallelism,
          static_cast<std::size_t>(threads > 0 ? threads : std::max(1U, std::thread::hardware_concurrency())))) {}

ThreadLimit::~ThreadLimit() { delete static_cast<tbb::global_control*>(control_); }

}  // namespace penta
