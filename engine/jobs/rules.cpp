#include "engine/jobs/rules.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <regex>
#include <set>
#include <thread>

#include "core/error.h"
#include "engine/jobs/job_request.h"
#include "engine/jobs/waiting.h"
#include "engine/store/attributes.h"

namespace penta::engine {

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void wrong(const std::string& what) { throw Error(Code::wrong_use, "a rule: " + what); }

const std::string& text_of(const Json& value, const std::string& name) {
  if (!value.is_string()) wrong("'" + name + "' is not a text");
  return value.text();
}

std::vector<std::string> texts_of(const Json& value, const std::string& name) {
  if (!value.is_array()) wrong("'" + name + "' is not a list");
  std::vector<std::string> texts;
  for (const Json& item : value.items()) texts.push_back(text_of(item, name));
  return texts;
}

void check_expression(const std::string& expression) {
  try {
    (void)std::regex(expression);
  } catch (const std::regex_error&) {
    wrong("'" + expression + "' is no regular expression");
  }
}

void take_when(const Json& when, Rule& rule) {
  if (!when.is_object()) wrong("'when' is not an object");
  for (const auto& [key, value] : when.members()) {
    if (key == "modality") rule.modality = text_of(value, key);
    else if (key == "description") rule.description = text_of(value, key);
    else wrong("'when' has no '" + key + "'");
  }
  check_expression(rule.description);
}

// The text of an attribute of a row.
std::string attribute(const Row& row, const char* tag) {
  const Json* found = row.attributes.find(tag);
  return found == nullptr ? "" : value_text(*found);
}

Json request_of_rule(const Rule& rule, const std::string& run, const Row& series) {
  Json request = Json::object();
  const std::size_t slash = run.find('/');
  if (slash == std::string::npos) {
    request.set("task", run).set("study_uid", series.study_uid);
  } else {
    Json inputs = Json::array();
    inputs.push(Json::object().set("role", "").set("series_uid", series.series_uid));
    request.set("task", run.substr(0, slash)).set("method", run.substr(slash + 1)).set("inputs", std::move(inputs));
  }
  Json peers = Json::array();
  for (const std::string& peer : rule.send_to) peers.push(peer);
  return request.set("review", rule.automatic ? "automatic" : "pending").set("send_to", std::move(peers));
}

}  // namespace

Rule rule_of(const Json& json, const std::vector<std::string>& peers) {
  if (!json.is_object()) wrong("it is not an object");
  Rule rule;
  for (const auto& [key, value] : json.members()) {
    if (key == "when") take_when(value, rule);
    else if (key == "run") rule.run = texts_of(value, key);
    else if (key == "send_to") rule.send_to = texts_of(value, key);
    else if (key == "review") {
      const std::string& review = text_of(value, key);
      if (review != "automatic" && review != "pending") wrong("'review' is automatic or pending, not '" + review + "'");
      rule.automatic = review == "automatic";
    } else {
      wrong("there is no '" + key + "'");
    }
  }
  if (rule.run.empty()) wrong("'run' is missing: it lists what is done, \"report\" or \"<task>/<method>\"");
  for (const std::string& run : rule.run)
    if (run != "report" && !task_named(run.substr(0, run.find('/')))) wrong("'run' has '" + run + "', which is neither report nor <task>/<method>");
  for (const std::string& peer : rule.send_to)
    if (std::find(peers.begin(), peers.end(), peer) == peers.end()) wrong("there is no peer '" + peer + "' under dicom");
  return rule;
}

Json json_of(const Rule& rule) {
  Json when = Json::object(), run = Json::array(), send_to = Json::array();
  if (!rule.modality.empty()) when.set("modality", rule.modality);
  if (!rule.description.empty()) when.set("description", rule.description);
  for (const std::string& one : rule.run) run.push(one);
  for (const std::string& peer : rule.send_to) send_to.push(peer);
  return Json::object().set("when", std::move(when)).set("run", std::move(run)).set("review", rule.automatic ? "automatic" : "pending").set("send_to", std::move(send_to));
}

bool applies(const Rule& rule, const std::string& modality, const std::string& descriptions) {
  if (!rule.modality.empty() && rule.modality != modality) return false;
  // What came with an image is as long as it likes; the search for an expression is not to take for ever.
  constexpr std::size_t looked_at = 512;
  return rule.description.empty() || std::regex_search(descriptions.substr(0, looked_at), std::regex(rule.description));
}

