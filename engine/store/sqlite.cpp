#include "engine/store/sqlite.h"

#include "core/error.h"

namespace penta::engine {

void fail_sqlite(sqlite3* base, std::string_view doing) {
  const int code = sqlite3_errcode(base) & 0xFF;
  const bool disk = code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_READONLY || code == SQLITE_CANTOPEN ||
                    code == SQLITE_BUSY || code == SQLITE_LOCKED;
  throw Error(disk ? Code::output_failed : Code::internal,
              std::string(doing) + ": the catalogue says '" + sqlite3_errmsg(base) + "'");
}

Statement::~Statement() {
  if (once_) sqlite3_finalize(statement_);
  if (once_) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::bind(std::int64_t value) {
  sqlite3_bind_int64(statement_, next_++, value);
  return *this;
}

Statement& Statement::bind(double value) {
  sqlite3_bind_double(statement_, next_++, value);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  sqlite3_bind_text64(statement_, next_++, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(std::span<const std::byte> bytes) {
  sqlite3_bind_blob64(statement_, next_++, bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

bool Statement::step() {
  const int state = sqlite3_step(statement_);
  if (state == SQLITE_ROW) return true;
  if (state != SQLITE_DONE) fail_sqlite(base_, "asking the catalogue");
  return false;
}

std::string_view Statement::view(int column) const {
  const auto* first = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return first == nullptr ? std::string_view() : std::string_view(first, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::span<const std::byte> Statement::bytes(int column) const {
  const auto* first = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  return {first, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Connection::Connection(const std::filesystem::path& path) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &base_, flags, nullptr) != SQLITE_OK) {
    const std::string why = base_ == nullptr ? "no memory" : sqlite3_errmsg(base_);
    sqlite3_close(base_);
    throw Error(Code::output_failed, "opening the catalogue " + path.string() + ": " + why);
  }
  sqlite3_busy_timeout(base_, 10'000);
}

Connection::~Connection() {
  for (const auto& [sql, statement] : prepared_) sqlite3_finalize(statement);
  sqlite3_close(base_);
}

Statement Connection::prepare(const std::string& sql) {
  sqlite3_stmt*& statement = prepared_[sql];
  if (statement == nullptr) {
    if (sqlite3_prepare_v3(base_, sql.c_str(), static_cast<int>(sql.size() + 1), SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
        SQLITE_OK) {
      prepared_.erase(sql);
      fail_sqlite(base_, "asking the catalogue");
    }
  }
  return {base_, statement, false};
}

Statement Connection::prepare_once(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(base_, sql.c_str(), static_cast<int>(sql.size() + 1), 0, &statement, nullptr) != SQLITE_OK)
    fail_sqlite(base_, "asking the catalogue");
  return {base_, statement, true};
}

void Connection::run(const std::string& sql) {
  if (sqlite3_exec(base_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail_sqlite(base_, "changing the catalogue");
}

}  // namespace penta::engine
