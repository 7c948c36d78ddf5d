#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/cli/options.h"
#include "core/card.h"
#include "core/control.h"

namespace penta::cli {

// One file each; commands.cpp lists them.
[[nodiscard]] Command report_command();
[[nodiscard]] Command info_command();
[[nodiscard]] Command convert_command();
[[nodiscard]] Command methods_command();
[[nodiscard]] Command compare_command();
[[nodiscard]] Command model_command();
[[nodiscard]] Command task_command(Task task);
[[nodiscard]] Command serve_command();
[[nodiscard]] Command worker_command();

[[nodiscard]] std::vector<Command> all_commands();
[[nodiscard]] std::string version_text();

/// `--set name=value` pairs. Throws Error{wrong_use} for one without '='.
[[nodiscard]] std::map<std::string, std::string> settings_of(const Given& given);
/// A whole number >= 0. Throws Error{wrong_use} that names the option.
[[nodiscard]] std::int64_t whole_number(const Given& given, const std::string& name, std::int64_t otherwise);
/// The same, of threads and jobs: at most 1024.
[[nodiscard]] int count_of(const Given& given, const std::string& name, int otherwise);
/// --memory-gb, a number > 0. Throws Error{wrong_use}.
[[nodiscard]] std::optional<double> memory_gb_of(const Given& given);
/// Progress to standard error (a bar on a terminal, lines otherwise, nothing with --quiet); Ctrl-C cancels. With --sandbox
/// the process has no network and starts no programs from here on; with --progress=json each step is a line of JSON.
[[nodiscard]] Control control_of(const Given& given);
[[nodiscard]] Option geometry_option();
[[nodiscard]] Option seg_option();
/// Options that every running command takes: --set --geometry --seed --threads --memory-gb --quiet.
[[nodiscard]] std::vector<Option> running_options();

}  // namespace penta::cli
