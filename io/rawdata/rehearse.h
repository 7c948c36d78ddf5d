#pragma once

#include <functional>
#include <string>

namespace penta::io::rawdata {

/// Runs `task` once in a child process, so that a library which crashes or never ends on a damaged file does so there.
/// What the task throws is left to the run that follows. Throws Error{bad_input} that starts with `doing` where the
/// child crashed or took more than `seconds`. No other thread may be inside the library meanwhile (fork copies its
/// locks).
void rehearse(const std::function<void()>& task, unsigned seconds, const std::string& doing);

}  // namespace penta::io::rawdata
