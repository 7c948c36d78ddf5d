#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "engine/jobs/queue.h"

namespace penta::engine {

/// "Which series run which methods, and where results go."
struct Rule {
  std::string modality;          ///< empty: any
  std::string description;       ///< a regular expression (ECMAScript) found in the series' or study's; empty: any
  std::vector<std::string> run;  ///< "report", or "<task>/<method>"
  bool automatic = false;        ///< results are stored without a person's look
  std::vector<std::string> send_to;
};

/// Reads {"when": {"modality", "description"}, "run": [...], "review": "automatic|pending", "send_to": [...]}. Throws
/// Error{wrong_use} that names what is unknown or wrong, a peer that is not among `peers` too.
[[nodiscard]] Rule rule_of(const Json& json, const std::vector<std::string>& peers);
[[nodiscard]] Json json_of(const Rule& rule);

/// Whether a rule is for a series with this modality and these descriptions.
[[nodiscard]] bool applies(const Rule& rule, const std::string& modality, const std::string& descriptions);

/// Submits what the rules say for series that came in, once nothing of a series (a report: of its study) has come for
/// `quiet`. Series that came out of jobs here are left alone. Those that still wait when the server ends, however it
/// does, are in `waiting`, a folder, and are looked at by the next.
class Rules {
 public:
  Rules(Archive& archive, JobQueue& queue, std::vector<Rule> rules, std::chrono::milliseconds quiet,
        const std::filesystem::path& waiting);
  ~Rules();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace penta::engine
