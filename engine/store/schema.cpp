#include "engine/store/schema.h"

#include <array>

#include "core/error.h"

namespace penta::engine {

namespace {

// Long texts lie in tables of their own, so that a search that walks all rows reads few pages.
constexpr const char* archive_tables = R"(
CREATE TABLE studies(
  id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, patient_id TEXT NOT NULL, patient_name TEXT NOT NULL,
  accession TEXT NOT NULL, study_date TEXT NOT NULL, received_ms INTEGER NOT NULL,
  series_count INTEGER NOT NULL DEFAULT 0, instance_count INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX studies_patient ON studies(patient_id);
CREATE INDEX studies_accession ON studies(accession);
CREATE INDEX studies_date ON studies(study_date);
CREATE TABLE study_attributes(study INTEGER PRIMARY KEY REFERENCES studies(id), attributes TEXT NOT NULL) STRICT;
CREATE TABLE series(
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL REFERENCES studies(id), uid TEXT NOT NULL, modality TEXT NOT NULL,
  number INTEGER NOT NULL, attributes TEXT NOT NULL, instance_count INTEGER NOT NULL DEFAULT 0,
  UNIQUE(study, uid)) STRICT;
CREATE INDEX series_uid ON series(uid);
CREATE INDEX series_order ON series(study, number, id);
CREATE INDEX series_modality ON series(modality, study);
CREATE TABLE instances(
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL REFERENCES studies(id), series INTEGER NOT NULL REFERENCES series(id),
  uid TEXT NOT NULL UNIQUE, sop_class TEXT NOT NULL, number INTEGER NOT NULL, transfer_syntax TEXT NOT NULL,
  sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, rows INTEGER NOT NULL, columns INTEGER NOT NULL,
  frame_count INTEGER NOT NULL, frames_by_decoding INTEGER NOT NULL) STRICT;
CREATE INDEX instances_order ON instances(series, number, id);
CREATE TABLE contents(
  instance INTEGER PRIMARY KEY REFERENCES instances(id), attributes TEXT NOT NULL, metadata_bytes INTEGER NOT NULL,
  metadata BLOB NOT NULL, frames BLOB NOT NULL) STRICT;
)";

constexpr const char* work_tables = R"(
CREATE TABLE jobs(
  id INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL, interactive INTEGER NOT NULL, request TEXT NOT NULL,
  study_uid TEXT NOT NULL, progress REAL NOT NULL, doing TEXT NOT NULL, problem TEXT NOT NULL, attempts INTEGER NOT NULL,
  exit_code INTEGER NOT NULL, review TEXT NOT NULL, created_ms INTEGER NOT NULL, started_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL) STRICT;
CREATE INDEX jobs_next ON jobs(state, interactive DESC, id);
CREATE INDEX jobs_study ON jobs(study_uid, id);
CREATE TABLE audit(
  id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
  object TEXT NOT NULL, outcome TEXT NOT NULL) STRICT;
)";

// A step is never changed once it was in a release: a change is one more step.
constexpr std::array<const char*, 2> steps{archive_tables, work_tables};

int version_of(Connection& connection) {
  Statement ask = connection.prepare_once("PRAGMA user_version");
  return ask.step() ? static_cast<int>(ask.integer(0)) : 0;
}

}  // namespace

int schema_version() noexcept { return static_cast<int>(steps.size()); }

void migrate(Connection& connection, int version) {
  const int now = version_of(connection);
  if (now > schema_version())
    throw Error(Code::bad_input, "opening the catalogue: it is of version " + std::to_string(now) + ", and this program knows " +
                                     std::to_string(schema_version()) + " and older ones; use the newer program");
  for (int step = now; step < version; ++step) {
    connection.run("BEGIN IMMEDIATE");
    try {
      // Another process may have done it in the meantime.
      if (version_of(connection) == step) {
        connection.run(steps[static_cast<std::size_t>(step)]);
        connection.run("PRAGMA user_version = " + std::to_string(step + 1));
      }
      connection.run("COMMIT");
    } catch (...) {
      sqlite3_exec(connection.get(), "ROLLBACK", nullptr, nullptr, nullptr);
      throw;
    }
  }
}

}  // namespace penta::engine
