#include "nn/compile_cache.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <vector>

#include "core/hash.h"

namespace penta::nn {

namespace {

namespace fs = std::filesystem;

// A larger network takes longer to run than to compile.
constexpr std::size_t blob_bytes_max = std::size_t{48} << 20U;
constexpr std::size_t networks_max = 64;
constexpr std::size_t hash_length = 64;

fs::path root() {
  if (const char* own = std::getenv("PENTA_CACHE")) return own;
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg != '\0') return fs::path(xdg) / "penta";
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? fs::path() : fs::path(home) / ".cache" / "penta";
}

std::string hash_of(const std::string& text) { return sha256_hex(std::as_bytes(std::span(text.data(), text.size()))); }

/// Folders of other networks, until at most networks_max are left.
void drop_oldest(const fs::path& networks) {
  std::error_code fault;
  std::vector<std::pair<fs::file_time_type, fs::path>> all;
  for (fs::directory_iterator it(networks, fault), end; !fault && it != end; it.increment(fault)) {
    std::error_code unknown;
    const auto time = fs::last_write_time(it->path(), unknown);
    if (!unknown) all.emplace_back(time, it->path());
  }
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i + networks_max < all.size(); ++i) fs::remove_all(all[i].second, fault);
}

}  // namespace

CompileCache::CompileCache(const std::string& key) {
  const fs::path base = root();
  if (!base.empty()) folder_ = base / "networks" / hash_of(key).substr(0, 32);
}

bool CompileCache::has_any() const {
  std::error_code fault;
  return !folder_.empty() && fs::is_directory(folder_, fault);
}

std::optional<std::string> CompileCache::find(const std::string& shape) const {
  if (folder_.empty()) return std::nullopt;
  std::ifstream in(folder_ / shape, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(in), {}};
  // The hash before it tells a whole file from one that was cut or changed.
  if (text.size() < hash_length || hash_of(text.substr(hash_length)) != text.substr(0, hash_length)) return std::nullopt;
  return text.substr(hash_length);
}

void CompileCache::keep(const std::string& shape, const std::string& blob) const {
  if (folder_.empty() || blob.size() > blob_bytes_max) return;
  std::error_code fault;
  const bool is_new = fs::create_directories(folder_, fault);
  if (fault) return;
  const fs::path part = folder_ / (shape + "." + std::to_string(::getpid()));
  {
    std::ofstream out(part, std::ios::binary);
    out << hash_of(blob) << blob;
    if (!out.flush()) {
      out.close();
      fs::remove(part, fault);
      return;
    }
  }
  fs::rename(part, folder_ / shape, fault);
  if (is_new) drop_oldest(folder_.parent_path());
}

}  // namespace penta::nn
