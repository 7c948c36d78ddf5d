#include "engine/store/sqlite_catalogue.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <limits>
#include <set>

#include "core/error.h"
#include "engine/store/attributes.h"
#include "engine/store/frame_bytes.h"
#include "engine/store/schema.h"
#include "io/packed.h"

namespace penta::engine {

namespace {

constexpr std::size_t idle_most = 8;

void set_up(Connection& connection) {
  // The log is synced by ourselves (sync_log); the checkpoints that go with a commit are only for a log that grew too long.
  connection.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4000; "
                 "PRAGMA wal_autocheckpoint = 8000");
  add_functions(connection);
}

std::filesystem::path file_in(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  return folder / "catalogue.sqlite";
}

/// A whole number, or the largest where there is none: what has no number comes last.
std::int64_t number_of(std::string_view attribute) {
  const std::string text = value_text(attribute);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : std::numeric_limits<std::int64_t>::max();
}

// Without the points that dates had in 1985, so that text order is the order of days.
std::string plain_date(std::string date) {
  std::erase(date, '.');
  return date;
}

std::int64_t study_of(Connection& base, const InstanceIndex& index, const std::string& attributes) {
  if (Statement ask = base.prepare("SELECT id FROM studies WHERE uid = ?"); ask.bind(index.study_uid).step()) return ask.integer(0);
  const auto text = [&](std::string_view tag) { return value_text(member_of(attributes, tag)); };
  const std::string id = text("00100020"), name = text("00100010"), accession = text("00080050");
  base.prepare("INSERT INTO studies(uid, patient_id, patient_name, accession, study_date, received_ms) VALUES(?,?,?,?,?,?)")
      .bind(index.study_uid).bind(id).bind(name).bind(accession).bind(plain_date(text("00080020"))).bind(now_ms()).run();
  const std::int64_t study = base.last_id();
  base.prepare("INSERT INTO study_attributes(study, attributes) VALUES(?,?)").bind(study).bind(attributes).run();
  return study;
}

std::int64_t series_of(Connection& base, std::int64_t study, const InstanceIndex& index, const std::string& attributes) {
  if (Statement ask = base.prepare("SELECT id FROM series WHERE study = ? AND uid = ?"); ask.bind(study).bind(index.series_uid).step())
    return ask.integer(0);
  const std::string modality = value_text(member_of(attributes, "00080060"));
  base.prepare("INSERT INTO series(study, uid, modality, number, attributes) VALUES(?,?,?,?,?)")
      .bind(study).bind(index.series_uid).bind(modality).bind(number_of(member_of(attributes, "00200011"))).bind(attributes).run();
  const std::int64_t id = base.last_id();
  base.prepare("UPDATE studies SET series_count = series_count + 1 WHERE id = ?").bind(study).run();
  return id;
}

void insert(Connection& base, const StoredInstance& instance) {
  const InstanceIndex& index = instance.index;
  const LevelAttributes attributes = by_level(index.metadata);
  const std::int64_t study = study_of(base, index, attributes.study), series = series_of(base, study, index, attributes.series);
  base.prepare("INSERT INTO instances(study, series, uid, sop_class, number, transfer_syntax, sha256, bytes, rows, columns, "
               "frame_count, frames_by_decoding) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)")
      .bind(study).bind(series).bind(index.sop_uid).bind(index.sop_class).bind(number_of(member_of(attributes.instance, "00200013")))
      .bind(index.transfer_syntax).bind(instance.sha256).bind(instance.bytes).bind(index.rows).bind(index.columns)
      .bind(index.frame_count).bind(std::int64_t{index.frames_by_decoding}).run();
  const std::int64_t id = base.last_id();
  const std::vector<std::byte> metadata = io::packed(index.metadata), frames = frames_to_bytes(index.frames);
  base.prepare("INSERT INTO contents(instance, attributes, metadata_bytes, metadata, frames) VALUES(?,?,?,?,?)")
      .bind(id).bind(attributes.instance).bind(static_cast<std::int64_t>(index.metadata.size())).bind(metadata).bind(frames).run();
  base.prepare("UPDATE series SET instance_count = instance_count + 1 WHERE id = ?").bind(series).run();
  base.prepare("UPDATE studies SET instance_count = instance_count + 1 WHERE id = ?").bind(study).run();
}

Catalogue::Added add_one(Connection& base, const StoredInstance& instance) {
  if (Statement ask = base.prepare("SELECT sha256 FROM instances WHERE uid = ?"); ask.bind(instance.index.sop_uid).step())
    return ask.text(0) == instance.sha256 ? Catalogue::Added::same : Catalogue::Added::differs;
  insert(base, instance);
  return Catalogue::Added::added;
}

}  // namespace

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::unique_ptr<Catalogue> open_sqlite_catalogue(const std::filesystem::path& folder) {
  return std::make_unique<SqliteCatalogue>(folder);
}

