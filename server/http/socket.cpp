#include "server/http/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace penta::server {

namespace {

constexpr std::int64_t swallow_bytes = std::int64_t{256} << 20;
constexpr std::chrono::seconds swallow_time{2};

bool for_now() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

/// Length of the address; 0 where the text is no loopback address.
socklen_t loopback(const std::string& text, std::uint16_t port, Address& out) {
  std::memset(&out, 0, sizeof out);
  const std::string name = text == "localhost" ? "127.0.0.1" : text;
  if (inet_pton(AF_INET, name.c_str(), &out.v4.sin_addr) == 1) {
    out.v4.sin_family = AF_INET;
    out.v4.sin_port = htons(port);
    return (ntohl(out.v4.sin_addr.s_addr) >> 24) == 127 ? sizeof out.v4 : 0;
  }
  if (inet_pton(AF_INET6, name.c_str(), &out.v6.sin6_addr) != 1) return 0;
  out.v6.sin6_family = AF_INET6;
  out.v6.sin6_port = htons(port);
  return IN6_IS_ADDR_LOOPBACK(&out.v6.sin6_addr) ? sizeof out.v6 : 0;
}

}  // namespace

Socket::~Socket() { ::close(handle_); }

Socket::Wait Socket::wait(short events, Clock::time_point until) const {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return Wait::late;
    pollfd one{handle_, events, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::min<std::int64_t>(left, 1'000'000)));
    if (ready > 0) return Wait::ready;
    if (ready < 0 && errno != EINTR) return Wait::gone;
  }
}

Socket::Wait Socket::read_some(std::span<std::byte> out, Clock::time_point until, std::size_t& count) {
  while (true) {
    const ssize_t got = ::recv(handle_, out.data(), out.size(), MSG_DONTWAIT);
    if (got > 0) {
      count = static_cast<std::size_t>(got);
      return Wait::ready;
    }
    if (got == 0 || !for_now()) return Wait::gone;
    if (const Wait answer = wait(POLLIN, until); answer != Wait::ready) return answer;
  }
}

bool Socket::write(std::span<iovec> pieces, bool more) {
  while (!pieces.empty()) {
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t sent = ::sendmsg(handle_, &message, MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (sent < 0) {
      if (!for_now() || wait(POLLOUT, Clock::now() + patience) != Wait::ready) return false;
      continue;
    }
    std::size_t left = static_cast<std::size_t>(sent);
    while (!pieces.empty() && left >= pieces[0].iov_len) {
      left -= pieces[0].iov_len;
      pieces = pieces.subspan(1);
    }
    if (!pieces.empty()) {
      pieces[0].iov_base = static_cast<char*>(pieces[0].iov_base) + left;
      pieces[0].iov_len -= left;
    }
  }
  return true;
}

bool Socket::send_file(int file, std::int64_t offset, std::int64_t length) {
  off_t at = offset;
  while (length > 0) {
    if (wait(POLLOUT, Clock::now() + patience) != Wait::ready) return false;
    const ssize_t sent =
        ::sendfile(handle_, file, &at, static_cast<std::size_t>(std::min<std::int64_t>(length, 1 << 20)));
    if (sent == 0 || (sent < 0 && !for_now())) return false;
    length -= std::max<ssize_t>(sent, 0);
  }
  return true;
}

void Socket::linger() {
  ::shutdown(handle_, SHUT_WR);
  std::array<std::byte, 65536> nothing{};
  const auto until = Clock::now() + swallow_time;
  std::size_t count = 0;
  for (std::int64_t bytes = 0; bytes < swallow_bytes; bytes += static_cast<std::int64_t>(count))
    if (read_some(nothing, until, count) != Wait::ready) return;
}

int listen_on(const std::string& address, std::uint16_t port) {
  Address where;
  const socklen_t length = loopback(address, port, where);
  if (length == 0)
    throw Error(Code::wrong_use,
                "listening on " + address + ": only loopback addresses are served until there are users and TLS");
  const std::string doing = "listening on " + address + " port " + std::to_string(port) + ": ";
  const int handle = ::socket(where.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (handle >= 0) ::setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (handle >= 0 && ::bind(handle, &where.any, length) == 0 && ::listen(handle, 512) == 0) return handle;
  const std::string why = std::strerror(errno);
  if (handle >= 0) ::close(handle);
  throw Error(Code::output_failed, doing + why);
}

std::uint16_t port_of(int listener) {
  Address where{};
  socklen_t length = sizeof where;
  if (::getsockname(listener, &where.any, &length) != 0) return 0;
  return ntohs(where.any.sa_family == AF_INET ? where.v4.sin_port : where.v6.sin6_port);
}

std::string peer_of(int handle) {
  Address where{};
  socklen_t length = sizeof where;
  if (::getpeername(handle, &where.any, &length) != 0) return "unknown";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = where.any.sa_family == AF_INET;
  const void* bytes = v4 ? static_cast<const void*>(&where.v4.sin_addr) : &where.v6.sin6_addr;
  const char* name = ::inet_ntop(where.any.sa_family, bytes, text.data(), text.size());
  return name == nullptr ? "unknown" : name;
}

}  // namespace penta::server
