#include "server/http/respond.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <new>

#include "server/http/policy.h"
#include "server/http/ranges.h"

namespace penta::server {

namespace {

/// A file that is open for as long as this.
class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path) : handle_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat facts;
    if (handle_ < 0 || ::fstat(handle_, &facts) != 0 || !S_ISREG(facts.st_mode)) return;
    size_ = facts.st_size;
    changed_ns_ = std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec;
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (handle_ >= 0) ::close(handle_);
  }
  [[nodiscard]] int handle() const noexcept { return handle_; }
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }  ///< -1: no file
  [[nodiscard]] std::string etag() const {
    return "\"" + std::to_string(size_) + "-" + std::to_string(changed_ns_) + "\"";
  }

 private:
  int handle_;
  std::int64_t size_ = -1, changed_ns_ = 0;
};

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  // A line break in a value would begin another header.
  for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  out.append("\r\n");
}

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 40> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

std::string head_text(const Response& response, const Exchange& exchange, std::string_view framing) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out.append(phrase_of(response.status)).append("\r\n");
  append_header(out, "Date", now_text());
  for (const auto& [name, value] : response.headers) append_header(out, name, value);
  out.append(framing);
  if (!exchange.keep_alive)
    out.append("Connection: close\r\n");
  else if (!exchange.chunks)
    out.append("Connection: keep-alive\r\n");
  return out.append("\r\n");
}

std::string length_line(std::int64_t bytes) { return "Content-Length: " + std::to_string(bytes) + "\r\n"; }

iovec piece_of(std::string_view text) { return {const_cast<char*>(text.data()), text.size()}; }

bool head_only(const Exchange& exchange) { return exchange.request.method == "HEAD"; }

bool send_text(Socket& socket, const Response& response, const std::string& body, const Exchange& exchange) {
  const bool none = response.status == 204 || response.status == 304;
  const std::string head =
      head_text(response, exchange, none ? "" : length_line(static_cast<std::int64_t>(body.size())));
  std::array pieces{piece_of(head), piece_of(body)};
  return socket.write(std::span(pieces).first(none || head_only(exchange) ? 1 : 2));
}

bool not_modified(Response& response, const Exchange& exchange) {
  const auto etag = header_of(response.headers, "ETag"), known = exchange.request.header("If-None-Match");
  const bool reads = exchange.request.method == "GET" || head_only(exchange);
  if (!reads || response.status != 200 || !etag || !known || !etag_matches(*known, *etag)) return false;
  response.status = 304;
  return true;
}

/// Puts the range that was asked for into the answer; nothing where it cannot be had.
std::optional<Span> ranged(Response& response, const Exchange& exchange, Span part) {
  const auto asked = exchange.request.header("Range");
  response.headers.emplace_back("Accept-Ranges", "bytes");
  const auto condition = exchange.request.header("If-Range");
  if (!asked || response.status != 200 || (condition && *condition != header_of(response.headers, "ETag"))) return part;
  Span range;
  const RangeAnswer answer = parse_range(*asked, part.length, range);
  const std::string size = std::to_string(part.length);
  if (answer == RangeAnswer::whole) return part;
  response.status = answer == RangeAnswer::part ? 206 : 416;
  if (answer == RangeAnswer::unsatisfiable) {
    response.headers.emplace_back("Content-Range", "bytes */" + size);
    return {};
  }
  response.headers.emplace_back("Content-Range", "bytes " + std::to_string(range.offset) + "-" +
                                                     std::to_string(range.offset + range.length - 1) + "/" + size);
  return Span{part.offset + range.offset, range.length};
}

bool send_file(Socket& socket, Response& response, const FileBody& body, const Exchange& exchange) {
  const OpenFile file(body.path);
  if (file.size() < body.offset) {
    Response lost = problem(404, "the file is not there");
    add_policies(lost, exchange.request, exchange.policy_of_pages);
    return send_text(socket, lost, std::get<std::string>(lost.body), exchange);
  }
  if (!header_of(response.headers, "ETag")) response.headers.emplace_back("ETag", file.etag());
  const std::int64_t rest = file.size() - body.offset;
  const Span whole{body.offset, body.length < 0 ? rest : std::min(body.length, rest)};
  const bool unchanged = not_modified(response, exchange);
  const auto part = unchanged ? whole : ranged(response, exchange, whole);
  add_policies(response, exchange.request, exchange.policy_of_pages);
  if (unchanged || !part) return send_text(socket, response, "", exchange);
  const std::string head = head_text(response, exchange, length_line(part->length));
  std::array pieces{piece_of(head)};
  const bool alone = head_only(exchange) || part->length == 0;
  return socket.write(pieces, !alone) && (alone || socket.send_file(file.handle(), part->offset, part->length));
}

