#include "server/dimse/connection.h"

#include <dcmtk/dcmnet/dcmtrans.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace penta::server::dimse {

namespace {

constexpr std::size_t buffer_bytes = 64 << 10;
constexpr std::size_t head_bytes = 6;
constexpr std::int64_t associate_bytes_max = 1 << 20, data_bytes_max = 256 << 10;
constexpr std::size_t data_head_bytes = 12;  ///< P-DATA-TF head and the head of its one PDV, as DCMTK writes them
constexpr std::chrono::seconds write_patience{60};

void set_flag(int socket, int flag) noexcept {
  const int on = 1;
  static_cast<void>(::setsockopt(socket, IPPROTO_TCP, flag, &on, sizeof on));
}

class TcpConnection : public DcmTCPConnection, public Connection {
 public:
  explicit TcpConnection(int socket) : DcmTCPConnection(socket), in_(buffer_bytes) { set_flag(socket, TCP_NODELAY); }

  void set_deadline(Clock::time_point deadline) noexcept override { deadline_ = deadline; }
  void set_budget(std::int64_t bytes) noexcept override { budget_bytes_ = bytes; }
  [[nodiscard]] bool has_data() noexcept override;
  void stop() noexcept override { static_cast<void>(::shutdown(getSocket(), SHUT_RDWR)); }

  ssize_t read(void* buffer, size_t count) override;
  ssize_t write(void* buffer, size_t count) override;
  OFBool networkDataAvailable(int timeout_s) override;
  OFBool isTransparentConnection() override { return OFFalse; }  // keeps DCMTK from polling beside our buffer

 private:
  [[nodiscard]] bool wait(short events, Clock::time_point until) noexcept;
  [[nodiscard]] bool fill() noexcept;
  [[nodiscard]] std::int64_t length_of_head() const noexcept;
  [[nodiscard]] bool head_allowed() const noexcept;
  [[nodiscard]] bool send_all(const std::byte* first, std::size_t first_count, const std::byte* second,
                              std::size_t second_count) noexcept;

  std::vector<std::byte> in_;
  std::size_t in_begin_ = 0, in_end_ = 0;
  std::vector<std::byte> head_out_;  ///< the head of a PDU that waits for its body
  std::int64_t pdu_left_ = 0;        ///< bytes of the PDU being read that have not been handed on
  std::int64_t budget_bytes_ = 1 << 20;
  Clock::time_point deadline_ = Clock::time_point::max();
};

bool TcpConnection::wait(short events, Clock::time_point until) noexcept {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd one{getSocket(), events, 0};
    const int wait_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
    const int ready = ::poll(&one, 1, wait_ms);
    if (ready > 0) return true;
    if (ready == 0 && Clock::now() >= until) return false;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// A client that writes small pieces and waits for each to be acknowledged would wait for our delayed acknowledgement
// (40 ms): the kernel falls back to delaying after each answer, so the flag is set again before each wait.
bool TcpConnection::fill() noexcept {
  std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
  in_end_ -= in_begin_;
  in_begin_ = 0;
  const auto receive = [this] { return ::recv(getSocket(), in_.data() + in_end_, in_.size() - in_end_, MSG_DONTWAIT); };
  ssize_t got = receive();
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    set_flag(getSocket(), TCP_QUICKACK);
    if (!wait(POLLIN, deadline_)) return false;
    got = receive();
  }
  if (got > 0) in_end_ += static_cast<std::size_t>(got);
  return got > 0;
}

// PS3.8 9.3: type, a reserved byte, 32 bits of length, big endian.
bool TcpConnection::head_allowed() const noexcept {
  const auto type = std::to_integer<int>(in_[in_begin_]);
  const std::int64_t length = length_of_head();
  switch (type) {
    case 1:
    case 2: return length <= associate_bytes_max;
    case 4: return length >= 6 && length <= data_bytes_max;
    case 3:
    case 5:
    case 6:
    case 7: return length == 4;
    default: return false;
  }
}

std::int64_t TcpConnection::length_of_head() const noexcept {
  std::int64_t length = 0;
  for (std::size_t i = 2; i < head_bytes; ++i) length = length * 256 + std::to_integer<int>(in_[in_begin_ + i]);
  return length;
}

ssize_t TcpConnection::read(void* buffer, size_t count) {
  const std::size_t needed = pdu_left_ == 0 ? head_bytes : 1;
  while (in_end_ - in_begin_ < needed)
    if (!fill()) return 0;
  if (pdu_left_ == 0) {
    if (!head_allowed()) return 0;
    pdu_left_ = static_cast<std::int64_t>(head_bytes) + length_of_head();
  }
  const auto wanted = static_cast<std::int64_t>(std::min(count, in_end_ - in_begin_));
  const std::int64_t given = std::min({wanted, pdu_left_, budget_bytes_});
  if (given <= 0 || Clock::now() >= deadline_) return 0;
  std::memcpy(buffer, in_.data() + in_begin_, static_cast<std::size_t>(given));
  in_begin_ += static_cast<std::size_t>(given);
  pdu_left_ -= given;
  budget_bytes_ -= given;
  return given;
}

bool TcpConnection::send_all(const std::byte* first, std::size_t first_count, const std::byte* second,
                          std::size_t second_count) noexcept {
  const Clock::time_point until = Clock::now() + write_patience;
  while (first_count + second_count > 0) {
    std::array<iovec, 2> parts{{{const_cast<std::byte*>(first), first_count}, {const_cast<std::byte*>(second), second_count}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(getSocket(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if ((errno != EAGAIN && errno != EWOULDBLOCK) || !wait(POLLOUT, until)) return false;
      continue;
    }
    const auto of_first = std::min(first_count, static_cast<std::size_t>(sent));
    const std::size_t of_second = static_cast<std::size_t>(sent) - of_first;
    first += of_first;
    first_count -= of_first;
    second += of_second;
    second_count -= of_second;
  }
  return true;
}

// DCMTK writes the head of a data PDU and its body apart. The head waits here, so that they leave as one segment.
ssize_t TcpConnection::write(void* buffer, size_t count) {
  const auto* bytes = static_cast<const std::byte*>(buffer);
  if (head_out_.empty() && count == data_head_bytes && bytes[0] == std::byte{4}) {
    head_out_.assign(bytes, bytes + count);
    return static_cast<ssize_t>(count);
  }
  const bool sent = send_all(head_out_.data(), head_out_.size(), bytes, count);
  head_out_.clear();
  return sent ? static_cast<ssize_t>(count) : -1;
}

OFBool TcpConnection::networkDataAvailable(int timeout_s) {
  if (in_begin_ < in_end_) return OFTrue;
  if (timeout_s > 0) set_flag(getSocket(), TCP_QUICKACK);
  return wait(POLLIN, std::min(deadline_, Clock::now() + std::chrono::seconds(std::max(timeout_s, 0))));
}

bool TcpConnection::has_data() noexcept { return in_begin_ < in_end_ || wait(POLLIN, Clock::now()); }

class Transport : public DcmTransportLayer {
 public:
  explicit Transport(std::function<void(Connection*)> made) : made_(std::move(made)) {}

  DcmTransportConnection* createConnection(DcmNativeSocketType socket, OFBool secure) override {
    if (secure) return nullptr;
    auto connection = std::make_unique<TcpConnection>(socket);
    made_(connection.get());
    return connection.release();
  }

 private:
  std::function<void(Connection*)> made_;
};

}  // namespace

std::unique_ptr<DcmTransportLayer> make_transport(std::function<void(Connection*)> made) {
  return std::make_unique<Transport>(std::move(made));
}

}  // namespace penta::server::dimse
