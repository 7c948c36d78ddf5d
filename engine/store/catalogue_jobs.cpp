#include <array>

#include "core/error.h"
#include "engine/store/sqlite_catalogue.h"

namespace penta::engine {

namespace {

constexpr std::array<std::string_view, 6> state_names{"queued", "running", "done", "partly_done", "failed", "cancelled"};

const std::string job_columns =
    "id, state, interactive, request, study_uid, progress, doing, problem, attempts, exit_code, review, created_ms, started_ms, ended_ms";

std::int64_t number_of(JobState state) noexcept { return static_cast<std::int64_t>(state); }

JobRecord job_in(const Statement& row) {
  JobRecord job;
  job.id = row.integer(0);
  job.state = static_cast<JobState>(row.integer(1));
  job.interactive = row.integer(2) != 0;
  job.request = Json::parse(row.text(3));
  job.study_uid = row.text(4);
  job.progress = row.real(5);
  job.doing = row.text(6);
  job.problem = row.text(7);
  job.attempts = static_cast<int>(row.integer(8));
  job.exit_code = static_cast<int>(row.integer(9));
  job.review = row.text(10);
  job.created_ms = row.integer(11);
  job.started_ms = row.integer(12);
  job.ended_ms = row.integer(13);
  return job;
}

Statement& bind_job(Statement& statement, const JobRecord& job, const std::string& request) {
  return statement.bind(number_of(job.state)).bind(std::int64_t{job.interactive}).bind(request).bind(job.study_uid).bind(job.progress)
      .bind(job.doing).bind(job.problem).bind(std::int64_t{job.attempts}).bind(std::int64_t{job.exit_code}).bind(job.review)
      .bind(job.created_ms).bind(job.started_ms).bind(job.ended_ms);
}

}  // namespace

std::string_view name_of(JobState state) noexcept { return state_names[static_cast<std::size_t>(state)]; }

std::int64_t SqliteCatalogue::add_job(const JobRecord& job) {
  std::int64_t id = 0;
  const std::string request = job.request.dump(-1);
  writer_.run([&](Connection& base) {
    Statement insert = base.prepare("INSERT INTO jobs(state, interactive, request, study_uid, progress, doing, problem, attempts, "
                                    "exit_code, review, created_ms, started_ms, ended_ms) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)");
    bind_job(insert, job, request).run();
    id = base.last_id();
  });
  return id;
}

void SqliteCatalogue::change_job(const JobRecord& job) {
  const std::string request = job.request.dump(-1);
  writer_.run([&](Connection& base) {
    Statement update = base.prepare("UPDATE jobs SET state = ?, interactive = ?, request = ?, study_uid = ?, progress = ?, doing = ?, "
                                    "problem = ?, attempts = ?, exit_code = ?, review = ?, created_ms = ?, started_ms = ?, ended_ms = ? WHERE id = ?");
    bind_job(update, job, request).bind(job.id).run();
  });
}

std::optional<JobRecord> SqliteCatalogue::job(std::int64_t id) const {
  const Lease base(*this);
  Statement ask = base->prepare("SELECT " + job_columns + " FROM jobs WHERE id = ?");
  return ask.bind(id).step() ? std::optional(job_in(ask)) : std::nullopt;
}

std::vector<JobRecord> SqliteCatalogue::jobs(const std::string& study_uid, std::optional<JobState> state, std::int64_t limit) const {
  std::string sql = "SELECT " + job_columns + " FROM jobs WHERE 1";
  if (!study_uid.empty()) sql += " AND study_uid = ?";
  if (state) sql += " AND +state = ?";  // in order of id, so that the newest are found first
  sql += " ORDER BY id DESC LIMIT ?";
  const Lease base(*this);
  Statement ask = base->prepare(sql);
  if (!study_uid.empty()) ask.bind(study_uid);
  if (state) ask.bind(number_of(*state));
  ask.bind(limit);
  std::vector<JobRecord> out;
  while (ask.step()) out.push_back(job_in(ask));
  return out;
}

std::optional<JobRecord> SqliteCatalogue::take_job() {
  {
    // Most of the time there is none, and that need not be written.
    const Lease base(*this);
    Statement ask = base->prepare("SELECT 1 FROM jobs WHERE state = ? LIMIT 1");
    if (!ask.bind(number_of(JobState::queued)).step()) return std::nullopt;
  }
  std::optional<JobRecord> taken;
  writer_.run([&](Connection& base) {
    taken.reset();
    {
      Statement ask = base.prepare("SELECT " + job_columns + " FROM jobs WHERE state = ? ORDER BY interactive DESC, id LIMIT 1");
      if (!ask.bind(number_of(JobState::queued)).step()) return;
      taken = job_in(ask);
    }
    taken->state = JobState::running;
    taken->started_ms = now_ms();
    ++taken->attempts;
    base.prepare("UPDATE jobs SET state = ?, started_ms = ?, attempts = ? WHERE id = ?")
        .bind(number_of(taken->state)).bind(taken->started_ms).bind(std::int64_t{taken->attempts}).bind(taken->id).run();
  });
  return taken;
}

int SqliteCatalogue::requeue_running() {
  int count = 0;
  writer_.run([&](Connection& base) {
    base.prepare("UPDATE jobs SET state = ?, progress = 0, doing = '' WHERE state = ?")
        .bind(number_of(JobState::queued)).bind(number_of(JobState::running)).run();
    count = sqlite3_changes(base.get());
  });
  return count;
}

void write_event(Connection& base, const AuditEvent& event) {
  base.prepare("INSERT INTO audit(at_ms, who, action, object, outcome) VALUES(?,?,?,?,?)")
      .bind(event.at_ms == 0 ? now_ms() : event.at_ms).bind(event.who).bind(event.action).bind(event.object).bind(event.outcome).run();
}

void SqliteCatalogue::audit(const AuditEvent& event) {
  writer_.run([&](Connection& base) { write_event(base, event); });
}

std::vector<AuditEvent> SqliteCatalogue::audit_trail(std::int64_t limit) const {
  const Lease base(*this);
  Statement ask = base->prepare("SELECT at_ms, who, action, object, outcome FROM audit ORDER BY id DESC LIMIT ?");
  ask.bind(limit);
  std::vector<AuditEvent> out;
  while (ask.step()) out.push_back({ask.integer(0), ask.text(1), ask.text(2), ask.text(3), ask.text(4)});
  return out;
}

}  // namespace penta::engine
