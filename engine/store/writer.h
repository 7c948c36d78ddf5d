#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/store/sqlite.h"

namespace penta::engine {

/// Whether a change is on the disk when it returns, or only once the catalogue is synced.
enum class Durable { now, later };

/// Changes to a data base by many threads: those that wait while one transaction is being synced go into the next one
/// together, so that they share its sync.
class Writer {
 public:
  /// `sync` brings what was committed to the disk.
  Writer(Connection& connection, std::function<void()> sync) : connection_(connection), sync_(std::move(sync)) {}
  /// Runs `change` in a transaction. What it throws undoes its own change alone.
  void run(const std::function<void(Connection&)>& change, Durable durable = Durable::now);

 private:
  struct Waiting {
    const std::function<void(Connection&)>* change;
    Durable durable;
    std::exception_ptr fault;
    bool done = false;
  };
  void commit(const std::vector<Waiting*>& together) noexcept;

  Connection& connection_;
  std::function<void()> sync_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiting*> waiting_;
  bool busy_ = false;
};

}  // namespace penta::engine
