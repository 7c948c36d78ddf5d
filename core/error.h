#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace penta {

/// Why something could not be done. One row of `code_row` gives each its exit code and HTTP status.
enum class Code {
  wrong_use,      ///< the call itself is off: an unknown option, an ambiguous input
  bad_input,      ///< an input that cannot be read or makes no sense
  nothing_to_do,  ///< nothing readable as an image
  model_missing,  ///< a model or method is missing, corrupt, or its hash differs
  out_of_memory,  ///< the memory budget does not suffice
  cancelled,      ///< Ctrl-C, or a client that went away
  partly_done,    ///< some but not all inputs were done
  output_failed,  ///< an output cannot be written
  internal,       ///< our own fault
};

struct CodeRow {
  Code code;
  std::string_view name;
  int exit_code;
  int http_status;
  std::string_view what_to_do;
};

[[nodiscard]] const CodeRow& code_row(Code code) noexcept;

/// The one exception type: a code, and a sentence that says what was being done and what is wrong.
class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
  [[nodiscard]] Code code() const noexcept { return code_; }

 private:
  Code code_;
};

/// Throws `cause` again with what was being done put before it; the code stays.
[[noreturn]] void rethrow_with(const Error& cause, std::string_view doing);

}  // namespace penta
