#include "engine/jobs/job_request.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "core/error.h"

namespace penta::engine {

namespace {

constexpr std::size_t text_bytes_max = 4096, list_max = 256;
constexpr std::array<std::string_view, 10> known{"task", "method", "study_uid", "inputs", "settings", "seed",
                                                 "memory_gb", "review", "send_to", "priority"};

[[noreturn]] void wrong(const std::string& what) { throw Error(Code::wrong_use, "a job's request: " + what); }

// A text goes into a command line and into messages: it holds nothing that ends or moves a line.
std::string plain_text(const Json& value, const std::string& name) {
  if (!value.is_string()) wrong("'" + name + "' is not a text");
  const std::string& text = value.text();
  if (text.size() > text_bytes_max) wrong("'" + name + "' is too long");
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    wrong("'" + name + "' holds a control character");
  return text;
}

std::string uid_text(const Json& value, const std::string& name) {
  std::string text = plain_text(value, name);
  constexpr std::size_t uid_chars_max = 64;
  if (text.empty() || text.size() > uid_chars_max || text.find_first_not_of("0123456789.") != std::string::npos)
    wrong("'" + name + "' is no UID");
  return text;
}

const Json::Array& list_of(const Json& value, const std::string& name) {
  if (!value.is_array()) wrong("'" + name + "' is not a list");
  if (value.items().size() > list_max) wrong("'" + name + "' has more than 256 entries");
  return value.items();
}

std::vector<JobRequest::Input> inputs_of(const Json& json) {
  std::vector<JobRequest::Input> inputs;
  for (const Json& item : list_of(json, "inputs")) {
    if (!item.is_object()) wrong("an input is {\"role\": ..., \"series_uid\": ...}");
    JobRequest::Input input;
    for (const auto& [key, value] : item.members()) {
      if (key == "role") input.role = plain_text(value, "role");
      else if (key == "series_uid") input.series_uid = uid_text(value, "series_uid");
      else wrong("an input has no '" + key + "'");
    }
    if (input.series_uid.empty()) wrong("an input without 'series_uid'");
    inputs.push_back(std::move(input));
  }
  return inputs;
}

std::vector<std::pair<std::string, std::string>> settings_of(const Json& json) {
  if (!json.is_object()) wrong("'settings' is not an object");
  if (json.members().size() > list_max) wrong("'settings' has more than 256 entries");
  std::vector<std::pair<std::string, std::string>> settings;
  for (const auto& [name, value] : json.members()) {
    const std::string checked = plain_text(Json(name), "settings");
    if (checked.empty() || checked.find('=') != std::string::npos) wrong("'" + name + "' cannot be the name of a setting");
    if (value.is_object() || value.is_array() || value.is_null()) wrong("the setting '" + name + "' is no text, number or flag");
    settings.emplace_back(checked, value.is_string() ? plain_text(value, name) : value.dump(-1));
  }
  return settings;
}

void take_numbers(const Json& json, JobRequest& request) {
  if (const Json* seed = json.find("seed")) {
    // JSON knows one kind of number: 7.0 is 7.
    constexpr double exact_max = 9007199254740991.0;
    const double value = seed->is_number() ? seed->number() : -1;
    if (!(value >= 0 && value <= exact_max) || value != std::floor(value)) wrong("'seed' is not a whole number from 0 to 2^53 - 1");
    request.seed = static_cast<std::int64_t>(value);
  }
  if (const Json* memory = json.find("memory_gb")) {
    if (!memory->is_number() || !(memory->number() > 0) || !std::isfinite(memory->number())) wrong("'memory_gb' is not a number > 0");
    request.memory_gb = memory->number();
  }
}

void take_results(const Json& json, JobRequest& request) {
  if (const Json* review = json.find("review")) {
    const std::string text = plain_text(*review, "review");
    if (text != "pending" && text != "automatic") wrong("'review' is pending or automatic, not '" + text + "'");
    request.automatic = text == "automatic";
  }
  if (const Json* peers = json.find("send_to"))
    for (const Json& peer : list_of(*peers, "send_to")) request.send_to.push_back(plain_text(peer, "send_to"));
}

void take_work(const Json& json, JobRequest& request) {
  const Json* task = json.find("task");
  if (task == nullptr) wrong("'task' is missing");
  const std::string name = plain_text(*task, "task");
  if (const Json* study = json.find("study_uid")) request.study_uid = uid_text(*study, "study_uid");
  if (const Json* settings = json.find("settings")) request.settings = settings_of(*settings);
  if (name == "report") {
    if (request.study_uid.empty()) wrong("a report needs 'study_uid'");
    if (json.find("method") != nullptr || json.find("inputs") != nullptr) wrong("a report has no 'method' and no 'inputs'");
    return;
  }
  request.task = task_named(name);
  if (!request.task) wrong("'task' is report or one of the ten tasks, not '" + name + "'");
  const Json* method = json.find("method");
  if (method == nullptr) wrong("'method' is missing");
  request.method = plain_text(*method, "method");
  if (const Json* inputs = json.find("inputs")) request.inputs = inputs_of(*inputs);
}

}  // namespace

JobRequest request_of(const Json& json) {
  if (!json.is_object()) wrong("it is no JSON object");
  for (const auto& [key, value] : json.members())
    if (std::find(known.begin(), known.end(), key) == known.end()) wrong("there is no '" + key + "'");
  JobRequest request;
  take_work(json, request);
  take_numbers(json, request);
  take_results(json, request);
  return request;
}

Json json_of(const JobRecord& job) {
  const auto given = [&](const char* key, Json otherwise) {
    const Json* value = job.request.find(key);
    return value == nullptr ? std::move(otherwise) : *value;
  };
  return Json::object()
      .set("id", job.id)
      .set("state", name_of(job.state))
      .set("task", given("task", ""))
      .set("method", given("method", ""))
      .set("study_uid", job.study_uid)
      .set("inputs", given("inputs", Json::array()))
      .set("settings", given("settings", Json::object()))
      .set("seed", given("seed", 0))
      .set("send_to", given("send_to", Json::array()))
      .set("progress", job.progress)
      .set("doing", job.doing)
      .set("problem", job.problem)
      .set("attempts", job.attempts)
      .set("review", job.review)
      .set("created_ms", job.created_ms)
      .set("started_ms", job.started_ms)
      .set("ended_ms", job.ended_ms)
      .set("exit_code", job.exit_code)
      .set("priority", job.interactive ? "interactive" : "batch");
}

JobState state_named(std::string_view name) {
  using enum JobState;
  for (const JobState state : {queued, running, done, partly_done, failed, cancelled})
    if (name_of(state) == name) return state;
  throw Error(Code::wrong_use, "'" + std::string(name) + "' is no state of a job");
}

std::int64_t unix_ms() noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace penta::engine
