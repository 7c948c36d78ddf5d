#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace penta::nn {

/// Compiled networks kept on disk, so that the next program need not compile: in $PENTA_CACHE, else $XDG_CACHE_HOME/penta,
/// else ~/.cache/penta; nowhere where $PENTA_CACHE is set and empty. Nothing of an image is stored. A file that cannot be
/// written, read, or that is not whole is as one that is not there.
class CompileCache {
 public:
  /// `key` says all that the compiled network depends on (the network's bytes, settings, library, processor).
  explicit CompileCache(const std::string& key);

  /// Whether something was kept for this key.
  [[nodiscard]] bool has_any() const;
  /// Has what was kept for an input shape ("1x1x128x192") brought to memory by map(file, bytes from its start); whether
  /// it is there, and whole.
  using Map = std::function<const std::byte*(const std::filesystem::path& file, std::size_t bytes)>;
  [[nodiscard]] bool find(const std::string& shape, const Map& map) const;
  /// The shapes for which something was kept.
  [[nodiscard]] std::vector<std::string> kept() const;
  /// Keeps it, unless it is large. Of many the oldest go.
  void keep(const std::string& shape, const std::string& blob) const;

 private:
  std::filesystem::path folder_;  ///< empty: nowhere
};

}  // namespace penta::nn
