#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace penta::server {

using Clock = std::chrono::steady_clock;

/// A connected TCP socket. Not shared between threads, but for shut_down().
class Socket {
 public:
  explicit Socket(int handle) noexcept : handle_(handle) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  enum class Wait { ready, late, gone };
  /// Bytes read, at least one, into `count`.
  [[nodiscard]] Wait read_some(std::span<std::byte> out, Clock::time_point until, std::size_t& count);
  /// Writes all of it; false when the other side has gone or takes nothing for `patience`.
  [[nodiscard]] bool write(std::span<iovec> pieces, bool more = false);
  [[nodiscard]] bool send_file(int file, std::int64_t offset, std::int64_t length);
  /// Says that nothing more comes and swallows what is still sent, for a short time: else the other side may lose our
  /// answer (RFC 9112 9.6).
  void linger();
  [[nodiscard]] int handle() const noexcept { return handle_; }
  std::chrono::milliseconds patience{60'000};

 private:
  [[nodiscard]] Wait wait(short events, Clock::time_point until) const;
  int handle_;
};

/// Listens on a loopback address. Throws Error{wrong_use} for any other, Error{output_failed} for a port that is taken.
[[nodiscard]] int listen_on(const std::string& address, std::uint16_t port);
[[nodiscard]] std::uint16_t port_of(int listener);
/// "127.0.0.1" of the other side.
[[nodiscard]] std::string peer_of(int handle);

}  // namespace penta::server
