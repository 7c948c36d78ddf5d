#include "engine/store/settler.h"

#include <iterator>
#include <utility>

namespace penta::engine {

Settler::Settler(std::function<void(const Names&)> settle, Settling when)
    : settle_(std::move(settle)), when_(when), thread_([this] { work(); }) {}

Settler::~Settler() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
  try {
    now();
  } catch (...) {
    // The names stay, and the next start settles them.
  }
}

void Settler::add(Names names) {
  const std::lock_guard lock(mutex_);
  const std::size_t before = names_.size();
  names_.insert(names_.end(), std::make_move_iterator(names.begin()), std::make_move_iterator(names.end()));
  if ((before == 0 && !names_.empty()) || (before < when_.most && names_.size() >= when_.most)) changed_.notify_all();
}

void Settler::now() {
  const std::lock_guard one(one_at_a_time_);
  Names names;
  {
    const std::lock_guard lock(mutex_);
    names.swap(names_);
  }
  if (names.empty()) return;
  try {
    settle_(names);
  } catch (...) {
    add(std::move(names));
    throw;
  }
}

void Settler::work() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    changed_.wait(lock, [&] { return closing_ || !names_.empty(); });
    changed_.wait_for(lock, when_.wait, [&] { return closing_ || names_.size() >= when_.most; });
    if (closing_) return;
    lock.unlock();
    bool good = true;
    try {
      now();
    } catch (...) {
      good = false;  // a full disk: later
    }
    lock.lock();
    if (!good) changed_.wait_for(lock, when_.wait, [&] { return closing_; });
  }
}

}  // namespace penta::engine
