#include <charconv>

#include "apps/cli/commands.h"
#include "core/error.h"
#include "engine/jobs/workers.h"

namespace penta::cli {

namespace {

constexpr int socket_handle = 3;

int run_worker(const Given& given) {
  engine::WorkerLimits limits;
  limits.seconds = std::chrono::seconds(whole_number(given, "seconds", 120));
  limits.memory_gb = memory_gb_of(given).value_or(limits.memory_gb);
  return engine::worker_main(socket_handle, limits);
}

}  // namespace

Command worker_command() {
  using enum Option::Kind;
  Command command{"worker", "serves requests of penta serve on descriptor 3", {}, run_worker, {}};
  command.options = {{one, "--memory-gb", "memory budget in GiB", false}, {one, "--seconds", "of one request", false}};
  command.hidden = true;
  return command;
}

}  // namespace penta::cli
