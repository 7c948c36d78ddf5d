#include "engine/store/writer.h"

#include <algorithm>
#include <utility>

namespace penta::engine {

void Writer::run(const std::function<void(Connection&)>& change, Durable durable) {
  Waiting mine{&change, durable, nullptr, false};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  changed_.wait(lock, [&] { return mine.done || !busy_; });
  if (!mine.done) {
    busy_ = true;
    const std::vector<Waiting*> together = std::exchange(waiting_, {});
    lock.unlock();
    commit(together);
    lock.lock();
    for (Waiting* one : together) one->done = true;
    busy_ = false;
    changed_.notify_all();
  }
  if (mine.fault) std::rethrow_exception(mine.fault);
}

void Writer::commit(const std::vector<Waiting*>& together) noexcept {
  try {
    connection_.run("BEGIN IMMEDIATE");
    for (Waiting* one : together) {
      connection_.run("SAVEPOINT one");
      try {
        (*one->change)(connection_);
      } catch (...) {
        one->fault = std::current_exception();
        connection_.run("ROLLBACK TO one");
      }
      connection_.run("RELEASE one");
    }
    connection_.run("COMMIT");
  } catch (...) {
    sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    for (Waiting* one : together)
      if (!one->fault) one->fault = std::current_exception();
    return;
  }
  try {
    if (std::any_of(together.begin(), together.end(), [](const Waiting* one) { return one->durable == Durable::now; })) sync_();
  } catch (...) {
    for (Waiting* one : together)
      if (!one->fault && one->durable == Durable::now) one->fault = std::current_exception();
  }
}

}  // namespace penta::engine
