#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace penta::engine {

/// What a process that touches foreign data may use.
struct SandboxLimits {
  double memory_gb = 4;               ///< of data; 0: no limit
  std::chrono::seconds processor{0};  ///< of all its threads; 0: no limit
  std::int64_t file_bytes = 0;        ///< of one file that it writes
  int descriptors = 64;
  bool ends_with_parent = false;      ///< killed when the thread that started it ends
  bool writes = false;                ///< may make, write, rename and remove files; else it reads only
};

/// From here on this process, with all its threads, has no network, cannot start programs, trace others, gain
/// privileges, or go past the limits (getrlimit(2), seccomp(2)). Calls that are not listed fail with EPERM.
/// Call before any thread is started. Throws Error{internal} where the machine refuses.
void enter_sandbox(const SandboxLimits& limits);

/// Tries what the sandbox bars and says what came of it: "socket EPERM, fork EPERM, exec EPERM, write EPERM,
/// ptrace EPERM, thread yes".
[[nodiscard]] std::string what_is_barred();

}  // namespace penta::engine
