#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <string>

#include "server/http/message.h"

namespace penta::server {

struct ClientAnswer {
  int status = 0;  ///< 0: none came
  Headers headers;
  std::string body;
  bool whole = false;
};

/// A plain HTTP client on one connection, for tests.
class Client {
 public:
  explicit Client(std::uint16_t port) : handle_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{10, 0};
    ::setsockopt(handle_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = ::connect(handle_, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { ::close(handle_); }

  void send(std::string_view text) const { (void)!::send(handle_, text.data(), text.size(), MSG_NOSIGNAL); }
  void finish() const { ::shutdown(handle_, SHUT_WR); }

  ClientAnswer ask(const std::string& method, const std::string& target, const Headers& headers = {},
                   const std::string& body = {}) {
    std::string text = method + " " + target + " HTTP/1.1\r\n";
    if (!header_of(headers, "Host")) text += "Host: localhost\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send(text + "\r\n" + body);
    return answer(method == "HEAD");
  }

  ClientAnswer answer(bool head_only = false) {
    ClientAnswer out;
    std::string line;
    if (!read_line(line) || line.size() < 12) return out;
    out.status = std::stoi(line.substr(9, 3));
    while (read_line(line) && !line.empty()) {
      const std::size_t colon = line.find(": ");
      out.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    if (head_only || out.status == 204 || out.status == 304 || out.status == 100)
      out.whole = true;
    else if (header_of(out.headers, "Transfer-Encoding"))
      out.whole = read_chunks(out.body);
    else if (const auto length = header_of(out.headers, "Content-Length"))
      out.whole = take(std::stoul(*length), out.body);
    else
      while (fill()) out.body.swap(buffer_);
    return out;
  }
  /// Whether the server has closed the connection.
  bool closed() { return buffer_.empty() && !fill(); }

 private:
  bool fill() {
    std::array<char, 65536> piece;
    const ssize_t count = ::recv(handle_, piece.data(), piece.size(), 0);
    if (count > 0) buffer_.append(piece.data(), static_cast<std::size_t>(count));
    return count > 0;
  }
  bool read_line(std::string& line) {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos)
      if (!fill()) return false;
    line = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return true;
  }
  bool take(std::size_t count, std::string& out) {
    while (buffer_.size() < count)
      if (!fill()) return false;
    out.append(buffer_, 0, count);
    buffer_.erase(0, count);
    return true;
  }
  bool read_chunks(std::string& out) {
    std::string line;
    while (read_line(line)) {
      const std::size_t count = std::stoul(line, nullptr, 16);
      if (!take(count, out) || !read_line(line)) return false;
      if (count == 0) return true;
    }
    return false;
  }

  int handle_;
  bool connected_ = false;
  std::string buffer_;
};

}  // namespace penta::server
