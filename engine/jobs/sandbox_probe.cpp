#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "engine/jobs/sandbox.h"

namespace penta::engine {

namespace {

std::string outcome(long result) { return result >= 0 ? "yes" : strerrorname_np(errno); }

std::string of_fork() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  return outcome(child);
}

std::string of_exec() {
  const std::array<char*, 1> nothing{nullptr};
  return outcome(execve("/bin/true", nothing.data(), nothing.data()));
}

std::string of_thread() {
  bool ran = false;
  std::thread([&] { ran = true; }).join();
  return ran ? "yes" : "no";
}

}  // namespace

std::string what_is_barred() {
  std::string text = "socket " + outcome(socket(AF_INET, SOCK_STREAM, 0));
  text += ", fork " + of_fork() + ", exec " + of_exec();
  text += ", write " + outcome(open("/tmp/penta-must-not-be", O_WRONLY | O_CREAT, 0600));
  text += ", ptrace " + outcome(ptrace(PTRACE_TRACEME, 0, 0, 0));
  return text + ", thread " + of_thread();
}

}  // namespace penta::engine