SqliteCatalogue::SqliteCatalogue(const std::filesystem::path& folder)
    : path_(file_in(folder)), written_(path_), writer_(written_, [this] { sync_log(); }) {
  set_up(written_);
  migrate(written_);
  sync_log();  // what a killed program left there
}

// A sync of the log is what SQLite itself does after each commit under PRAGMA synchronous = FULL.
void SqliteCatalogue::sync_log() const {
  const int handle = ::open((path_.string() + "-wal").c_str(), O_RDWR | O_CLOEXEC);
  const bool good = handle < 0 ? errno == ENOENT : ::fsync(handle) == 0;
  const int problem = errno;
  if (handle >= 0) ::close(handle);
  if (!good) throw Error(Code::output_failed, "syncing the catalogue " + path_.string() + ": " + std::strerror(problem));
}

void SqliteCatalogue::sync() {
  sync_log();
  // The log has it all, so that nothing is lost where a reader is in the way of the checkpoint.
  const Lease base(*this);
  sqlite3_wal_checkpoint_v2(base->get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

SqliteCatalogue::Lease::Lease(const SqliteCatalogue& owner) : owner_(owner) {
  {
    const std::lock_guard lock(owner.mutex_);
    if (!owner.idle_.empty()) {
      connection_ = std::move(owner.idle_.back());
      owner.idle_.pop_back();
      return;
    }
  }
  connection_ = std::make_unique<Connection>(owner.path_);
  set_up(*connection_);
  connection_->run("PRAGMA query_only = ON");
}

SqliteCatalogue::Lease::~Lease() {
  const std::lock_guard lock(owner_.mutex_);
  if (owner_.idle_.size() < idle_most) owner_.idle_.push_back(std::move(connection_));
}

std::vector<Catalogue::Added> SqliteCatalogue::add(std::span<const StoredInstance> instances, std::span<const AuditEvent> events) {
  std::vector<Added> out;
  writer_.run([&](Connection& base) {
    out.clear();
    for (const StoredInstance& instance : instances) out.push_back(add_one(base, instance));
    for (const AuditEvent& event : events) write_event(base, event);
  }, Durable::later);
  return out;
}

std::vector<StoredInstance> SqliteCatalogue::listed(const std::string& study_uid, const std::string& series_uid,
                                                    const std::string& sop_uid, bool with_contents) const {
  std::string sql = "SELECT st.uid, se.uid, i.uid, i.sop_class, i.transfer_syntax, i.sha256, i.bytes, i.rows, i.columns, i.frame_count, "
                    "i.frames_by_decoding";
  if (with_contents) sql += ", c.metadata_bytes, c.metadata, c.frames";
  // The order of the tables is the one in which they are walked: from the narrowest that is given.
  if (!sop_uid.empty()) sql += " FROM instances i CROSS JOIN series se ON se.id = i.series CROSS JOIN studies st ON st.id = i.study";
  else if (study_uid.empty() && !series_uid.empty())
    sql += " FROM series se CROSS JOIN instances i ON i.series = se.id CROSS JOIN studies st ON st.id = se.study";
  else sql += " FROM studies st CROSS JOIN series se ON se.study = st.id CROSS JOIN instances i ON i.series = se.id";
  if (with_contents) sql += " CROSS JOIN contents c ON c.instance = i.id";
  sql += " WHERE 1";
  for (const auto& [value, column] : {std::pair(&study_uid, "st.uid"), {&series_uid, "se.uid"}, {&sop_uid, "i.uid"}})
    if (!value->empty()) sql += std::string(" AND ") + column + " = ?";
  sql += " ORDER BY st.id, se.number, se.id, i.number, i.id";
  const Lease base(*this);
  Statement ask = base->prepare(sql);
  for (const auto* value : {&study_uid, &series_uid, &sop_uid})
    if (!value->empty()) ask.bind(*value);
  std::vector<StoredInstance> out;
  while (ask.step()) {
    StoredInstance& one = out.emplace_back();
    one.index = {ask.text(0), ask.text(1), ask.text(2), ask.text(3), ask.text(4), {}, {}, ask.integer(10) != 0, ask.integer(7), ask.integer(8), ask.integer(9)};
    one.sha256 = ask.text(5);
    one.bytes = ask.integer(6);
    if (!with_contents) continue;
    one.index.metadata = io::unpacked(ask.bytes(12), static_cast<std::size_t>(ask.integer(11)));
    one.index.frames = frames_from_bytes(ask.bytes(13));
  }
  return out;
}

std::vector<StoredInstance> SqliteCatalogue::instances(const std::string& study_uid, const std::string& series_uid,
                                                       const std::string& sop_uid) const {
  return listed(study_uid, series_uid, sop_uid, true);
}

std::vector<StoredInstance> SqliteCatalogue::files(const std::string& study_uid, const std::string& series_uid,
                                                   const std::string& sop_uid) const {
  return listed(study_uid, series_uid, sop_uid, false);
}

std::vector<std::string> SqliteCatalogue::known(std::span<const std::string> sha256) const {
  const std::set<std::string> asked(sha256.begin(), sha256.end());
  std::vector<std::string> out;
  const Lease base(*this);
  Statement ask = base->prepare_once("SELECT sha256 FROM instances");
  while (ask.step())
    if (std::string one = ask.text(0); asked.contains(one)) out.push_back(std::move(one));
  return out;
}

std::vector<std::string> SqliteCatalogue::remove(const std::string& study_uid, const std::string& series_uid) {
  std::vector<std::string> hashes;
  writer_.run([&](Connection& base) {
    hashes.clear();
    std::vector<std::pair<std::int64_t, std::int64_t>> series;  // its study, its id
    {
      Statement ask = base.prepare("SELECT st.id, se.id FROM studies st JOIN series se ON se.study = st.id WHERE st.uid = ? AND (?2 = '' OR se.uid = ?2)");
      ask.bind(study_uid).bind(series_uid);
      while (ask.step()) series.emplace_back(ask.integer(0), ask.integer(1));
    }
    for (const auto& [study, id] : series) {
      Statement ask = base.prepare("SELECT sha256 FROM instances WHERE series = ?");
      ask.bind(id);
      while (ask.step()) hashes.push_back(ask.text(0));
      base.prepare("DELETE FROM contents WHERE instance IN (SELECT id FROM instances WHERE series = ?)").bind(id).run();
      base.prepare("UPDATE studies SET series_count = series_count - 1, instance_count = instance_count - "
                   "(SELECT instance_count FROM series WHERE id = ?) WHERE id = ?").bind(id).bind(study).run();
      base.prepare("DELETE FROM instances WHERE series = ?").bind(id).run();
      base.prepare("DELETE FROM series WHERE id = ?").bind(id).run();
    }
    base.prepare("DELETE FROM study_attributes WHERE study = (SELECT id FROM studies WHERE uid = ? AND series_count = 0)")
        .bind(study_uid).run();
    base.prepare("DELETE FROM studies WHERE uid = ? AND series_count = 0").bind(study_uid).run();
  });
  return hashes;
}

}  // namespace penta::engine
