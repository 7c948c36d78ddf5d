#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "engine/store/instance.h"

namespace penta::engine {

/// What a worker may use.
struct WorkerLimits {
  double memory_gb = 4;
  std::chrono::seconds seconds{120};  ///< of one request
  std::int64_t answer_bytes = std::int64_t{1} << 30;  ///< of one answer, which the server holds
};

/// What a picture of a frame shall look like (PS3.18 8.3.5: window, viewport, quality).
struct RenderRequest {
  std::filesystem::path path;
  std::int64_t frame = 1;                 ///< from 1
  double window_centre = 0, window_width = 0;  ///< width 0: the image's own window
  std::int64_t width = 0, height = 0;     ///< the picture fits in; 0: as it is
  std::string media_type = "image/png";   ///< or image/jpeg
  int quality = 90;
};

/// Processes without network, under seccomp and rlimits, that parse and decode what came from outside. They start at
/// the first request and end when idle. One that dies costs the request that it had (Error{internal}); one that takes
/// too long or too much is stopped (Error{bad_input} that says so).
class Workers {
 public:
  /// `program`: this executable; it is started as `penta worker`.
  Workers(std::filesystem::path program, int count, WorkerLimits limits);
  ~Workers();

  [[nodiscard]] InstanceIndex index(const std::filesystem::path& path);
  [[nodiscard]] std::vector<std::byte> rendered(const RenderRequest& request);
  /// One frame (from 1) as raw little-endian samples (media type application/octet-stream).
  [[nodiscard]] std::vector<std::byte> native_frame(const std::filesystem::path& path, std::int64_t frame);
  /// The whole instance in another transfer syntax (explicit little endian). Throws Error{bad_input} for one that is not offered.
  [[nodiscard]] std::vector<std::byte> transcoded(const std::filesystem::path& path, const std::string& transfer_syntax);
  /// Any other request of the protocol (engine/jobs/worker_main.h); `payload` comes back as bytes.
  [[nodiscard]] std::vector<std::byte> ask(const Json& request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The other side: serves requests on a socket until it closes. Enters the sandbox first. Returns the exit code.
[[nodiscard]] int worker_main(int socket, const WorkerLimits& limits);

}  // namespace penta::engine
