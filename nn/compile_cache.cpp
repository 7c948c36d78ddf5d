#include "nn/compile_cache.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <vector>

#include "core/hash.h"

namespace penta::nn {

namespace {

namespace fs = std::filesystem;

// A larger network takes longer to run than to compile.
constexpr std::size_t blob_bytes_max = std::size_t{48} << 20U;
constexpr std::size_t networks_max = 64;

fs::path root() {
  if (const char* own = std::getenv("PENTA_CACHE")) return own;
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg != '\0') return fs::path(xdg) / "penta";
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? fs::path() : fs::path(home) / ".cache" / "penta";
}

std::string hash_of(const std::string& text) { return sha256_hex(std::as_bytes(std::span(text.data(), text.size()))); }

/// Tells a whole file from one that was cut or changed by accident; many times faster than a hash that nobody can forge
/// (who can write here can write the program's models).
std::uint64_t checksum(std::span<const std::byte> bytes) {
  constexpr std::uint64_t prime = 0x9e3779b97f4a7c15U;
  std::array<std::uint64_t, 4> lanes{1, 2, 3, 4};
  constexpr std::size_t step = sizeof lanes;
  std::size_t at = 0;
  for (; at + step <= bytes.size(); at += step) {
    std::array<std::uint64_t, 4> words{};
    std::memcpy(words.data(), bytes.data() + at, step);
    for (std::size_t k = 0; k < 4; ++k) lanes[k] = std::rotl((lanes[k] ^ words[k]) * prime, 29);
  }
  std::uint64_t sum = bytes.size();
  for (const std::uint64_t lane : lanes) sum = std::rotl((sum ^ lane) * prime, 31);
  for (; at < bytes.size(); ++at) sum = std::rotl((sum ^ static_cast<std::uint64_t>(bytes[at])) * prime, 31);
  return sum;
}

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
  if (!base.empty()) folder_ = base / "networks" / hash_of(key + "|2").substr(0, 32);
}

bool CompileCache::has_any() const {
  std::error_code fault;
  return !folder_.empty() && fs::is_directory(folder_, fault);
}

bool CompileCache::find(const std::string& shape, const Map& map) const {
  if (folder_.empty()) return false;
  std::ifstream in(folder_ / shape, std::ios::binary | std::ios::ate);
  const std::streamoff length = in ? static_cast<std::streamoff>(in.tellg()) : 0;
  constexpr auto tail = static_cast<std::streamoff>(sizeof(std::uint64_t));
  if (length <= tail || static_cast<std::size_t>(length - tail) > blob_bytes_max) return false;
  std::uint64_t sum = 0;
  in.seekg(length - tail);
  in.read(reinterpret_cast<char*>(&sum), tail);
  const auto bytes = static_cast<std::size_t>(length - tail);
  const std::byte* blob = map(folder_ / shape, bytes);
  return in.good() && blob != nullptr && sum == checksum({blob, bytes});
}

std::vector<std::string> CompileCache::kept() const {
  std::vector<std::string> shapes;
  std::error_code fault;
  if (folder_.empty()) return shapes;
  for (fs::directory_iterator it(folder_, fault), end; !fault && it != end; it.increment(fault)) {
    const std::string name = it->path().filename().string();
    if (name.find_first_not_of("0123456789x") == std::string::npos) shapes.push_back(name);
  }
  return shapes;
}

void CompileCache::keep(const std::string& shape, const std::string& blob) const {
  if (folder_.empty() || blob.size() > blob_bytes_max) return;
  std::error_code fault;
  const bool is_new = fs::create_directories(folder_, fault);
  if (fault) return;
  const fs::path part = folder_ / (shape + "." + std::to_string(::getpid()));
  {
    std::ofstream out(part, std::ios::binary);
    const std::uint64_t sum = checksum(std::as_bytes(std::span(blob.data(), blob.size())));
    out << blob;
    out.write(reinterpret_cast<const char*>(&sum), sizeof sum);
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
