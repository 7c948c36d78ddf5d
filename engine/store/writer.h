#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <vector>

#include "engine/store/sqlite.h"

namespace penta::engine {

/// Changes to a data base by many threads: those that wait while one transaction is being synced go into the next one
/// together, so that they share its sync.
class Writer {
 public:
  explicit Writer(Connection& connection) : connection_(connection) {}
  /// Runs `change` in a transaction; it is on the disk on return. What it throws undoes its own change alone.
  void run(const std::function<void(Connection&)>& change);

 private:
  struct Waiting {
    const std::function<void(Connection&)>* change;
    std::exception_ptr fault;
    bool done = false;
  };
  void commit(const std::vector<Waiting*>& together) noexcept;

  Connection& connection_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiting*> waiting_;
  bool busy_ = false;
};

}  // namespace penta::engine
