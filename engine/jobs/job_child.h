#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engine/jobs/process.h"

namespace penta::engine {

/// What became of the command of a job.
struct JobEnding {
  Ending ending;
  bool cancelled = false;  ///< because it was asked to
  bool too_slow = false;   ///< stopped at its limit
  std::string last_words;  ///< its last line that was no progress: why it failed
};

/// How a job that runs is looked at and stopped.
struct JobHooks {
  std::function<void(double progress, const std::string& doing)> progress;
  std::function<bool()> is_cancelled;  ///< asked a few times a second
  std::chrono::seconds seconds_max{0};  ///< 0: no limit
};

/// Runs `arguments`, a command of this program that tells its progress as JSON on standard error, to its end. One that
/// is cancelled gets SIGINT, and SIGKILL some seconds later. All that it says goes to `log` too (at most 1 MiB).
[[nodiscard]] JobEnding run_job_child(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                                      const JobHooks& hooks);

}  // namespace penta::engine
