#pragma once

#include <any>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace penta {

/// What the caller holds of a running method: progress, cancel, seed, limits.
struct Control {
  std::function<void(double fraction, std::string_view what)> progress;  ///< may be empty
  const std::atomic<bool>* cancel = nullptr;
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: all

  void report(double fraction, std::string_view what) const {
    check_cancelled();
    if (progress) progress(fraction, what);
  }
  /// Throws Error{cancelled} once the caller asked for it.
  void check_cancelled() const;
};

/// A cache that the caller owns: what was computed once for an image. A method gives the same answer with an empty one.
class Workspace {
 public:
  /// The value under `key`, made by `make` when it is not there yet. `key` begins with the image's hash.
  template <class T, class Make>
  [[nodiscard]] const T& get(const std::string& key, Make&& make) {
    const std::lock_guard lock(mutex_);
    auto it = values_.find(key);
    if (it == values_.end()) it = values_.emplace(key, std::make_shared<const T>(make())).first;
    return *std::any_cast<const std::shared_ptr<const T>&>(it->second);
  }

 private:
  std::recursive_mutex mutex_;
  std::map<std::string, std::any> values_;
};

}  // namespace penta
