#include "engine/jobs/job_child.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include "core/error.h"
#include "core/json.h"

namespace penta::engine {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds grace{5};
constexpr std::size_t log_bytes_max = std::size_t{1} << 20, line_bytes_max = 16384;

// Takes what a job says apart into lines: progress, and words.
class Listener {
 public:
  Listener(const std::filesystem::path& log, const JobHooks& hooks) : log_(log), hooks_(hooks) {}

  void add(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n') line();
      else if (text_.size() < line_bytes_max) text_ += c;
    }
  }

  [[nodiscard]] std::string last_words() {
    line();
    return words_;
  }

 private:
  void line() {
    if (!text_.empty() && !is_progress()) {
      words_ = text_;
      if ((logged_ += text_.size() + 1) < log_bytes_max) log_ << text_ << "\n" << std::flush;
    }
    text_.clear();
  }

  bool is_progress() const {
    if (text_.rfind("{\"progress\"", 0) != 0) return false;
    try {
      const Json json = Json::parse(text_);
      hooks_.progress(std::clamp(json.number_or("progress", 0), 0.0, 1.0), json.text_or("doing", ""));
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  std::ofstream log_;
  const JobHooks& hooks_;
  std::string text_, words_;
  std::size_t logged_ = 0;
};

// Asks a job to end, and makes it end when it does not.
class Stopper {
 public:
  Stopper(const Child& child, const JobHooks& hooks) : child_(child), hooks_(hooks) {}

  void look() {
    const bool late = hooks_.seconds_max.count() > 0 && Clock::now() - begin_ > hooks_.seconds_max;
    if (!asked_ && (late || hooks_.is_cancelled())) {
      late_ = late;
      asked_ = true;
      at_ = Clock::now();
      child_.send(SIGINT);
    }
    if (asked_ && Clock::now() - at_ > grace) child_.send(SIGKILL);
  }
  [[nodiscard]] bool cancelled() const noexcept { return asked_ && !late_; }
  [[nodiscard]] bool too_slow() const noexcept { return late_; }

 private:
  const Child& child_;
  const JobHooks& hooks_;
  bool asked_ = false, late_ = false;
  Clock::time_point begin_ = Clock::now(), at_{};
};

}  // namespace

JobEnding run_job_child(const std::vector<std::string>& arguments, const std::filesystem::path& log, const JobHooks& hooks) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(Code::internal, "a job's pipe cannot be made");
  const Handle ours(ends[0]);
  Handle theirs(ends[1]);
  Child child(arguments, theirs.get(), -1);
  theirs.close();
  Listener listener(log, hooks);
  Stopper stopper(child, hooks);
  std::array<char, 4096> buffer{};
  for (;;) {
    stopper.look();
    pollfd wanted{ours.get(), POLLIN, 0};
    const int ready = ::poll(&wanted, 1, 100);
    if (ready < 0 && errno != EINTR) break;
    if (ready <= 0) continue;
    const ssize_t n = ::read(ours.get(), buffer.data(), buffer.size());
    if (n == 0 || (n < 0 && errno != EINTR)) break;
    if (n > 0) listener.add({buffer.data(), static_cast<std::size_t>(n)});
  }
  // It may have closed its output and go on.
  while (!child.ended()) {
    stopper.look();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  JobEnding result;
  result.ending = child.wait();
  result.cancelled = stopper.cancelled();
  result.too_slow = stopper.too_slow();
  result.last_words = listener.last_words();
  return result;
}

}  // namespace penta::engine
