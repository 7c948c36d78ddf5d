#include "io/rawdata/rehearse.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "core/error.h"

namespace penta::io::rawdata {

namespace {

/// The child: quiet, with the signals' own effects, and gone without what the parent does at its end.
[[noreturn]] void run_and_leave(const std::function<void()>& task, unsigned seconds) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGINT, SIGTERM})
    std::signal(signal, SIG_DFL);
  if (const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC); nowhere >= 0) {
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
  }
  ::alarm(seconds);
  try {
    task();
  } catch (...) {
    // The run that follows throws the same again, where it can be told.
  }
  ::_exit(0);
}

}  // namespace

void rehearse(const std::function<void()>& task, unsigned seconds, const std::string& doing) {
  const pid_t child = ::fork();
  if (child < 0) throw Error(Code::out_of_memory, doing + "no process could be started to look at it safely");
  if (child == 0) run_and_leave(task, seconds);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw Error(Code::internal, doing + "the process that looked at it was lost");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    throw Error(Code::bad_input,
                doing + "the file is damaged: its library did not end within " + std::to_string(seconds) + " s");
  throw Error(Code::bad_input, doing + "the file is damaged: its library crashed on it");
}

}  // namespace penta::io::rawdata
