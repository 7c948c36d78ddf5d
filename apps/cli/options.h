#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace penta::cli {

/// One option or positional argument. A name without a dash is positional.
struct Option {
  enum class Kind { flag, one, many } kind = Kind::one;
  std::string name;  ///< "-o,--out" or "METHOD"
  std::string text;
  bool required = false;
  bool hidden = false;  ///< left out of the help: for our own processes
};

/// What was given on the command line, by the option's long name without dashes ("out", "METHOD").
class Given {
 public:
  [[nodiscard]] bool has(const std::string& name) const { return values.count(name) > 0; }
  [[nodiscard]] const std::string& one(const std::string& name) const { return values.at(name).front(); }
  [[nodiscard]] std::string one_or(const std::string& name, const std::string& otherwise) const {
    return has(name) ? one(name) : otherwise;
  }
  [[nodiscard]] std::vector<std::string> many(const std::string& name) const {
    return has(name) ? values.at(name) : std::vector<std::string>{};
  }
  std::map<std::string, std::vector<std::string>> values;
};

/// One command: what its help says, what it takes, and the function that does it (its return is the exit code).
struct Command {
  std::string name, text;
  std::vector<Option> options;
  std::function<int(const Given&)> run;
  std::function<std::string()> epilogue;  ///< text after the help, made only when help is asked for
  bool hidden = false;                    ///< left out of the list of commands
};

/// Parses and runs. Texts of --help and --version go to standard output, errors to standard error.
/// Returns the exit code; a wrong use is 2.
[[nodiscard]] int parse_and_run(const std::vector<Command>& commands, const std::string& version, int argc, char** argv);

}  // namespace penta::cli
