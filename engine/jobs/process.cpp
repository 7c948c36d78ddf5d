#include "engine/jobs/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace penta::engine {

namespace {

constexpr int worker_descriptor = 3;

// Settings of posix_spawn, given back at the end.
struct Plan {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  Plan() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~Plan() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
};

void give_descriptors(Plan& plan, int output, int socket) {
  posix_spawn_file_actions_addopen(&plan.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (output >= 0) {
    posix_spawn_file_actions_adddup2(&plan.files, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&plan.files, output, STDERR_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&plan.files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&plan.files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  if (socket >= 0) posix_spawn_file_actions_adddup2(&plan.files, socket, worker_descriptor);
  posix_spawn_file_actions_addclosefrom_np(&plan.files, socket >= 0 ? worker_descriptor + 1 : worker_descriptor);
}

// The server blocks and ignores signals; its children begin as any program does. A group of its own keeps a Ctrl-C that
// is meant for the server from them.
void give_signals(Plan& plan) {
  sigset_t none, usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGCHLD}) sigaddset(&usual, signal);
  posix_spawnattr_setsigmask(&plan.attributes, &none);
  posix_spawnattr_setsigdefault(&plan.attributes, &usual);
  posix_spawnattr_setpgroup(&plan.attributes, 0);
  posix_spawnattr_setflags(&plan.attributes,
                           static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
}

}  // namespace

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    close();
    handle_ = std::exchange(other.handle_, -1);
  }
  return *this;
}

void Handle::close() noexcept {
  if (handle_ >= 0) ::close(handle_);
  handle_ = -1;
}

std::string Ending::text() const {
  if (signal == 0) return "ended with exit code " + std::to_string(exit_code);
  return "was ended by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
}

Child::Child(const std::vector<std::string>& arguments, int output, int socket) {
  Plan plan;
  give_descriptors(plan, output, socket);
  give_signals(plan);
  std::vector<char*> list;
  for (const std::string& argument : arguments) list.push_back(const_cast<char*>(argument.c_str()));
  list.push_back(nullptr);
  const int fault = posix_spawn(&id_, list.front(), &plan.files, &plan.attributes, list.data(), environ);
  if (fault != 0) {
    id_ = -1;
    throw Error(Code::internal, "'" + arguments.front() + "' cannot be started: " + std::strerror(fault));
  }
}

Child::Child(Child&& other) noexcept : id_(std::exchange(other.id_, -1)) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(id_, other.id_);
  return *this;
}

Child::~Child() {
  if (id_ < 0) return;
  send(SIGKILL);
  (void)wait();
}

void Child::send(int signal) const noexcept {
  if (id_ > 0) ::kill(id_, signal);
}

bool Child::ended() const noexcept {
  siginfo_t info{};
  return id_ <= 0 || (::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == id_);
}

Ending Child::wait() noexcept {
  int status = 0;
  Ending ending;
  while (id_ > 0 && ::waitpid(id_, &status, 0) < 0 && errno == EINTR) continue;
  id_ = -1;
  if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
  else ending.exit_code = WEXITSTATUS(status);
  return ending;
}

}  // namespace penta::engine
