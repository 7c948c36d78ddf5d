#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cmath>

#include "apps/cli/commands.h"
#include "core/error.h"

namespace penta::cli {

namespace {

// A signal handler can reach nothing else.
std::atomic<bool>& cancel_flag() {
  static std::atomic<bool> flag{false};
  return flag;
}

extern "C" void on_interrupt(int) {
  cancel_flag().store(true, std::memory_order_relaxed);
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

Control control_of(const Given& given) {
  Control control;
  std::signal(SIGINT, on_interrupt);
  control.cancel = &cancel_flag();
  control.seed = static_cast<std::uint64_t>(whole_number(given, "seed", 0));
  control.threads = static_cast<int>(whole_number(given, "threads", 0));
  control.memory_gb = static_cast<double>(whole_number(given, "memory-gb", 0));
  if (given.has("quiet")) return control;
  if (isatty(STDERR_FILENO) != 0)
    control.progress = show_bar;
  else
    control.progress = [last = std::string()](double, std::string_view what) mutable {
      if (what == last) return;
      last = what;
      std::fprintf(stderr, "%s\n", last.c_str());
    };
  return control;
}

std::vector<Option> running_options() {
  using enum Option::Kind;
  return {{many, "--set", "a parameter of the method or a fact that files do not say, as name=value", false},
          {one, "--seed", "seed of everything random (default 0)", false},
          {one, "--threads", "threads (default: all)", false},
          {one, "--memory-gb", "memory budget in GiB (default: none)", false},
          {flag, "--quiet", "no progress", false}};
}

}  // namespace penta::cli
