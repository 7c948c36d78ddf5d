#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace penta::engine {

/// When staged names are given up: this long after the first of them, or when there are so many.
struct Settling {
  std::chrono::milliseconds wait{2000};
  std::size_t most = 512;
};

/// Staged names of instances whose rows are not known to be on the disk yet, and a thread that settles them.
class Settler {
 public:
  using Names = std::vector<std::filesystem::path>;
  /// `settle` brings the catalogue to the disk and gives the names up; where it throws, they stay for the next time.
  Settler(std::function<void(const Names&)> settle, Settling when);
  ~Settler();
  Settler(const Settler&) = delete;
  Settler& operator=(const Settler&) = delete;

  void add(Names names);
  /// Settles all that were added before. Throws what `settle` throws.
  void now();

 private:
  void work();
  std::function<void(const Names&)> settle_;
  Settling when_;
  std::mutex one_at_a_time_, mutex_;
  std::condition_variable changed_;
  Names names_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace penta::engine
