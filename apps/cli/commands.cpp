#include "apps/cli/commands.h"

namespace penta::cli {

std::vector<Command> all_commands() {
  std::vector<Command> list;
  list.push_back(report_command());
  list.push_back(info_command());
  list.push_back(convert_command());
  list.push_back(methods_command());
  for (int task = 0; task < 10; ++task) list.push_back(task_command(static_cast<Task>(task)));
  list.push_back(compare_command());
  list.push_back(model_command());
  list.push_back(serve_command());
  list.push_back(worker_command());
  return list;
}

std::string version_text() { return PENTA_VERSION; }

}  // namespace penta::cli
