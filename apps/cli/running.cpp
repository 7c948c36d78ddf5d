#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cmath>
#include <cstdio>
#include <memory>
#include <mutex>

#include "apps/cli/commands.h"
#include "core/error.h"
#include "core/json.h"
#include "engine/jobs/sandbox.h"

namespace penta::cli {

namespace {

// The last line of progress; jobs that run side by side share it.
struct Shown {
  std::mutex mutex;
  std::string last;
  int percent = -1;
};

// A signal handler can reach nothing else.
std::atomic<bool>& cancel_flag() {
  static std::atomic<bool> flag{false};
  return flag;
}

extern "C" void on_interrupt(int) {
  cancel_flag().store(true, std::memory_order_relaxed);
}

// What is over the budget fails as an allocation, wherever it is made; main() says so with its own exit code.
void limit_memory(const Given& given) {
  const std::optional<double> gib = memory_gb_of(given);
  if (!gib) return;
  const auto bytes = static_cast<rlim_t>(*gib * 1073741824.0);
  const rlimit limit{bytes, bytes};
  if (setrlimit(RLIMIT_DATA, &limit) != 0)
    throw Error(Code::wrong_use, "--memory-gb " + given.one("memory-gb") + ": over this machine's own limit");
}

// A job of penta serve: it reads foreign data, so it may do no more than a job needs.
void enter_job_sandbox() {
  engine::SandboxLimits limits;
  limits.memory_gb = 0;  // --memory-gb says it
  limits.file_bytes = std::int64_t{16} << 30;
  limits.descriptors = 4096;
  limits.writes = true;
  // A server that was killed leaves no job behind: the next one begins it anew.
  limits.ends_with_parent = true;
  engine::enter_sandbox(limits);
}

// One line a step, and at least one a hundredth: what penta serve reads.
std::function<void(double, std::string_view)> json_progress() {
  return [shown = std::make_shared<Shown>()](double fraction, std::string_view what) {
    const std::lock_guard lock(shown->mutex);
    const int percent = static_cast<int>(std::lround(fraction * 100));
    if (what == shown->last && percent == shown->percent) return;
    shown->last = what;
    shown->percent = percent;
    const std::string line = Json::object().set("progress", fraction).set("doing", what).dump(-1) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
  };
}

void show_bar(double fraction, std::string_view what) {
  constexpr int width = 24;
  const int filled = static_cast<int>(std::lround(fraction * width));
  std::string bar(static_cast<std::size_t>(filled), '#');
  bar.resize(width, '.');
  std::fprintf(stderr, "\r[%s] %3.0f%% %-48.48s", bar.c_str(), fraction * 100, std::string(what).c_str());
  if (fraction >= 1) std::fprintf(stderr, "\n");
  std::fflush(stderr);
}

}  // namespace

std::map<std::string, std::string> settings_of(const Given& given) {
  std::map<std::string, std::string> settings;
  for (const std::string& text : given.many("set")) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0) throw Error(Code::wrong_use, "--set " + text + ": expected name=value");
    settings[text.substr(0, at)] = text.substr(at + 1);
  }
  if (given.has("geometry")) settings["geometry"] = given.one("geometry");
  return settings;
}

std::int64_t whole_number(const Given& given, const std::string& name, std::int64_t otherwise) {
  if (!given.has(name)) return otherwise;
  const std::string& text = given.one(name);
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || value < 0)
    throw Error(Code::wrong_use, "--" + name + " " + text + ": expected a whole number >= 0");
  return value;
}

int count_of(const Given& given, const std::string& name, int otherwise) {
  constexpr std::int64_t most = 1024;
  const std::int64_t value = whole_number(given, name, otherwise);
  if (value > most) throw Error(Code::wrong_use, "--" + name + " " + given.one(name) + ": at most 1024");
  return static_cast<int>(value);
}

std::optional<double> memory_gb_of(const Given& given) {
  if (!given.has("memory-gb")) return std::nullopt;
  const std::string& text = given.one("memory-gb");
  double gib = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), gib);
  if (fault != std::errc() || end != text.data() + text.size() || !(gib > 0) || !(gib < 1e6))
    throw Error(Code::wrong_use, "--memory-gb " + text + ": expected a number > 0");
  return gib;
}

Control control_of(const Given& given) {
  Control control;
  std::signal(SIGINT, on_interrupt);
  control.cancel = &cancel_flag();
  control.seed = static_cast<std::uint64_t>(whole_number(given, "seed", 0));
  control.threads = count_of(given, "threads", 0);
  limit_memory(given);
  if (given.has("sandbox")) enter_job_sandbox();
  if (given.has("quiet")) return control;
  if (given.one_or("progress", "") == "json")
    control.progress = json_progress();
  else if (isatty(STDERR_FILENO) != 0)
    control.progress = show_bar;
  else
    control.progress = [shown = std::make_shared<Shown>()](double, std::string_view what) {
      const std::lock_guard lock(shown->mutex);
      if (what == shown->last) return;
      shown->last = what;
      std::fprintf(stderr, "%s\n", shown->last.c_str());
    };
  return control;
}

Option geometry_option() {
  return {Option::Kind::one, "--geometry", "slices that are no volume (tilted, uneven, missing): strict refuses them, resample makes them even", false};
}

Option seg_option() {
  return {Option::Kind::one, "--seg", "DICOM SEG as binary, labelmap (Supplement 243), or auto: binary up to 3 segments", false};
}

std::vector<Option> running_options() {
  using enum Option::Kind;
  return {{many, "--set", "a parameter of the method or a fact that files do not say, as name=value", false},
          geometry_option(),
          {one, "--seed", "seed of everything random (default 0)", false},
          {one, "--threads", "threads (default: all)", false},
          {one, "--memory-gb", "memory budget in GiB (default: none)", false},
          {flag, "--quiet", "no progress", false},
          {one, "--progress", "json: a line of JSON a step", false, true},
          {flag, "--sandbox", "no network, no other programs (for jobs of penta serve)", false, true}};
}

}  // namespace penta::cli