struct Rules::State {
  State(Archive& its_archive, JobQueue& its_queue, const std::filesystem::path& folder)
      : archive(its_archive), queue(its_queue), kept(folder) {}

  Archive& archive;
  JobQueue& queue;
  WaitingFolder kept;
  std::vector<Rule> rules;
  std::chrono::milliseconds quiet{};
  std::mutex mutex;
  std::condition_variable changed;
  struct Waiting {
    std::string study_uid, series_uid;
    Clock::time_point last;
  };
  std::map<std::string, Waiting> waiting;  ///< by series
  bool closing = false;
  std::thread thread;

  void came(const std::string& study_uid, const std::string& series_uid);
  void watch();
  [[nodiscard]] std::vector<Waiting> take_quiet();
  void apply(const std::vector<Waiting>& series);
};

void Rules::State::came(const std::string& study_uid, const std::string& series_uid) {
  const std::lock_guard lock(mutex);
  const bool is_new = waiting.insert_or_assign(series_uid, Waiting{study_uid, series_uid, Clock::now()}).second;
  if (is_new) kept.add(study_uid, series_uid);
  changed.notify_one();
}

// Series of studies of which all has been quiet: a report is of all series together.
std::vector<Rules::State::Waiting> Rules::State::take_quiet() {
  std::set<std::string> busy;
  const auto old = Clock::now() - quiet;
  for (const auto& [uid, one] : waiting)
    if (one.last > old) busy.insert(one.study_uid);
  std::vector<Waiting> ready;
  std::erase_if(waiting, [&](const auto& entry) {
    if (busy.count(entry.second.study_uid) > 0) return false;
    ready.push_back(entry.second);
    return true;
  });
  return ready;
}

void Rules::State::watch() {
  std::unique_lock lock(mutex);
  while (!closing) {
    if (waiting.empty()) changed.wait(lock, [&] { return closing || !waiting.empty(); });
    else changed.wait_for(lock, std::min<std::chrono::milliseconds>(quiet, std::chrono::milliseconds(250)), [&] { return closing; });
    const std::vector<Waiting> ready = closing ? std::vector<Waiting>{} : take_quiet();
    if (ready.empty()) continue;
    lock.unlock();
    try {
      apply(ready);
    } catch (const std::exception&) {
      // The catalogue could not be read or written; they stay in the folder for the next start.
      lock.lock();
      continue;
    }
    lock.lock();
    // Its jobs are on the disk; one of which more came in the meantime waits again.
    for (const Waiting& one : ready)
      if (waiting.count(one.series_uid) == 0) kept.remove(one.series_uid);
  }
}

void Rules::State::apply(const std::vector<Waiting>& series) {
  std::set<std::string> done;  // a study's report is asked for once
  for (const Waiting& one : series) {
    if (queue.made_here(one.series_uid)) continue;
    for (const Row& row : archive.catalogue().search({Level::series, {}, one.study_uid, one.series_uid, false, 1, 0})) {
      const std::string modality = attribute(row, "00080060");
      const std::string descriptions = attribute(row, "0008103E") + "\n" + attribute(row, "00081030");
      for (const Rule& rule : rules) {
        if (!applies(rule, modality, descriptions)) continue;
        for (const std::string& run : rule.run) {
          const Json request = request_of_rule(rule, run, row);
          if (!done.insert(request.dump(-1)).second) continue;
          try {
            (void)queue.submit(request, false, "rule");
          } catch (const Error& fault) {
            archive.catalogue().audit({unix_ms(), "rule", "job.submit", "series " + one.series_uid, fault.what()});
          }
        }
      }
    }
  }
}

Rules::Rules(Archive& archive, JobQueue& queue, std::vector<Rule> rules, std::chrono::milliseconds quiet,
             const std::filesystem::path& waiting) {
  if (rules.empty()) return;
  state_ = std::make_shared<State>(archive, queue, waiting);
  state_->rules = std::move(rules);
  state_->quiet = quiet;
  for (const auto& [study_uid, series_uid] : state_->kept.left()) state_->waiting[series_uid] = {study_uid, series_uid, Clock::now()};
  archive.on_stored([state = std::weak_ptr<State>(state_)](const std::string& study_uid, const std::string& series_uid) {
    if (const auto there = state.lock()) there->came(study_uid, series_uid);
  });
  state_->thread = std::thread([state = state_.get()] { state->watch(); });
}

Rules::~Rules() {
  if (!state_) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->closing = true;
    state_->changed.notify_one();
  }
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace penta::engine
