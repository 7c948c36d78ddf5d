#include "server/http/request_reader.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

namespace penta::server {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::int64_t slowest_bytes_per_second = 1024;
constexpr std::size_t finish_bytes = std::size_t{1} << 20;

/// What Beast reads from; says why it ended.
struct Stream {
  Socket& socket;
  Clock::time_point until{};
  Socket::Wait last = Socket::Wait::ready;

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, error_code& fault) {
    std::size_t count = 0;
    for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
      const asio::mutable_buffer buffer(*it);
      if (buffer.size() == 0) continue;
      last = socket.read_some({static_cast<std::byte*>(buffer.data()), buffer.size()}, until, count);
      fault = last == Socket::Wait::ready ? error_code{} : error_code(asio::error::eof);
      return count;
    }
    return 0;
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    error_code fault;
    const std::size_t count = read_some(buffers, fault);
    if (fault) throw boost::system::system_error(fault);
    return count;
  }
};

using Parser = http::request_parser<http::buffer_body>;

}  // namespace

struct RequestReader::State {
  Stream stream;
  const HttpSettings& settings;
  beast::flat_buffer buffer{};
  std::unique_ptr<Parser> parser{};
  bool continue_wanted = false, broken = false;
  Clock::time_point body_begun{};
  std::int64_t body_bytes = 0;

  [[noreturn]] void refuse(error_code fault) {
    broken = true;
    const std::string limit = std::to_string(settings.body_bytes_max);
    if (fault == http::error::body_limit)
      throw HttpError(413, "the body is larger than " + limit + " bytes, the limit here");
    if (fault == http::error::header_limit || fault == http::error::buffer_overflow)
      throw HttpError(431,
                      "the request's headers are longer than " + std::to_string(settings.header_bytes_max) + " bytes");
    if (stream.last == Socket::Wait::late) throw HttpError(408, "the request came too slowly");
    if (stream.last == Socket::Wait::gone) throw HttpError(400, "the request ends before its end");
    throw HttpError(400, "the request is no HTTP/1.1: " + fault.message());
  }

  /// Waits for the first byte of a request; false when none comes.
  bool anything() {
    if (buffer.size() > 0) return true;
    stream.until = Clock::now() + settings.idle_timeout;
    error_code fault;
    const std::size_t count = stream.read_some(buffer.prepare(8192), fault);
    buffer.commit(count);
    return !fault;
  }

  void read_head() {
    parser = std::make_unique<Parser>();
    parser->header_limit(static_cast<std::uint32_t>(settings.header_bytes_max));
    parser->body_limit(static_cast<std::uint64_t>(settings.body_bytes_max));
    stream.until = Clock::now() + settings.header_timeout;
    error_code fault;
    http::read_header(stream, buffer, *parser, fault);
    if (fault) refuse(fault);
    parser->eager(true);
    continue_wanted = beast::iequals(parser->get()[http::field::expect], "100-continue") && !parser->is_done();
    body_begun = Clock::now();
    body_bytes = 0;
  }

  void send_continue() {
    continue_wanted = false;
    std::string line = "HTTP/1.1 100 Continue\r\n\r\n";
    std::array pieces{iovec{line.data(), line.size()}};
    if (!stream.socket.write(pieces)) refuse(asio::error::eof);
  }
};

RequestReader::RequestReader(Socket& socket, const HttpSettings& settings)
    : state_(std::make_unique<State>(State{Stream{socket}, settings})) {}

RequestReader::~RequestReader() = default;

bool RequestReader::next(Request& request, Target& target) {
  State& state = *state_;
  if (!state.anything()) return false;
  state.read_head();
  const auto& head = state.parser->get();
  request.method = std::string(head.method_string());
  for (const auto& field : head)
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  if (head.count(http::field::host) > 1) throw HttpError(400, "the request has several Host headers");
  if (head.count(http::field::transfer_encoding) > 0 && !state.parser->chunked())
    throw HttpError(501, "the only Transfer-Encoding that is understood is chunked");
  auto parsed = parse_target(std::string(head.target()));
  if (!parsed && request.method == "OPTIONS" && head.target() == "*") parsed = parse_target("/");
  if (!parsed) throw HttpError(400, "the request's target is malformed");
  target = std::move(*parsed);
  request.path = target.path;
  request.query = target.query;
  request.body = this;
  return true;
}

std::size_t RequestReader::read(std::span<std::byte> out) {
  State& state = *state_;
  if (state.continue_wanted) state.send_continue();
  auto& body = state.parser->get().body();
  body.data = out.data();
  body.size = out.size();
  body.more = true;
  while (!state.parser->is_done() && body.size == out.size()) {
    // A client may be slow now and then, but not for ever.
    const std::chrono::seconds allowance(state.body_bytes / slowest_bytes_per_second);
    state.stream.until = std::min(Clock::now(), state.body_begun + allowance) + state.settings.body_timeout;
    error_code fault;
    http::read_some(state.stream, state.buffer, *state.parser, fault);
    if (fault == http::error::need_buffer) break;
    if (fault) state.refuse(fault);
  }
  const std::size_t count = out.size() - body.size;
  state.body_bytes += static_cast<std::int64_t>(count);
  return count;
}

bool RequestReader::finish() {
  State& state = *state_;
  if (state.broken || !state.parser) return false;
  if (state.parser->is_done()) return true;
  if (state.continue_wanted) return false;
  std::vector<std::byte> nothing(65536);
  for (std::size_t bytes = 0; bytes < finish_bytes;) {
    const std::size_t count = read(nothing);
    if (count == 0) return true;
    bytes += count;
  }
  return false;
}

bool RequestReader::keep_alive() const noexcept {
  return state_->parser && !state_->broken && state_->parser->get().keep_alive();
}

bool RequestReader::takes_chunks() const noexcept { return !state_->parser || state_->parser->get().version() >= 11; }

}  // namespace penta::server
