#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/store/catalogue.h"
#include "engine/store/writer.h"

namespace penta::engine {

/// The catalogue in SQLite: one connection that writes, as many that read as threads ask at the same time.
class SqliteCatalogue final : public Catalogue {
 public:
  explicit SqliteCatalogue(const std::filesystem::path& folder);

  std::vector<Added> add(std::span<const StoredInstance> instances, std::span<const AuditEvent> events) override;
  [[nodiscard]] std::vector<Row> search(const Search& search) const override;
  [[nodiscard]] std::int64_t count(const Search& search) const override;
  [[nodiscard]] std::vector<StoredInstance> instances(const std::string& study_uid, const std::string& series_uid,
                                                      const std::string& sop_uid) const override;
  [[nodiscard]] std::vector<StoredInstance> files(const std::string& study_uid, const std::string& series_uid,
                                                  const std::string& sop_uid) const override;
  [[nodiscard]] std::vector<std::string> known(std::span<const std::string> sha256) const override;
  std::vector<std::string> remove(const std::string& study_uid, const std::string& series_uid) override;

  void sync() override;

  [[nodiscard]] std::int64_t add_job(const JobRecord& job) override;
  void change_job(const JobRecord& job) override;
  [[nodiscard]] std::optional<JobRecord> job(std::int64_t id) const override;
  [[nodiscard]] std::vector<JobRecord> jobs(const std::string& study_uid, std::optional<JobState> state,
                                            std::int64_t limit) const override;
  [[nodiscard]] std::optional<JobRecord> take_job() override;
  int requeue_running() override;

  void audit(const AuditEvent& event) override;
  [[nodiscard]] std::vector<AuditEvent> audit_trail(std::int64_t limit) const override;

 private:
  /// A connection for reading, given back when it goes.
  class Lease {
   public:
    explicit Lease(const SqliteCatalogue& owner);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Connection* operator->() const noexcept { return connection_.get(); }

   private:
    const SqliteCatalogue& owner_;
    std::unique_ptr<Connection> connection_;
  };
  [[nodiscard]] std::vector<StoredInstance> listed(const std::string& study_uid, const std::string& series_uid,
                                                   const std::string& sop_uid, bool with_contents) const;

  /// Brings every committed change to the disk.
  void sync_log() const;

  std::filesystem::path path_;
  Connection written_;
  mutable Writer writer_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Connection>> idle_;
};

/// The SQL functions of searches (search_sql.cpp).
void add_functions(Connection& connection);
/// Milliseconds since 1970.
[[nodiscard]] std::int64_t now_ms();
void write_event(Connection& connection, const AuditEvent& event);

}  // namespace penta::engine
