#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "server/http/message.h"

namespace penta::server {

struct HttpSettings {
  std::string address = "127.0.0.1";  ///< anything but loopback is refused until there are users and TLS
  std::uint16_t port = 8042;          ///< 0: any free one
  int connections_max = 256;
  std::int64_t body_bytes_max = std::int64_t{16} << 30;
  std::size_t header_bytes_max = std::size_t{64} << 10;
  std::chrono::seconds header_timeout{10}, idle_timeout{60}, body_timeout{60};
  std::string host_page_policy;                      ///< Content-Security-Policy of pages; empty: the built-in one
  std::function<void(const std::string&)> on_fault;  ///< hears of our own faults, which clients are not told
};

/// HTTP/1.1, one thread a connection, blocking. Errors thrown by handlers become problems (RFC 9457) in one place; our
/// own faults say nothing of the inside. Answers only to Host headers of this machine (DNS rebinding).
class HttpServer {
 public:
  /// Throws Error{wrong_use} for an address that is not loopback, Error{output_failed} for a port that is taken.
  HttpServer(HttpSettings settings, Routes routes);
  ~HttpServer();  ///< stops: open connections are closed, handlers see it through their Writer or BodySource
  [[nodiscard]] std::uint16_t port() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace penta::server
