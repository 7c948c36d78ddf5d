#include "engine/jobs/message.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>

#include "core/error.h"

namespace penta::engine {

namespace {

constexpr std::size_t lengths_bytes = 12;

void put(std::span<std::byte> out, std::uint64_t value) noexcept {
  for (std::byte& byte : out) {
    byte = static_cast<std::byte>(value & 0xFFU);
    value >>= 8U;
  }
}

std::uint64_t take(std::span<const std::byte> in) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = in.size(); i-- > 0;) value = (value << 8U) | std::to_integer<std::uint64_t>(in[i]);
  return value;
}

void write_all(int socket, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw Error(Code::internal, "the other side of a worker's socket is gone");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void wait_readable(int socket, const Deadline& until) {
  if (!until) return;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now());
    if (left.count() <= 0) throw Error(Code::cancelled, "it took too long");
    pollfd wanted{socket, POLLIN, 0};
    const int n = ::poll(&wanted, 1, static_cast<int>(std::min<std::int64_t>(left.count() + 1, 60000)));
    if (n > 0) return;
    if (n < 0 && errno != EINTR) throw Error(Code::internal, "a worker's socket cannot be waited for");
  }
}

// How many bytes came before the end.
std::size_t read_all(int socket, std::span<std::byte> out, const Deadline& until) {
  std::size_t got = 0;
  while (got < out.size()) {
    wait_readable(socket, until);
    const ssize_t n = ::read(socket, out.data() + got, out.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  return got;
}

void read_part(int socket, std::span<std::byte> out, const Deadline& until) {
  if (read_all(socket, out, until) != out.size()) throw Error(Code::internal, "a worker's message ends in the middle");
}

}  // namespace

void send_message(int socket, const Json& header, std::span<const std::byte> payload) {
  const std::string text = header.dump(-1);
  std::vector<std::byte> front(lengths_bytes + text.size());
  put(std::span(front).first(4), text.size());
  put(std::span(front).subspan(4, 8), payload.size());
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  std::copy(bytes.begin(), bytes.end(), front.begin() + lengths_bytes);
  write_all(socket, front);
  write_all(socket, payload);
}

std::optional<Message> receive_message(int socket, Deadline until, std::uint64_t payload_max) {
  std::array<std::byte, lengths_bytes> lengths{};
  const std::size_t got = read_all(socket, lengths, until);
  if (got == 0) return std::nullopt;
  if (got != lengths.size()) throw Error(Code::internal, "a worker's message ends in the middle");
  const std::uint64_t header_bytes = take(std::span(lengths).first(4));
  const std::uint64_t payload_bytes = take(std::span(lengths).subspan(4));
  if (header_bytes > header_bytes_max || payload_bytes > payload_bytes_max)
    throw Error(Code::internal, "a worker's message is over its limit");
  if (payload_bytes > payload_max) throw Error(Code::out_of_memory, "a worker's answer is over its limit");
  std::vector<std::byte> header(header_bytes);
  read_part(socket, header, until);
  Message message;
  message.payload.resize(payload_bytes);
  read_part(socket, message.payload, until);
  try {
    message.header = Json::parse({reinterpret_cast<const char*>(header.data()), header.size()});
  } catch (const Error& fault) {
    throw Error(Code::internal, std::string("a worker's message: ") + fault.what());
  }
  return message;
}

}  // namespace penta::engine
