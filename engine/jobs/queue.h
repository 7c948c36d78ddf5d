#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "engine/methods.h"
#include "engine/store/archive.h"
#include "engine/store/catalogue.h"

namespace penta::engine {

/// How jobs are run.
struct QueueSettings {
  std::filesystem::path program;   ///< this executable; a job is `penta <verb> ...` in a sandboxed child process
  std::filesystem::path results;   ///< a folder a job: <results>/<id>
  int at_once = 1, attempts = 2;
  double memory_gb = 8;            ///< of all jobs that run at once
  std::vector<std::string> peers;  ///< names that "send_to" may hold
  std::chrono::seconds seconds_max{14400};  ///< of one job; then it is stopped and has failed
  std::chrono::milliseconds send_again{15000};  ///< before results are sent a second time; then twice as long, three times
};

/// Something that a page wants to hear of.
struct Happening {
  std::string kind;  ///< "job", "study"; "closing" when the server stops
  Json json;
};

/// Jobs of the catalogue, run one after another, interactive before batch. A request is JSON:
/// {"task": "segmentation", "method": "ct.body", "inputs": [{"role": "image", "series_uid": "..."}], "settings": {},
///  "seed": 0, "memory_gb": 4} or {"task": "report", "study_uid": "..."}; "review": "automatic" stores results at once,
/// "pending" (default) waits for accept(). "send_to": names of DICOM peers.
class JobQueue {
 public:
  JobQueue(Archive& archive, QueueSettings settings);
  ~JobQueue();  ///< cancels what runs; it is queued again at the next start

  /// Throws Error{wrong_use} for a request that makes no sense, Error{nothing_to_do} for a method, study, series or peer
  /// that there is not, Error{out_of_memory} for one that wants more than this server has.
  [[nodiscard]] JobRecord submit(const Json& request, bool interactive, const std::string& who);
  /// Each of these throws Error{nothing_to_do} for a job that there is not, Error{cancelled} for one whose state does not
  /// allow it, with a sentence that says the state.
  [[nodiscard]] JobRecord cancel(std::int64_t id, const std::string& who);
  [[nodiscard]] JobRecord retry(std::int64_t id, const std::string& who);
  /// Stores the job's DICOM outputs in the archive ("accepted"), or says why not ("pending", problem). Sending goes on in
  /// the background: "sent", or "problem" once four attempts failed; then accept() has it tried again.
  [[nodiscard]] JobRecord accept(std::int64_t id, const std::string& who);
  [[nodiscard]] JobRecord reject(std::int64_t id, const std::string& who);
  [[nodiscard]] std::filesystem::path folder_of(std::int64_t id) const;
  /// The record, with the progress of one that runs.
  [[nodiscard]] std::optional<JobRecord> job(std::int64_t id) const;
  /// Whether a series came out of a job here, in this run or an earlier one: rules leave it alone.
  [[nodiscard]] bool made_here(const std::string& series_uid) const;
  [[nodiscard]] const Methods& methods() const;  ///< read when they are first asked for

  /// Sends files to a DICOM peer by name; set by the DIMSE part. Throws Error{output_failed}.
  using Sender = std::function<void(const std::string& peer, std::span<const std::filesystem::path> files)>;
  void set_sender(Sender sender);

  /// Calls `listener` for each happening until the handle is destroyed.
  [[nodiscard]] std::shared_ptr<void> listen(std::function<void(const Happening&)> listener);
  void tell(const Happening& happening);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace penta::engine
