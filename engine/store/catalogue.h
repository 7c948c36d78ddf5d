#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "engine/store/instance.h"
#include "engine/store/row_attributes.h"

namespace penta::engine {

enum class Level { study, series, instance };

/// A search as QIDO-RS and C-FIND ask it. Keys are tags as 8 hex digits ("00100010"), values as in the request:
/// * and ? are wildcards, a-b a range of dates or times, \ separates UIDs. All must match; an empty value matches all.
struct Search {
  Level level = Level::study;
  std::vector<std::pair<std::string, std::string>> match;
  std::string study_uid, series_uid;  ///< from the path; empty: any
  bool fuzzy = false;                 ///< names: each word of the query begins a word of the name, whatever its case
  std::int64_t limit = 100, offset = 0;
  /// What a person typed: the words of a study's patient name as with `fuzzy`, or a part of its patient id, accession
  /// number or description. Empty: any.
  std::string text{};
};

/// Whether searches of a level match on a key: attributes of the level itself and of those above it, Modality and
/// Modalities in Study from above too. search() takes no notice of other keys, as PS3.4 C.2.2.2 and PS3.18 8.3.4.1 let
/// it, so that who asks can say so.
[[nodiscard]] bool searchable(Level level, std::string_view tag) noexcept;

struct Row {
  std::string study_uid, series_uid, sop_uid;
  std::int64_t received_ms = 0;  ///< of the study's first instance, Unix time
  /// DICOM JSON of the level's attributes, with the counts of PS3.18 table 10.6.3-3 to -5, and of the levels above that
  /// the path did not name (their UIDs always).
  RowAttributes attributes;
};

struct StoredInstance {
  InstanceIndex index;
  std::string sha256;
  std::int64_t bytes = 0;
};

enum class JobState { queued, running, done, partly_done, failed, cancelled };
[[nodiscard]] std::string_view name_of(JobState state) noexcept;

/// One piece of work. `request` is what was asked (see engine/jobs/queue.h), as JSON.
struct JobRecord {
  std::int64_t id = 0;
  JobState state = JobState::queued;
  bool interactive = false;  ///< goes before batch work
  Json request;
  std::string study_uid;
  double progress = 0;
  std::string doing, problem;      ///< what is being done; why it failed
  int attempts = 0, exit_code = -1;
  std::string review;              ///< "", "pending", "accepted", "rejected", "sent"
  std::int64_t created_ms = 0, started_ms = 0, ended_ms = 0;  ///< Unix time
};

struct AuditEvent {
  std::int64_t at_ms = 0;
  std::string who, action, object, outcome;  ///< who: address or AE title; object: UIDs or hashes, never names
};

/// The catalogue of studies, jobs and what was done: an interface, so that another data base can serve.
/// Every call is safe from any thread; what it changed is on the disk when it returns, but for add(). Throws Error{output_failed}
/// where it cannot be written, Error{internal} for a damaged data base.
class Catalogue {
 public:
  virtual ~Catalogue() = default;

  /// Adds instances in one transaction. One whose SOP instance UID is there already with the same bytes is left as it
  /// is; with other bytes it is refused. Returns, for each, what happened. `events` go into the audit trail with them.
  /// All of it is on the disk after the next sync(), or the next other change.
  enum class Added { added, same, differs };
  virtual std::vector<Added> add(std::span<const StoredInstance> instances, std::span<const AuditEvent> events = {}) = 0;
  virtual void sync() = 0;
  [[nodiscard]] virtual std::vector<Row> search(const Search& search) const = 0;
  [[nodiscard]] virtual std::int64_t count(const Search& search) const = 0;
  /// Instances of a study, series, or one, in series and instance number order. Empty UIDs: any.
  [[nodiscard]] virtual std::vector<StoredInstance> instances(const std::string& study_uid, const std::string& series_uid,
                                                              const std::string& sop_uid) const = 0;
  /// The same without metadata and frames: for what needs only files.
  [[nodiscard]] virtual std::vector<StoredInstance> files(const std::string& study_uid, const std::string& series_uid,
                                                          const std::string& sop_uid) const = 0;
  /// Those of the hashes that an instance has. Walks all instances: for a start after a crash.
  [[nodiscard]] virtual std::vector<std::string> known(std::span<const std::string> sha256) const = 0;
  /// Removes a study, or a series where that is given; returns the hashes that nothing uses any more.
  virtual std::vector<std::string> remove(const std::string& study_uid, const std::string& series_uid) = 0;

  [[nodiscard]] virtual std::int64_t add_job(const JobRecord& job) = 0;
  virtual void change_job(const JobRecord& job) = 0;
  [[nodiscard]] virtual std::optional<JobRecord> job(std::int64_t id) const = 0;
  /// Newest first; an empty study and no state: all.
  [[nodiscard]] virtual std::vector<JobRecord> jobs(const std::string& study_uid, std::optional<JobState> state,
                                                    std::int64_t limit) const = 0;
  /// Marks the next queued job running, counts an attempt, and returns it: interactive before batch, then the oldest.
  [[nodiscard]] virtual std::optional<JobRecord> take_job() = 0;
  /// Jobs that a stopped server left running are queued again; returns how many.
  virtual int requeue_running() = 0;

  virtual void audit(const AuditEvent& event) = 0;
  [[nodiscard]] virtual std::vector<AuditEvent> audit_trail(std::int64_t limit) const = 0;
};

/// SQLite in <folder>/catalogue.sqlite, write-ahead log; migrations run on opening.
/// Throws Error{bad_input} for a data base of a newer version.
[[nodiscard]] std::unique_ptr<Catalogue> open_sqlite_catalogue(const std::filesystem::path& folder);

}  // namespace penta::engine
