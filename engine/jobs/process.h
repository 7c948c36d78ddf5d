#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace penta::engine {

/// A descriptor that closes itself.
class Handle {
 public:
  Handle() = default;
  explicit Handle(int handle) noexcept : handle_(handle) {}
  Handle(Handle&& other) noexcept : handle_(other.handle_) { other.handle_ = -1; }
  Handle& operator=(Handle&& other) noexcept;
  ~Handle() { close(); }
  void close() noexcept;
  [[nodiscard]] int get() const noexcept { return handle_; }

 private:
  int handle_ = -1;
};

/// How a child process ended.
struct Ending {
  int exit_code = -1;  ///< -1 where a signal ended it
  int signal = 0;
  [[nodiscard]] std::string text() const;  ///< "ended with exit code 3", "was ended by signal 11 (Segmentation fault)"
};

/// A child process of this user. Killed and waited for when it goes out of scope.
class Child {
 public:
  Child() = default;
  /// Starts `arguments[0]` by posix_spawn. Its standard input is empty; `output` becomes its standard output and error,
  /// `socket` its descriptor 3 (-1: none; then output goes to nowhere). All other descriptors are closed in it, and its
  /// signals are as they are at a program's start. Throws Error{internal}.
  Child(const std::vector<std::string>& arguments, int output, int socket);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  [[nodiscard]] pid_t id() const noexcept { return id_; }
  void send(int signal) const noexcept;
  /// Whether it has ended (wait() then returns at once).
  [[nodiscard]] bool ended() const noexcept;
  /// Waits for the end.
  [[nodiscard]] Ending wait() noexcept;

 private:
  pid_t id_ = -1;
};

}  // namespace penta::engine
