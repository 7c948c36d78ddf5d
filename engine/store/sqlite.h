#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penta::engine {

/// A prepared statement in use; it is reset when this goes.
class Statement {
 public:
  Statement(sqlite3* base, sqlite3_stmt* statement, bool once) noexcept : base_(base), statement_(statement), once_(once) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  // Bind the next parameter. Texts and bytes must live until the last step.
  Statement& bind(std::int64_t value);
  Statement& bind(double value);
  Statement& bind(std::string_view text);
  Statement& bind(std::span<const std::byte> bytes);
  /// True when there is a row. Throws Error{output_failed} or Error{internal}.
  bool step();
  void run() { while (step()) {} }

  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] double real(int column) const { return sqlite3_column_double(statement_, column); }
  [[nodiscard]] std::string text(int column) const { return std::string(view(column)); }
  /// Until the next step.
  [[nodiscard]] std::string_view view(int column) const;
  [[nodiscard]] std::span<const std::byte> bytes(int column) const;

 private:
  sqlite3* base_;
  sqlite3_stmt* statement_;
  bool once_;
  int next_ = 1;
};

/// One connection to a data base, for one thread at a time. Statements are prepared once and kept.
class Connection {
 public:
  explicit Connection(const std::filesystem::path& path);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Throws Error{internal} for SQL that makes no sense.
  [[nodiscard]] Statement prepare(const std::string& sql);
  /// The same for one that is not asked again soon.
  [[nodiscard]] Statement prepare_once(const std::string& sql);
  /// Runs statements that give nothing.
  void run(const std::string& sql);
  [[nodiscard]] std::int64_t last_id() const { return sqlite3_last_insert_rowid(base_); }
  [[nodiscard]] sqlite3* get() const noexcept { return base_; }

 private:
  sqlite3* base_ = nullptr;
  std::map<std::string, sqlite3_stmt*> prepared_;
};

/// Throws Error{output_failed} for a disk that is full or read-only, else Error{internal}.
[[noreturn]] void fail_sqlite(sqlite3* base, std::string_view doing);

}  // namespace penta::engine