std::int64_t length_of(const PiecesBody& body) {
  std::int64_t bytes = 0;
  for (const auto& piece : body) {
    const auto* file = std::get_if<FileBody>(&piece);
    if (file == nullptr)
      bytes += static_cast<std::int64_t>(std::get<std::string>(piece).size());
    else if (file->length >= 0)
      bytes += file->length;
    else
      bytes += std::max<std::int64_t>(0, OpenFile(file->path).size() - file->offset);
  }
  return bytes;
}

bool send_piece(Socket& socket, const std::variant<std::string, FileBody>& piece, bool more) {
  if (const auto* text = std::get_if<std::string>(&piece)) {
    std::array one{piece_of(*text)};
    return socket.write(one, more);
  }
  const auto& body = std::get<FileBody>(piece);
  const OpenFile file(body.path);
  const std::int64_t length = body.length < 0 ? file.size() - body.offset : body.length;
  return file.size() >= body.offset + length && socket.send_file(file.handle(), body.offset, length);
}

bool send_pieces(Socket& socket, const Response& response, const PiecesBody& body, const Exchange& exchange) {
  const std::string head = head_text(response, exchange, length_line(length_of(body)));
  std::array pieces{piece_of(head)};
  if (!socket.write(pieces, !head_only(exchange) && !body.empty())) return false;
  if (head_only(exchange)) return true;
  for (std::size_t i = 0; i < body.size(); ++i)
    if (exchange.closing || !send_piece(socket, body[i], i + 1 < body.size())) return false;
  return true;
}

/// Frames what a StreamBody writes.
class Chunks {
 public:
  Chunks(Socket& socket, const Response& response, const Exchange& exchange)
      : socket_(socket),
        response_(response),
        exchange_(exchange),
        counted_(header_of(response.headers, "Content-Length").has_value()),
        framed_(exchange.chunks && !counted_) {}

  [[nodiscard]] bool begun() const noexcept { return begun_; }

  bool add(std::span<const std::byte> bytes) {
    if (bytes.empty()) return well_;
    if (!well_ || exchange_.closing) return well_ = false;
    const std::string head = begun_ ? "" : start();
    std::array<char, 20> size{};
    const int digits = framed_ ? std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size()) : 0;
    std::array pieces{piece_of(head), piece_of({size.data(), static_cast<std::size_t>(digits)}),
                      iovec{const_cast<std::byte*>(bytes.data()), bytes.size()}, piece_of(framed_ ? "\r\n" : "")};
    return well_ = socket_.write(pieces);
  }

  bool end() {
    const std::string head = begun_ ? "" : start();
    std::array pieces{piece_of(head), piece_of(framed_ && !head_only(exchange_) ? "0\r\n\r\n" : "")};
    return well_ && socket_.write(pieces) && (framed_ || counted_);
  }

 private:
  std::string start() {
    begun_ = true;
    return head_text(response_, exchange_, framed_ ? "Transfer-Encoding: chunked\r\n" : "");
  }

  Socket& socket_;
  const Response& response_;
  const Exchange& exchange_;
  bool counted_, framed_, begun_ = false, well_ = true;
};

bool send_stream(Socket& socket, const Response& response, const StreamBody& body, const Exchange& exchange) {
  Chunks chunks(socket, response, exchange);
  if (head_only(exchange)) return chunks.end();
  bool whole = false;
  Response refused = guarded(
      [&] {
        body([&](std::span<const std::byte> bytes) { return chunks.add(bytes); });
        whole = true;
        return Response{};
      },
      exchange.on_fault);
  if (whole) return chunks.end();
  return !chunks.begun() && send_response(socket, std::move(refused), exchange);
}

}  // namespace

Response guarded(const std::function<Response()>& make, const std::function<void(const std::string&)>& on_fault) {
  try {
    return make();
  } catch (const Error& error) {
    if (error.code() == Code::internal && on_fault) on_fault(error.what());
    return problem_of(error);
  } catch (const std::bad_alloc&) {
    return problem_of(Error(Code::out_of_memory, "not enough memory for this request"));
  } catch (const std::exception& fault) {
    if (on_fault) on_fault(fault.what());
    return problem_of(Error(Code::internal, fault.what()));
  }
}

bool send_response(Socket& socket, Response response, const Exchange& exchange) {
  if (const auto* file = std::get_if<FileBody>(&response.body)) {
    const FileBody body = *file;
    return send_file(socket, response, body, exchange);
  }
  const bool unchanged = not_modified(response, exchange);
  add_policies(response, exchange.request, exchange.policy_of_pages);
  if (unchanged) return send_text(socket, response, "", exchange);
  if (const auto* text = std::get_if<std::string>(&response.body)) return send_text(socket, response, *text, exchange);
  if (const auto* pieces = std::get_if<PiecesBody>(&response.body))
    return send_pieces(socket, response, *pieces, exchange);
  return send_stream(socket, response, std::get<StreamBody>(response.body), exchange);
}

}  // namespace penta::server
