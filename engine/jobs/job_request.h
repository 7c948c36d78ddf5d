#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/card.h"
#include "core/json.h"
#include "engine/store/catalogue.h"

namespace penta::engine {

/// What a job was asked to do (queue.h says the JSON).
struct JobRequest {
  struct Input { std::string role, series_uid; };
  std::optional<Task> task;  ///< nothing: the report of a study
  std::string method, study_uid;
  std::vector<Input> inputs;
  std::vector<std::pair<std::string, std::string>> settings;  ///< values as --set takes them
  std::int64_t seed = 0;
  std::optional<double> memory_gb;
  bool automatic = false;  ///< results are stored without a person's look
  std::vector<std::string> send_to;
};

/// Reads a request; nothing is looked up. Throws Error{wrong_use} that names what is unknown, missing or of a wrong type.
[[nodiscard]] JobRequest request_of(const Json& json);

/// A job as the API and its events show it.
[[nodiscard]] Json json_of(const JobRecord& job);
/// Throws Error{wrong_use} for a name that is no state.
[[nodiscard]] JobState state_named(std::string_view name);
[[nodiscard]] std::int64_t unix_ms() noexcept;

}  // namespace penta::engine
